"""Where rendered documents go: files by their suffix, and standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from llm_audit.cli import console

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.audit.document import Document


def check_formats(files: Sequence[Path], output_format: str | None) -> None:
    """Refuse an unknown suffix or format before any work is done."""
    from llm_audit.report import registry

    for path in files:
        registry.by_suffix(path)
    if output_format is not None and output_format != "terminal":
        registry.get(output_format)


def write_documents(document: Document, files: Sequence[Path], *, requests: pl.DataFrame | None = None) -> None:
    """Write a report to each file, whole or not at all, in the format of its suffix."""
    from llm_audit.files import write_whole
    from llm_audit.report import registry

    for path in files:
        renderer = registry.by_suffix(path)
        write_whole(path, registry.render(document, renderer.name, requests=requests))
        console.say(f"Wrote {path}")


def print_document(
    document: Document,
    output_format: str | None,
    *,
    requests: pl.DataFrame | None = None,
    quiet: bool = False,
    details: bool = False,
) -> None:
    """Print the format asked for on standard output; the terminal report where none is."""
    if output_format is not None and output_format != "terminal":
        from llm_audit.report import registry

        stdout = typer.get_binary_stream("stdout")
        stdout.write(registry.render(document, output_format, requests=requests))
        stdout.flush()
    elif not quiet:
        from rich.console import Console

        from llm_audit.report.terminal import print_report

        print_report(document, Console(), details=details)
