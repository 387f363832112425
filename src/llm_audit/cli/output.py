"""Deliver rendered documents to files, by their suffix, and to standard output."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from llm_audit.cli import console
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.document.audit import Document
    from llm_audit.document.comparison import CheckResult
    from llm_audit.report.interface import Frames


NUMBER = "*"
"""Where it stands in a file's name, each part of the log has a file with its number there."""


def check_formats(
    files: Sequence[Path], output_format: str | None, *, requests: bool = True, check: bool = False
) -> None:
    """Check before any work that every report can be rendered.

    Raises:
        UsageError: A format is unknown, or needs input that the command does not have.
    """
    from llm_audit.report import registry

    renderers = [registry.by_suffix(path) for path in files]
    for path, renderer in zip(files, renderers, strict=True):
        if NUMBER in path.name and not (renderer.divisible and requests and path.name.count(NUMBER) == 1):
            raise UsageError(
                f"{path}: a * stands for the number of a part of the log. Only csv, parquet and focus have a file for "
                "each part, and only where logs or a ledger are read; leave it out."
            )
    if output_format is not None and output_format != "terminal":
        renderers.append(registry.get(output_format))
    for renderer in renderers:
        registry.require(renderer, requests=requests, check=check)


def deliver(
    document: Document,
    files: Sequence[Path],
    output_format: str | None,
    *,
    frames: Frames | None = None,
    check: CheckResult | None = None,
    quiet: bool = False,
    details: bool = False,
) -> None:
    """Print the requested format, or the terminal report by default, and write a report to each file.

    Gates are also added as Markdown to the file that GITHUB_STEP_SUMMARY names.

    Args:
        document: The audit to render.
        files: The files to write, atomically, each in the format of its suffix; with ``NUMBER``, one for each part.
        output_format: The format to print on standard output.
        frames: The rows per request, for the formats that have them.
        check: A comparison or gates, for the formats that show them.
        quiet: Print nothing but ``output_format``.
        details: Print the full terminal report, not just its first screen.
    """
    from llm_audit.files import write_atomically
    from llm_audit.report import registry
    from llm_audit.report.interface import Options

    options = Options(check=check)
    closed_pipe: BrokenPipeError | None = None
    try:
        if output_format is not None and output_format != "terminal":
            written = registry.render(document, output_format, frames=frames, options=options)
            with _standard_output():
                typer.get_binary_stream("stdout").write(written)
        elif not quiet:
            with _standard_output():
                _print(document, check, details=details)
    except BrokenPipeError as error:  # a reader such as `head` went away, but the files are still wanted
        closed_pipe = error
    if check is not None and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        _append(Path(summary), registry.render(document, "markdown", frames=frames, options=options))
    for path in files:
        if NUMBER in path.name and frames is not None and frames.parts is not None:
            _write_parts(document, path, frames.parts())
        else:
            name = registry.by_suffix(path).name
            write_atomically(path, registry.render(document, name, frames=frames, options=options))
        if not quiet:
            console.say(f"Wrote {path}")
    if closed_pipe is not None:
        raise closed_pipe


def _write_parts(document: Document, pattern: Path, parts: Iterator[pl.DataFrame]) -> None:
    """Write a file for each part, one after another, and warn of files that an earlier audit has left."""
    from llm_audit.files import write_atomically
    from llm_audit.report import registry

    name, written = registry.by_suffix(pattern).name, set()
    for number, part in enumerate(parts, 1):
        path = pattern.with_name(pattern.name.replace(NUMBER, f"{number:06d}"))
        write_atomically(path, registry.render(document, name, frames=_frames_of(part)))
        written.add(path)
    numbered = glob.escape(pattern.name).replace(glob.escape(NUMBER), "[0-9]" * 6)
    for left in sorted(set(pattern.parent.glob(numbered)) - written):
        console.warn(f"{left} is not of this audit; remove it, or what reads these files counts it too.")


def _frames_of(part: pl.DataFrame) -> Frames:
    from llm_audit.report.interface import Frames

    return Frames(make=lambda: part)


def _append(path: Path, summary: bytes) -> None:
    """Append the gates' report to a CI job's summary, which other steps write to as well."""
    try:
        with path.open("ab") as file:
            file.write(summary)
    except OSError as error:
        console.warn(f"Cannot write the step summary {path}: {error.strerror}.")


@contextmanager
def _standard_output() -> Iterator[None]:
    """Report a failure to write to standard output as a usage error, except a closed pipe."""
    if sys.stdout is None or sys.stdout.closed:
        raise UsageError("Standard output is closed. Open it, or write a report with -o FILE and -q.")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except SystemExit as error:  # raised by rich when the pipe is closed
        if isinstance(error.__context__, BrokenPipeError):
            raise error.__context__ from None
        raise
    except OSError as error:
        console.abandon_stdout()
        raise UsageError(f"Cannot write to standard output: {error.strerror}. Write a report with -o FILE.") from None


def _print(document: Document, check: CheckResult | None, *, details: bool) -> None:
    from rich.console import Console

    if check is None:
        from llm_audit.report.terminal.screen import print_report

        print_report(document, Console(), details=details)
    else:
        from llm_audit.report.terminal.check import print_check

        print_check(check, Console())
