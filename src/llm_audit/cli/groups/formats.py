"""``llm-audit formats``: the log formats, and the detection of a file's format."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from llm_audit.cli import options
from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import ExitCode, IncompleteError, UsageError

app = typer.Typer(help="List the log formats, or detect that of a file.", invoke_without_command=True)


@app.callback()
def formats(context: typer.Context, *, output_format: ListFormat = "table") -> None:
    """List every log format with the fields it provides and the evidence its reader was checked against.

    Under "databases" are those whose tables are read, and what that was checked with: a server, the engine alone, or
    documentation.
    """
    if context.invoked_subcommand is not None:
        return
    from llm_audit.sources.databases import checked
    from llm_audit.sources.formats.registry import all_formats

    in_databases = checked()
    rows = [
        {
            "name": form.info.name,
            "title": form.info.title,
            "checked against": form.info.evidence.value,
            "databases": in_databases.get(form.info.name, []),
            "tells": list(form.info.tells),
            "notes": form.info.notes,
        }
        for form in all_formats()
    ]
    if output_format == "table":
        rows = [{name: value for name, value in row.items() if name != "notes"} for row in rows]
    show(rows, output_format)


@app.command()
def detect(paths: options.Paths, *, output_format: ListFormat = "table") -> int:
    """Show the format of each file and why. Ends with 3 when none was found or one was not recognised."""
    from llm_audit.sources.databases import shown
    from llm_audit.sources.detect import explain

    found = explain(paths)
    if not found:
        raise IncompleteError(
            f"No file to detect was found in {', '.join(map(shown, paths))}. Give files or folders with logs."
        )
    rows = [
        {
            "path": item.path,
            "format": item.detection.format.info.name if item.detection.format else None,
            "container": item.container,
            "compression": item.compression,
            "reason": item.reason,
        }
        for item in found
    ]
    show(rows, output_format)
    known = all(item.detection.format for item in found)
    return int(ExitCode.DONE if known else ExitCode.INCOMPLETE)


@app.command()
def suggest(file: Annotated[Path, typer.Argument(metavar="FILE", help="A log of an unknown format.")]) -> None:
    """Draft a mapping for a log of an unknown format, to complete by hand in llm-audit.toml."""
    from llm_audit.sources.first_records import sample
    from llm_audit.sources.mapping_draft import suggest as draft

    records = sample(file)
    if not records:
        raise UsageError(
            f"{file} holds no record to draft a mapping from. Give a log of JSON objects, CSV, Parquet or SQLite rows; "
            "`llm-audit formats detect PATH` shows what a file is."
        )
    sys.stdout.write(draft(records))
