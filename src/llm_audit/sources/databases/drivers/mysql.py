"""MySQL and MariaDB, through PyMySQL. Values stay the text that the server sends, but for numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
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

_OPTION_FILE = "~/.my.cnf"
_TABLES = """
SELECT table_schema, table_name, column_name, column_key = 'PRI' FROM information_schema.columns
WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
AND (database() IS NULL OR table_schema = database()) ORDER BY table_schema, table_name, ordinal_position
"""
_FAILURES = {
    Failure.LOGIN: {1044, 1045, 1698, 1862, 2059},
    Failure.DENIED: {1142, 1143, 1227, 1370},
    Failure.MISSING: {1049, 1054, 1146},
    Failure.LOST: {1040, 1053, 1129, 1158, 1159, 1160, 1161, 1205, 1213, 1927, 2006, 2013, 2014, 3024},
    Failure.UNREACHABLE: {2002, 2003, 2005},
    Failure.TOO_LARGE: {1153, 2020},
}
"""The numbers of errors, as MySQL and MariaDB document them, by their kind."""


class _Connection(Connection):
    def __init__(self, address: Address) -> None:
        import pymysql
        from pymysql.constants import FIELD_TYPE
        from pymysql.converters import conversions

        numbers = (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.INT24)
        floats = (FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE, FIELD_TYPE.YEAR)
        # Numbers become numbers, and parameters are escaped; times and decimals stay text.
        kept = {
            kind: convert
            for kind, convert in conversions.items()
            if kind in {*numbers, *floats} or isinstance(kind, type)
        }
        options = dict(address.options)
        file = Path(_OPTION_FILE).expanduser()
        self._open = pymysql.connect(
            host=address.host or "localhost",
            port=address.port or 3306,
            user=address.user,
            password=os.environ.get("MYSQL_PWD", "") if address.password is None else address.password,
            database=address.database or None,
            unix_socket=options.get("unix_socket") or options.get("socket"),
            ssl_ca=options.get("ssl_ca"),
            ssl_verify_cert="ssl_ca" in options or None,
            read_default_file=str(file) if address.password is None and file.is_file() else None,
            charset="utf8mb4",
            connect_timeout=CONNECT_SECONDS,
            autocommit=True,
            conv=kept,
        )
        for setting in ("SESSION TRANSACTION READ ONLY", "time_zone = '+00:00'"):
            self.page(f"SET {setting}")

    def page(self, sql: str, parameters: Sequence[Any] = ()) -> Page:
        with self._open.cursor() as cursor:
            cursor.execute(sql, tuple(parameters) or None)
            return Page([column[0] for column in cursor.description or ()], list(cursor.fetchall()))

    def pages(self, sql: str, size: int) -> Iterator[Page]:
        from pymysql.cursors import SSCursor

        with self._open.cursor(SSCursor) as cursor:
            cursor.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            while rows := cursor.fetchmany(size):
                yield Page(names, rows)

    def close(self) -> None:
        self._open.close()


class _MySQL(Driver):
    name = "MySQL"
    library = "pymysql"
    extra = "mysql"
    password_from = "MYSQL_PWD or ~/.my.cnf"  # noqa: S105 - the places, not a password

    def connect(self, address: Address) -> Connection:
        return _Connection(address)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import pymysql

        return (pymysql.err.Error, ConnectionError, TimeoutError)

    def failure(self, error: Exception) -> Failure:
        number = error.args[0] if error.args else 0
        if number == 0 or not isinstance(number, int) or isinstance(error, ConnectionError | TimeoutError):
            return Failure.LOST  # PyMySQL says (0, "") of a connection that was closed
        return next((failure for failure, numbers in _FAILURES.items() if number in numbers), Failure.OTHER)

    def message(self, error: Exception) -> str:
        return str(error.args[1]) if len(error.args) > 1 and error.args[1] else "the connection was closed"

    def tables(self, connection: Connection) -> list[Described]:
        return described(connection.page(_TABLES).rows)

    def quote(self, identifier: str) -> str:
        return "`" + identifier.replace("`", "``") + "`"

    def placeholder(self, _number: int) -> str:
        return "%s"

    def rows_of(self, connection: Connection, sql: str, parameters: Sequence[Any]) -> int:
        plan = connection.page(f"EXPLAIN {sql}", parameters)
        return max(int(row[plan.names.index("rows")] or 0) for row in plan.rows)


DRIVER = _MySQL()
