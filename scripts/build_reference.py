"""Build docs/cli.md: the ``--help`` of every command, as the program prints it.

    python scripts/build_reference.py

The pages are printed by a process of its own with a fixed width and no colour, so that they do not depend on the
terminal, on variables such as ``GITHUB_ACTIONS`` or ``FORCE_COLOR``, or on what has been imported before.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import typer

from llm_audit import cli
from llm_audit.cli.root.application import application

OUT = Path(__file__).parent.parent / "docs/cli.md"
WIDTH = 100
_KEPT = ("PATH", "HOME", "SYSTEMROOT", "PYTHONPATH")  # what finds Python and the sources
INTRODUCTION = """\
# Command line

Every command with its options, as `--help` prints it. `make reference` rebuilds this page.

The report goes to standard output; summary, progress, warnings and errors go to standard error.
[CI](ci.md#exit-codes) lists the exit codes. An option wins over `LLM_AUDIT_<NAME>` in the environment, which wins over
`llm-audit.toml` or `[tool.llm-audit]` in `pyproject.toml`, the nearest upwards from the working folder;
`llm-audit config show` tells where each value is from, and [a schema](schemas/config.schema.json) lists the settings.

`llm-audit --install-completion` sets up completion for the shell it is run from: bash, zsh or fish. To set it up by
hand, keep what `_LLM_AUDIT_COMPLETE=source_zsh llm-audit` prints (or `source_bash`, `source_fish`) where your shell
reads it.
"""


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that help lists, with its path: a group, then its commands, in help's order."""
    command = typer.main.get_command(application()) if command is None else command
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from commands(inner, (*path, name))


def build() -> str:
    """Return the page, built in a process with a fixed environment."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    plain = {"COLUMNS": str(WIDTH), "TERM": "dumb", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    command = [sys.executable, str(Path(__file__).resolve()), "--print"]
    return subprocess.run(command, env=kept | plain, capture_output=True, check=True).stdout.decode()  # noqa: S603 - this script


def _page() -> str:
    sections = [INTRODUCTION]
    for path, _ in commands():
        title = " ".join(("llm-audit", *path))
        sections.append(f"## {title}\n\n```text\n{_help(path)}\n```\n")
    return "\n".join(sections)


def _help(path: tuple[str, ...]) -> str:
    with redirect_stdout(io.StringIO()) as printed:
        code = cli.run([*path, "--help"])
    if code:
        raise RuntimeError(f"llm-audit {' '.join(path)} --help ended with {code}.")
    return "\n".join(line.rstrip() for line in printed.getvalue().strip("\n").splitlines()).strip("\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(_page())
    else:
        OUT.write_text(build(), encoding="utf-8")
