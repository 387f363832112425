"""Databases that are files: recognised by their first bytes, so that their path is enough."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

_DUCKDB = b"DUCK"  # after a checksum of eight bytes
_SQLITE = b"SQLite format 3\0"
_LLM_LOGS = "responses"  # of simonw/llm, which is read as a file


def uri_of_file(path: str) -> str | None:
    """Return the URI of a file that holds a database of calls; None where it is read as any other file."""
    if not Path(path).is_file():  # to open a pipe would wait for its writer
        return None
    try:
        with Path(path).open("rb") as file:
            first = file.read(len(_SQLITE))
    except OSError:  # which its reader will say
        return None
    if first[8:12] == _DUCKDB:
        return f"duckdb://{quote(path)}"
    return f"sqlite://{quote(path)}" if first == _SQLITE and _has_known_table(path) else None


def _has_known_table(path: str) -> bool:
    from llm_audit.sources.databases.schemas import SCHEMAS

    known = {schema.table for schema in SCHEMAS if "sqlite" in schema.drivers}
    try:
        with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as database:
            names = {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    except sqlite3.Error:
        return False
    return _LLM_LOGS not in names and not known.isdisjoint(names)
