"""Where rendered documents go: files by their suffix, and standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from llm_audit.cli import console

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.audit.compare_result import CheckResult
    from llm_audit.audit.document import Document


def check_formats(files: Sequence[Path], output_format: str | None) -> None:
    """Refuse an unknown suffix or format before any work is done."""
    from llm_audit.report import registry

    for path in files:
        registry.by_suffix(path)
    if output_format is not None and output_format != "terminal":
        registry.get(output_format)


def deliver(
    document: Document,
    files: Sequence[Path],
    output_format: str | None,
    *,
    requests: pl.DataFrame | None = None,
    check: CheckResult | None = None,
    quiet: bool = False,
    details: bool = False,
) -> None:
    """Print the format asked for, the terminal report where none is, and write a report to each file.

    Args:
        document: What to render.
        files: Each is written whole or not at all, in the format of its suffix.
        output_format: What to print on standard output.
        requests: Rows per request, for the formats that have them.
        check: A comparison or gates, for the formats that show them.
        quiet: Print nothing that was not asked for by ``output_format``.
        details: The whole terminal report, not its first screen.
    """
    from llm_audit.files import write_whole
    from llm_audit.report import registry
    from llm_audit.report.interface import Frames, Options

    frames = None if requests is None else Frames(requests=requests)
    options = Options(check=check)
    if output_format is not None and output_format != "terminal":
        stdout = typer.get_binary_stream("stdout")
        stdout.write(registry.render(document, output_format, frames=frames, options=options))
        stdout.flush()
    elif not quiet:
        _print(document, check, details=details)
    for path in files:
        write_whole(path, registry.render(document, registry.by_suffix(path).name, frames=frames, options=options))
        console.say(f"Wrote {path}")


def _print(document: Document, check: CheckResult | None, *, details: bool) -> None:
    from rich.console import Console

    if check is None:
        from llm_audit.report.terminal import print_report

        print_report(document, Console(), details=details)
    else:
        from llm_audit.report.terminal_check import print_check

        print_check(check, Console())
