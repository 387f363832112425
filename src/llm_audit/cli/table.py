"""Lists on standard output: a table for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from llm_audit.cli.console import plain
from llm_audit.errors import UsageError

ListFormat = Annotated[str, typer.Option("--format", "-f", help="table or json.")]


def show(rows: Sequence[dict[str, Any]], output_format: str, *, numeric: Sequence[str] = ()) -> None:
    """Print rows with the same keys. Wide rows are not cut, so that they can be scrolled or piped.

    Args:
        rows: One dictionary per row; the keys of the first are the columns.
        output_format: ``table`` or ``json``.
        numeric: Columns to align to the right.

    Raises:
        UsageError: There is no such format.
    """
    if output_format == "json":
        sys.stdout.write(json.dumps(list(rows), indent=2, ensure_ascii=False, default=str) + "\n")
        return
    if output_format != "table":
        raise UsageError(f"There is no list format {output_format!r}; use table or json.")
    if not rows:
        return
    names = list(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(line[at]) for line in [names, *cells]) for at in range(len(names))]
    for line in [names, *cells]:
        padded = [
            text.rjust(width) if name in numeric else text.ljust(width)
            for name, text, width in zip(names, line, widths, strict=True)
        ]
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def show_parts(
    parts: Mapping[str, Sequence[dict[str, Any]]], output_format: str, *, numeric: Sequence[str] = ()
) -> None:
    """Print several lists, one below the other, or as one JSON object; an empty list is left out of the tables.

    Args:
        parts: Rows by the name of their list.
        output_format: ``table`` or ``json``.
        numeric: Columns to align to the right.

    Raises:
        UsageError: There is no such format.
    """
    if output_format == "json":
        sys.stdout.write(json.dumps(parts, indent=2, ensure_ascii=False, default=str) + "\n")
        return
    filled = [rows for rows in parts.values() if rows]
    for place, rows in enumerate(filled):
        show(rows, output_format, numeric=numeric)
        if place < len(filled) - 1:
            sys.stdout.write("\n")


def _cell(value: Any) -> str:
    """Write a value as one line of printable text: names may come from a log."""
    text = "" if value is None else ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return plain(text).replace("\n", "�")
