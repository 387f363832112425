"""The command line: one module a command.

Nothing heavy is imported here or at the top of a command's module, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from llm_audit import __version__
from llm_audit.cli.commands import (
    analyze,
    calibrate,
    compare,
    evaluate,
    explain,
    init,
    models,
    reconcile,
    report,
    sample,
    simulate,
)
from llm_audit.cli.console import abandon_stdout, fail
from llm_audit.cli.groups import cache, config, formats, policy, prices
from llm_audit.cli.version import details
from llm_audit.errors import AuditError, ExitCode

app = typer.Typer(
    name="llm-audit",
    help="Audit LLM traffic logs offline: what was spent, and what a small-by-default policy would have cost.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
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
        for line in details() if verbose else [f"llm-audit {__version__}"]:
            typer.echo(line)
        raise typer.Exit
    if verbose and context.invoked_subcommand is not None:
        raise typer.BadParameter("-v before a command goes with --version only; see the command's own options.")
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(int(ExitCode.USAGE))


app.command("analyze")(analyze.analyze)
app.command("check")(compare.check)
app.command("diff")(compare.diff)
app.command("report")(report.report)
app.command("init")(init.init)
app.command("reconcile")(reconcile.reconcile)
app.command("simulate")(simulate.simulate)
app.command("explain")(explain.explain)
app.command("trace")(explain.trace)
app.command("evaluate")(evaluate.evaluate)
app.command("calibrate")(calibrate.calibrate)
app.command("sample")(sample.sample)
app.command("models")(models.models)
app.add_typer(policy.app, name="policy")
app.add_typer(prices.app, name="prices")
app.add_typer(formats.app, name="formats")
app.add_typer(cache.app, name="cache")
app.add_typer(config.app, name="config")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with an exit code; no traceback ever reaches a user."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    try:
        result = app(arguments, prog_name="llm-audit", standalone_mode=False)
    except AuditError as error:
        fail(str(error))
        return int(error.exit_code)
    except TyperException as error:
        if message := error.format_message():
            fail(f"{message} See `llm-audit --help`.")
        return int(ExitCode.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        fail("Interrupted; no report was written.")
        return int(ExitCode.INTERRUPTED)
    except (BrokenPipeError, SystemExit) as error:
        return _ended(error)
    except Exception as error:
        if os.environ.get("LLM_AUDIT_DEBUG"):
            raise
        fail(
            f"Internal error: {type(error).__name__}. This is a fault of llm-audit, not of your logs; "
            "LLM_AUDIT_DEBUG=1 shows the details for a bug report."
        )
        return int(ExitCode.INTERNAL)
    return result if isinstance(result, int) else int(ExitCode.DONE)


def _ended(error: BaseException) -> int:
    """The exit code where typer ends the process itself: after completion, or as standard output has no reader."""
    if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
        return int(error.code or 0)  # fish asks by this code whether there is anything to complete
    abandon_stdout()
    return int(ExitCode.CLOSED_PIPE)
