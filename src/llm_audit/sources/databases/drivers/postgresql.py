"""PostgreSQL, through psycopg. libpq looks for the password itself, in PGPASSWORD and ~/.pgpass.

Values stay the text that the server sends, but for numbers, truth values and arrays: what is JSON is decoded once, by
the format that reads it, and a time that Python cannot hold, such as ``infinity``, costs its own row only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from llm_audit.sources.databases.address import Address
from llm_audit.sources.databases.driver import (
    CONNECT_SECONDS,
    Connection,
    Described,
    Driver,
    Failure,
    Page,
    described,
)

_AS_TEXT = ("json", "jsonb", "numeric", "uuid", "date", "time", "timetz", "timestamp", "timestamptz", "interval")
_TABLES = """
SELECT n.nspname, c.relname, a.attname, coalesce(a.attnum = ANY (i.indkey), false)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
ORDER BY 1, 2, a.attnum
"""
_STATES = {
    "42501": Failure.DENIED,
    "3D000": Failure.MISSING,
    "3F000": Failure.MISSING,
    "42P01": Failure.MISSING,
    "42703": Failure.MISSING,
    "54": Failure.TOO_LARGE,
    "28": Failure.LOGIN,
    "08": Failure.LOST,
    "40": Failure.LOST,
    "53": Failure.LOST,
    "57P": Failure.LOST,
}
"""The kind of an error by how its SQLSTATE begins."""

_LOGIN = ("password authentication failed", "no password supplied", "role ", "no pg_hba.conf entry", "authentication")


class _Connection(Connection):
    def __init__(self, address: Address) -> None:
        import psycopg
        from psycopg.types.string import TextLoader

        options = {"application_name": "llm-audit", "connect_timeout": str(CONNECT_SECONDS), **dict(address.options)}
        given = {
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password,
            "dbname": address.database,
        }
        self._open = psycopg.connect(
            **{name: value for name, value in {**options, **given}.items() if value},
            autocommit=True,
            cursor_factory=psycopg.RawCursor,
        )
        for name in _AS_TEXT:
            self._open.adapters.register_loader(name, TextLoader)
        try:
            for setting in (
                "SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                "datestyle = 'ISO'",
                "timezone = 'UTC'",
            ):
                self._open.execute(f"SET {setting}")
        except psycopg.Error:
            self._open.close()
            raise

    def page(self, sql: str, parameters: Sequence[Any] = ()) -> Page:
        cursor = self._open.execute(sql, parameters)
        return Page([column.name for column in cursor.description or ()], cursor.fetchall())

    def pages(self, sql: str, size: int) -> Iterator[Page]:
        with self._open.transaction():
            self._open.execute(f"DECLARE llm_audit NO SCROLL CURSOR FOR {sql}")
            while True:
                page = self.page(f"FETCH FORWARD {size} FROM llm_audit")
                if not page.rows:
                    return
                yield page

    def close(self) -> None:
        self._open.close()


class _PostgreSQL(Driver):
    name = "PostgreSQL"
    library = "psycopg"
    extra = "postgres"
    password_from = "PGPASSWORD or ~/.pgpass"  # noqa: S105 - the places, not a password

    def connect(self, address: Address) -> Connection:
        return _Connection(address)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import psycopg

        return (psycopg.Error,)

    def failure(self, error: Exception) -> Failure:
        state = getattr(error, "sqlstate", None) or ""
        for begins, failure in _STATES.items():
            if state.startswith(begins):
                return failure
        return Failure.OTHER if state else self._while_connecting(str(error))

    def _while_connecting(self, message: str) -> Failure:
        """Tell errors without a code apart, which are those of connecting and of a connection that was cut."""
        if "does not exist" in message and "database" in message:
            return Failure.MISSING
        if any(words in message for words in _LOGIN):
            return Failure.LOGIN
        if "starting up" in message or "shutting down" in message or "too many clients" in message:
            return Failure.LOST
        return Failure.UNREACHABLE if message.startswith("connection") else Failure.LOST

    def tables(self, connection: Connection) -> list[Described]:
        return described(connection.page(_TABLES).rows)

    def placeholder(self, number: int) -> str:
        return f"${number}"

    def size(self, expression: str) -> str:
        # Of the stored value, which is compressed: it is known without reading the value.
        return f"pg_column_size({expression})"

    def rows_of(self, connection: Connection, sql: str, parameters: Sequence[Any]) -> int:
        plan = connection.page(f"EXPLAIN (FORMAT JSON) {sql}", parameters).rows[0][0]
        return int(json.loads(plan)[0]["Plan"]["Plan Rows"])


DRIVER = _PostgreSQL()
