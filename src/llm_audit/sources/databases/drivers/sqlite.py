"""SQLite's files, through Python's own library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from llm_audit.sources.databases.address import Address
from llm_audit.sources.databases.driver import Connection, Described, Driver, Failure, Page, described

_LOCK_SECONDS = 5.0  # to wait for a database that another program has locked
_TABLES = """
SELECT 'main', m.name, c.name, c.pk FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND c.hidden <> 1 ORDER BY m.name, c.cid
"""


class _Connection(Connection):
    def __init__(self, address: Address) -> None:
        place = Path(address.database).absolute().as_uri()
        self._open = sqlite3.connect(f"{place}?mode=ro", _LOCK_SECONDS, uri=True, check_same_thread=False)
        self._open.text_factory = lambda raw: raw.decode(errors="replace")

    def page(self, sql: str, parameters: Sequence[Any] = ()) -> Page:
        found = self._open.execute(sql, parameters)
        return Page([column[0] for column in found.description or ()], found.fetchall())

    def pages(self, sql: str, size: int) -> Iterator[Page]:
        found = self._open.execute(sql)
        names = [column[0] for column in found.description or ()]
        while rows := found.fetchmany(size):
            yield Page(names, rows)

    def close(self) -> None:
        self._open.close()


class _SQLite(Driver):
    name = "SQLite"
    library = "sqlite3"
    extra = ""
    grant = "chmod +r on the file"
    nested = True  # a column may hold values of any type

    def connect(self, address: Address) -> Connection:
        return _Connection(address)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return (sqlite3.Error,)

    def failure(self, error: Exception) -> Failure:
        code = getattr(error, "sqlite_errorcode", None)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Failure.LOST
        if code == sqlite3.SQLITE_CANTOPEN or "no such" in str(error):
            return Failure.MISSING
        return Failure.DENIED if code in (sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH) else Failure.OTHER

    def tables(self, connection: Connection) -> list[Described]:
        return described(connection.page(_TABLES).rows)

    def size(self, expression: str) -> str:
        return f"length(CAST({expression} AS BLOB))"

    def rows_of(self, connection: Connection, sql: str, parameters: Sequence[Any]) -> int:
        return int(connection.page(f"SELECT count(*) FROM ({sql})", parameters).rows[0][0])  # noqa: S608


DRIVER = _SQLite()
