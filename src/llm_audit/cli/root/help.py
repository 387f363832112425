"""The answers that need no command: the list of commands and the version.

They are given without typer, which takes three times as long to load as all else here; ``application`` declares the
same words to typer, and a test compares what the two print at every width.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from llm_audit import __version__
from llm_audit.cli import COMMANDS, GROUPS

PROGRAM = "llm-audit"
PURPOSE = "Audit LLM traffic logs offline: what was spent, and what a small-by-default policy would have cost."
VERSION = "Print the version and exit."
VERBOSE = "With --version: also Python, compiled code, price table and classifier."
MOST_COLUMNS = 100
"""The widest line of help."""

_LEAST_COLUMNS = 50
_MARGIN = 2
_OPTIONS = {
    "-V, --version": VERSION,
    "-v, --verbose": VERBOSE,
    "--install-completion": "Install completion for the current shell.",
    "--show-completion": "Show completion for the current shell, to copy it or customize the installation.",
    "-h, --help": "Show this message and exit.",
}


def answer(arguments: Sequence[str]) -> str | None:
    """Return what the program prints for these arguments; None where that takes more than this module."""
    if "_LLM_AUDIT_COMPLETE" in os.environ:  # a shell asks what would complete them
        return None
    match arguments:
        case ["--help" | "-h"]:
            return "\n".join(_help(max(_columns() - _MARGIN, _LEAST_COLUMNS)))
        case ["--version" | "-V"]:
            return version()
    return None


def version() -> str:
    """Return the program's name and version."""
    return f"{PROGRAM} {__version__}"


def _columns() -> int:
    return min(shutil.get_terminal_size().columns, MOST_COLUMNS)


def _help(width: int) -> Iterator[str]:
    indent = " " * _MARGIN
    yield f"Usage: {PROGRAM} [OPTIONS] COMMAND [ARGS]...\n"
    yield textwrap.fill(PURPOSE, width, initial_indent=indent, subsequent_indent=indent)
    yield "\nOptions:"
    yield from _listed(_OPTIONS, width)
    yield "\nCommands:"
    yield from _listed(COMMANDS | GROUPS, width)


def _listed(items: Mapping[str, str], width: int) -> Iterator[str]:
    """Yield names in a column, each with its explanation beside it."""
    column = max(map(len, items)) + 2 * _MARGIN
    for name, words in items.items():
        beside = f"\n{' ' * column}".join(textwrap.wrap(words, width - column))
        yield f"{' ' * _MARGIN}{name}".ljust(column) + beside
