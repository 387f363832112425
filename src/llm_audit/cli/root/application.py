"""The application: the commands that arguments need, as typer runs them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import TyperException

from llm_audit.cli import COMMANDS, GROUPS, options
from llm_audit.cli.console import fail
from llm_audit.cli.root.help import MOST_COLUMNS, PROGRAM, PURPOSE, VERBOSE, VERSION
from llm_audit.cli.root.help import version as version_line
from llm_audit.errors import ExitCode


def invoke(arguments: list[str]) -> object:
    """Run the command that the arguments name, and return what it returns; a mistake in them is told."""
    try:
        return _application_for(arguments)(arguments, prog_name=PROGRAM, standalone_mode=False)
    except TyperException as error:
        if message := error.format_message():
            stop = "" if message.endswith((".", "?", "!")) else "."
            fail(f"{message}{stop} See `{_command_path(arguments)} --help`.")
        return ExitCode.USAGE
    except typer.Abort:
        return ExitCode.INTERRUPTED


def _root(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", "-V", help=VERSION)] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help=VERBOSE)] = False,
) -> None:
    """Audit LLM traffic logs offline: what was spent, and what a small-by-default policy would have cost."""
    if version:
        from llm_audit.cli.version import details

        for line in details() if verbose else [version_line()]:
            typer.echo(line)
        raise typer.Exit
    if verbose and context.invoked_subcommand is not None:
        raise typer.BadParameter("-v before a command goes with --version only; see the command's own options.")
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(int(ExitCode.USAGE))


def application(names: Iterable[str] = (*COMMANDS, *GROUPS)) -> typer.Typer:
    """Return the command line with these commands and groups."""
    made = _bare()
    for name in names:
        if name in GROUPS:
            made.add_typer(_group(name), name=name, help=GROUPS[name], short_help=GROUPS[name])
        else:
            command = _command(name)
            made.command(name, cls=options.Command, help=_wrapped(command), short_help=COMMANDS[name])(command)
    return made


def _application_for(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line as far as the arguments need it: one command, a list of all, or all of them."""
    if arguments and arguments[0] in (*COMMANDS, *GROUPS):
        return application(arguments[:1])
    return _listed() if arguments and all(word.startswith("-") for word in arguments) else application()


def _listed() -> typer.Typer:
    """Return a command line that says what each command is for, and has no options of any."""
    made = _bare()
    for name, summary in (COMMANDS | GROUPS).items():
        made.command(name, short_help=summary)(_nothing)
    return made


def _bare() -> typer.Typer:
    made = typer.Typer(
        name=PROGRAM,
        cls=options.CommandLine,
        help=PURPOSE,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # rich takes as long to load as everything else that help needs
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": MOST_COLUMNS},
    )
    made.callback(invoke_without_command=True)(_root)
    return made


def _command(name: str) -> Callable[..., None]:
    command: Callable[..., None] = getattr(import_module(f"llm_audit.cli.commands.{name}"), name)
    return command


def _group(name: str) -> typer.Typer:
    group: typer.Typer = import_module(f"llm_audit.cli.groups.{name}").app
    for command in group.registered_commands:
        command.help = _wrapped(command.callback)
        command.short_help = command.help.split("\n")[0]
    return group


def _wrapped(command: Callable[..., object] | None) -> str:
    """Return a command's help with each paragraph in one line, which a terminal wraps at its own width."""
    paragraphs = (inspect.getdoc(command) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _nothing() -> None:
    """Do nothing: only the help of this command is wanted."""


def _command_path(arguments: list[str]) -> str:
    """Return the command that the arguments name, as far as they name one; an error does not always say it."""
    path, commands = [PROGRAM], {*COMMANDS, *GROUPS}
    for word in arguments:
        if word not in commands:
            break
        path.append(word)
        commands = _subcommands(word) if len(path) == 2 else set()
    return " ".join(path)


def _subcommands(group: str) -> set[str]:
    if group not in GROUPS:
        return set()
    registered = import_module(f"llm_audit.cli.groups.{group}").app.registered_commands
    return {command.name or command.callback.__name__ for command in registered}
