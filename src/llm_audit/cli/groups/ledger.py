"""``llm-audit ledger``: look after a ledger that ``analyze --update`` keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import ExitCode

if TYPE_CHECKING:
    from datetime import datetime

app = typer.Typer(
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder.")]


@app.command("stat")
def stat(folder: Folder, *, output_format: ListFormat = "table") -> None:
    """Show what a ledger holds, and what the next update would read."""
    from llm_audit import engines

    size = engines.ledger_size(folder)
    rows = {
        "requests": size.requests,
        "first request": _time(size.first),
        "last request": _time(size.last),
        "inputs": size.inputs,
        "inputs no longer there": size.missing,
        "parts": size.parts,
        "bytes of parts": size.parts_bytes,
        "bytes of requests": size.requests_bytes,
        "inputs to read": size.new_inputs,
        "bytes to read": size.new_bytes,
    }
    if output_format == "json":
        show([rows], output_format)
        return
    unknown = "unknown: the logs cannot be listed from here"
    described = {name: unknown if value is None and name.endswith("to read") else value for name, value in rows.items()}
    show([{"of the ledger": name, "": _number(value)} for name, value in described.items()], output_format)


@app.command("compact")
def compact(folder: Folder) -> None:
    """Join small parts of a ledger. Its requests and their files stay as they are."""
    from llm_audit import engines

    before, after = engines.compact_ledger(folder)
    typer.echo(f"Joined {before:,} parts of {folder} into {after:,}")


@app.command("verify")
def verify(folder: Folder) -> int:
    """Check every file of a ledger against its checksum. Exits with 3 where one is missing or damaged."""
    from llm_audit import engines
    from llm_audit.cli import console

    damaged = engines.damage_of_ledger(folder)
    for name in damaged:
        typer.echo(name)
    if not damaged:
        typer.echo(f"{folder} is whole")
        return int(ExitCode.DONE)
    files = "1 file" if len(damaged) == 1 else f"{len(damaged):,} files"
    console.fail(
        f"Missing or damaged in {folder}: {files}. Run `llm-audit analyze PATH… --ledger {folder} --update`, which "
        "makes them again from the logs that are still there."
    )
    return int(ExitCode.INCOMPLETE)


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")


def _number(value: object) -> object:
    return f"{value:,}" if isinstance(value, int) else value
