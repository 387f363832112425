"""Databases as sources: their tables are read where they are, and nothing is written to them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from llm_audit.sources.databases.address import is_database, parse, shown
from llm_audit.sources.databases.files import uri_of_file
from llm_audit.sources.databases.selection import EVERYTHING, Selection
from llm_audit.sources.databases.table import Table

if TYPE_CHECKING:
    from llm_audit.sources.databases.increments import OVERLAP_HOURS, Slice, count_rows, increment
    from llm_audit.sources.databases.plan import tables
    from llm_audit.sources.databases.reader import TableReader
    from llm_audit.sources.databases.schemas import checked

__all__ = [
    "EVERYTHING",
    "OVERLAP_HOURS",
    "Selection",
    "Slice",
    "Table",
    "TableReader",
    "checked",
    "count_rows",
    "increment",
    "is_database",
    "parse",
    "shown",
    "tables",
    "uri_of_file",
]

_MODULES = {
    "OVERLAP_HOURS": "increments",
    "Slice": "increments",
    "TableReader": "reader",
    "checked": "schemas",
    "count_rows": "increments",
    "increment": "increments",
    "tables": "plan",
}


def __getattr__(name: str) -> Any:
    """Import on first use: a run that reads no database does without drivers and schemas."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
