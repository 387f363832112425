"""Rows of a table as records: those of the SQLite database of the ``llm`` tool."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from llm_audit.sources.decode import Item
from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files.storage import Source

_LOCK_SECONDS = 5.0  # to wait for a database that another program has locked
_SQLITE_ROWS = "SELECT * FROM responses ORDER BY rowid"

_OF_NO_KNOWN_TABLE = Rejected(
    Reason.UNKNOWN_FORMAT,
    note="it is an SQLite database without a table of a known log; sqlite://PATH#TABLE reads one of its tables",
)

_ZED = Rejected(
    Reason.UNKNOWN_FORMAT,
    note="it holds Zed's threads, compressed as they are, which are not read",
)
_IS_ZED = "SELECT count(*) FROM pragma_table_info('threads') WHERE name IN ('data_type', 'summary')"

Row = tuple[int, Item]
"""Line or row number from 1, and the row."""


def sqlite_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of the table ``responses`` of a database on disk, in the order they were written."""
    number = 0
    try:
        with closing(sqlite3.connect(f"{Path(source.path).as_uri()}?mode=ro", _LOCK_SECONDS, uri=True)) as database:
            database.row_factory = sqlite3.Row
            for number, row in enumerate(database.execute(_SQLITE_ROWS), 1):
                yield number, {name: plain(row[name]) for name in row.keys() if row[name] is not None}  # noqa: SIM118
    except sqlite3.Error as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            yield (
                number + 1,
                Rejected(Reason.UNREADABLE, note="another program has locked it; try again when it is done"),
            )
        elif error.sqlite_errorcode == sqlite3.SQLITE_ERROR and not number:  # it has no such table
            yield 1, _ZED if _is_zed(source.path) else _OF_NO_KNOWN_TABLE
        else:
            yield number + 1, Rejected(Reason.TRUNCATED, note="the database is damaged")


def _is_zed(path: str) -> bool:
    try:
        with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as database:
            return bool(database.execute(_IS_ZED).fetchone()[0] == 2)
    except sqlite3.Error:
        return False


def plain(value: Any) -> Any:
    """Convert values of types that JSON does not have to those that adapters expect; times stay times."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        # Arrow gives a map as a list of pairs.
        if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
            return {str(key): plain(item) for key, item in value}
        return [plain(item) for item in value]
    return value
