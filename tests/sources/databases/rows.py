"""What a database's reader yields."""

from __future__ import annotations

from typing import Any

from llm_audit.sources.databases import EVERYTHING, Selection, TableReader, parse, tables


def rows_of(uri: str, selection: Selection = EVERYTHING) -> list[Any]:
    """Return the records and rejections of all tables, in order."""
    found, _ = tables(parse(uri), selection)
    return [item for table in found for within in table.ranges for _, item in TableReader(table, within)]
