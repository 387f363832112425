"""``llm-audit formats``: the log formats, and the detection of a file's format."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from llm_audit.cli import console, options
from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import ExitCode, IncompleteError, UsageError

app = typer.Typer(invoke_without_command=True)


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
def detect(paths: options.Paths, *, key_date: options.KeyDate = None, output_format: ListFormat = "table") -> int:
    """Show the format of each file and why, or what a place in an object store holds.

    Of a store only the listing and the beginnings of a few objects are read. Exits with 3 when no format was found or
    one was not recognised.
    """
    from llm_audit.sources.files.stores.address import is_remote

    remote = [path for path in paths if is_remote(path)]
    if not remote:
        return _detect_files(paths, output_format)
    if len(remote) < len(paths):
        raise UsageError("Give either files or addresses in object stores, since what is shown of them differs.")
    return _detect_places(remote, key_date, output_format)


def _detect_files(paths: list[str], output_format: str) -> int:
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


def _detect_places(addresses: list[str], key_date: str | None, output_format: str) -> int:
    from llm_audit.sources.detect import survey

    places = [survey(address, key_date=key_date) for address in addresses]
    rows = [
        {
            "path": group.path,
            "objects": group.objects,
            "bytes": group.size_bytes,
            "format": ", ".join(group.formats) or None,
            "container": group.container,
            "compression": group.compression,
            "first day": group.first_day,
            "last day": group.last_day,
            "requests": group.requests,
            "reason": f"{group.looked_at} looked at: {group.reason}",
        }
        for place in places
        for group in place.groups
    ]
    show(rows, output_format, numeric=("objects", "bytes", "requests"))
    for place in places:
        for note in place.notes:
            console.say(note)
        console.say(
            f"{place.address}: {place.objects:,} objects, {place.size_bytes:,} bytes. Reading them takes about "
            f"{place.requests:,} requests ({_dollars(place.requests_cost_usd)} at list price); the bytes cost nothing "
            f"within the store's region, and {_dollars(place.internet_cost_usd)} over the internet."
        )
    known = bool(rows) and all(group.formats for place in places for group in place.groups)
    return int(ExitCode.DONE if known else ExitCode.INCOMPLETE)


def _dollars(amount: Decimal) -> str:
    return f"${amount:,.2f}" if amount >= Decimal("0.01") or not amount else "under $0.01"


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
