"""DuckDB's files, through its own library, which runs in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from llm_audit.sources.databases.address import Address
from llm_audit.sources.databases.driver import Connection, Described, Driver, Failure, Page, described

_TABLES = """
SELECT c.schema_name, c.table_name, c.column_name,
coalesce(list_contains(k.constraint_column_names, c.column_name), false)
FROM duckdb_columns() c LEFT JOIN duckdb_constraints() k ON k.table_oid = c.table_oid
AND k.database_name = c.database_name AND k.constraint_type = 'PRIMARY KEY'
WHERE NOT c.internal AND c.database_name = current_database() ORDER BY 1, 2, c.column_index
"""


class _Connection(Connection):
    def __init__(self, address: Address) -> None:
        import duckdb

        if not Path(address.database).is_file():  # DuckDB would name the folder and other files in it
            raise duckdb.IOException(f"no such file: {address.database}")
        self._open = duckdb.connect(address.database, read_only=True, config={"enable_external_access": "false"})
        self._open.execute("SET TimeZone = 'UTC'")

    def page(self, sql: str, parameters: Sequence[Any] = ()) -> Page:
        found = self._open.execute(sql, list(parameters))
        return Page([column[0] for column in found.description or ()], found.fetchall())

    def pages(self, sql: str, size: int) -> Iterator[Page]:
        found = self._open.execute(sql)
        names = [column[0] for column in found.description or ()]
        while rows := found.fetchmany(size):
            yield Page(names, rows)

    def close(self) -> None:
        self._open.close()


class _DuckDB(Driver):
    name = "DuckDB"
    library = "duckdb"
    extra = "duckdb"
    grant = "chmod +r on the file"
    nested = True

    def connect(self, address: Address) -> Connection:
        return _Connection(address)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import duckdb

        return (duckdb.Error,)

    def failure(self, error: Exception) -> Failure:
        message = str(error)
        if "Permission denied" in message:
            return Failure.DENIED
        return Failure.MISSING if "no such file" in message or "Catalog Error" in message else Failure.OTHER

    def tables(self, connection: Connection) -> list[Described]:
        return described(connection.page(_TABLES).rows)

    def size(self, expression: str) -> str:
        return f"strlen(CAST({expression} AS VARCHAR))"


DRIVER = _DuckDB()
