"""The command line: one module a command.

To add a command, write its module in ``commands`` with a function of the same name, add the name to ``COMMANDS``, and
test it in ``tests/cli/commands``; a command with subcommands goes to ``groups`` and ``GROUPS``. Options that several
commands share are in ``options``. ``scripts/build_reference.py`` then adds it to ``docs/cli.md``.

Nothing heavy is imported here or at the top of a command's module, and only the command that is run is imported and
built. ``--help`` and ``--version`` answer before typer is imported, see ``root``.
"""

from __future__ import annotations

import gc
import os
import sys

from llm_audit.cli import signals
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


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with an exit code; no traceback ever reaches a user."""
    from llm_audit.cli.root.help import answer

    given = sys.argv[1:] if arguments is None else arguments
    open_standard_streams()
    known = answer(given)
    supervised = known is None and signals.supervise()  # what is known needs no process to watch over it
    gc.set_threshold(200_000)  # what is loaded stays: to search it for cycles again and again takes a tenth of a start
    if "_LLM_AUDIT_COMPLETE" in os.environ:
        os.environ["COLUMNS"] = "1000"  # shells take every line of a description for a word of its own
    os.umask(0o077)  # what a run creates is for its owner, unless the code that creates it says otherwise
    signals.handle()
    code = _run(given, known)
    signals.ignore()
    flush()
    signals.end(code, supervised=supervised)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    from llm_audit.cli.root.help import answer

    return _run(arguments, answer(arguments))


def _run(arguments: list[str], known: str | None) -> int:
    """Run the command line, whose answer may be known, and return its exit code."""
    try:
        if known is not None:
            print(known, flush=True)  # noqa: T201 - does nothing where standard output is closed
            return int(ExitCode.DONE)
        from llm_audit.cli.root.application import invoke

        with audit_warnings():
            result = invoke(arguments)
    except signals.Ended as error:
        fail(_INTERRUPTED)
        return error.exit_code
    except KeyboardInterrupt:
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
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def _ended(error: BaseException) -> int:
    """Return the exit code where typer ends the process: after completion, or when standard output was closed."""
    if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
        return int(error.code or 0)  # fish asks by this code whether there is anything to complete
    abandon_stdout()
    return int(ExitCode.CLOSED_PIPE)
