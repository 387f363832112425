"""The command line: one module a command.

To add a command, write its module in ``commands`` with a function of the same name, add the name to ``COMMANDS``, and
test it in ``tests/cli/commands``; a command with subcommands goes to ``groups`` and ``GROUPS``. Options that several
commands share are in ``options``. ``scripts/build_reference.py`` then adds it to ``docs/cli.md``.

Nothing heavy is imported here or at the top of a command's module, and only the command that is run is imported and
built, so that ``--help`` answers at once.
"""

from __future__ import annotations

import gc
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import TyperException

from llm_audit import __version__
from llm_audit.cli import options, signals
from llm_audit.cli.console import abandon_stdout, audit_warnings, fail, flush, open_standard_streams
from llm_audit.cli.failures import explain
from llm_audit.errors import AuditError, ExitCode

COMMANDS = {
    "analyze": "Audit logs: actual cost, what the policy would have cost, and where most can be saved.",
    "check": "Audit logs and check the result against rules and budgets; exits with 1 when one fails.",
    "diff": "Compare two audits, and split the change into volume, model mix, tokens per request, cache and price.",
    "report": "Render a saved audit again, in any format without a row per request; --invoice ties it out first.",
    "init": "Write a commented llm-audit.toml and a GitHub workflow; existing files are kept.",
    "reconcile": "Compare costs stated by logs or an invoice with those computed, by day and model, with "
    "the likely cause.",
    "simulate": "Compare policies on the same requests: cost, flagship tax, requests moved and answers "
    "expected to be lost.",
    "explain": "Explain how a request was judged, routed and priced, with every figure; or how a text is "
    "judged (--prompt).",
    "trace": "Show a trace as a tree, with each request's route, risk, and the cost of requests that depend on it.",
    "evaluate": "Measure the classifier's routing between two models on labelled prompts, as RouteLLM "
    "does, and its calibration.",
    "calibrate": "Calibrate with your own verdicts or outcomes, a hundred or more; use the file with --calibration.",
    "sample": "Choose the requests whose trial would be most informative on whether a smaller model suffices.",
    "ingest": "Read logs, or one of N shares of them, into a workspace, of which `merge` makes a ledger.",
    "merge": "Make the ledger of a workspace whose shares have all been read, and remove the workspace's files.",
    "doctor": "Show versions, compiled code, the cache, the age of the price table, and what the given places hold.",
}
"""Commands in the order of ``--help``, with what each is for, the first paragraph of its own help; each is the function
of its name in its module in ``commands``."""
GROUPS = {
    "models": "List models, show a family's ladder, compare two models.",
    "policy": "Show, validate and export policies.",
    "prices": "List, show, verify and compare prices.",
    "formats": "List the log formats, or detect that of a file.",
    "cache": "Show or clear the cached ledger parts of logs already read, and audits; they hold no text.",
    "ledger": "Show, compact or verify a ledger that `llm-audit analyze --update` keeps up to date.",
    "config": "Show every setting with its origin.",
}
"""Groups of commands in the order of ``--help``, with what each is for; each is ``app`` in its module in ``groups``."""

_INTERRUPTED = "Interrupted; no report was written."


def _root(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and exit.")] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="With --version: also Python, compiled code, price table and classifier."),
    ] = False,
) -> None:
    """Audit LLM traffic logs offline: what was spent, and what a small-by-default policy would have cost."""
    if version:
        from llm_audit.cli.version import details

        for line in details() if verbose else [f"llm-audit {__version__}"]:
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
        name="llm-audit",
        cls=options.CommandLine,
        help="Audit LLM traffic logs offline: what was spent, and what a small-by-default policy would have cost.",
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # rich takes as long to load as everything else that help needs
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
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


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with an exit code; no traceback ever reaches a user."""
    open_standard_streams()
    supervised = signals.supervise()
    gc.set_threshold(200_000)  # what is loaded stays: to search it for cycles again and again takes a tenth of a start
    if "_LLM_AUDIT_COMPLETE" in os.environ:
        os.environ["COLUMNS"] = "1000"  # shells take every line of a description for a word of its own
    os.umask(0o077)  # what a run creates is for its owner, unless the code that creates it says otherwise
    signals.handle()
    code = run(sys.argv[1:] if arguments is None else arguments)
    signals.ignore()
    flush()
    signals.end(code, supervised=supervised)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    try:
        with audit_warnings():
            result = _application_for(arguments)(arguments, prog_name="llm-audit", standalone_mode=False)
    except TyperException as error:
        if message := error.format_message():
            stop = "" if message.endswith((".", "?", "!")) else "."
            fail(f"{message}{stop} See `{_command_path(arguments)} --help`.")
        return int(ExitCode.USAGE)
    except signals.Ended as error:
        fail(_INTERRUPTED)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        fail(_INTERRUPTED)
        return int(ExitCode.INTERRUPTED)
    except (BrokenPipeError, SystemExit) as error:
        return _ended(error)
    except BaseException as error:  # native code panics with what is no Exception
        if os.environ.get("LLM_AUDIT_DEBUG") and not isinstance(error, AuditError):
            raise
        code, message = explain(error)
        fail(message)
        return int(code)
    if result == ExitCode.INTERRUPTED:  # typer makes an exit code of Ctrl-C
        fail(_INTERRUPTED)
    return result if isinstance(result, int) else int(ExitCode.DONE)


def _command_path(arguments: list[str]) -> str:
    """Return the command that the arguments name, as far as they name one; an error does not always say it."""
    path, commands = ["llm-audit"], {*COMMANDS, *GROUPS}
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


def _ended(error: BaseException) -> int:
    """Return the exit code where typer ends the process: after completion, or when standard output was closed."""
    if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
        return int(error.code or 0)  # fish asks by this code whether there is anything to complete
    abandon_stdout()
    return int(ExitCode.CLOSED_PIPE)
