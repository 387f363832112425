"""ClickHouse, through clickhouse-connect and its HTTP interface."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
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

_TABLES = """
SELECT database, table, name, is_in_sorting_key FROM system.columns
WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')
AND (currentDatabase() = 'default' OR database = currentDatabase()) ORDER BY database, table, position
"""
_SETTINGS = {
    "readonly": 2,  # may read, and choose settings
    "prefer_column_name_to_alias": 1,
    "session_timezone": "UTC",
    "optimize_read_in_order": 1,
}
_FAILURES = {
    Failure.LOGIN: {192, 193, 194, 516},
    Failure.DENIED: {164, 497},
    Failure.MISSING: {16, 47, 60, 81},
    Failure.LOST: {3, 159, 202, 203, 209, 210, 241, 242, 279, 999},
    Failure.TOO_LARGE: {128, 131},
}
"""The codes of errors (ErrorCodes.cpp of ClickHouse) by their kind."""


class _Connection(Connection):
    def __init__(self, address: Address) -> None:
        from clickhouse_connect import common
        from clickhouse_connect.driver import create_client

        common.set_setting("invalid_setting_action", "drop")  # those that a user's profile fixes
        common.set_setting("autogenerate_session_id", False)  # noqa: FBT003 - its own signature
        options = dict(address.options)
        password = os.environ.get("CLICKHOUSE_PASSWORD", "") if address.password is None else address.password
        self._open = create_client(
            host=address.host or "localhost",
            port=address.port,
            username=address.user,
            password=password,
            database=address.database or "__default__",
            secure=address.scheme == "clickhouses" or options.get("secure", "").lower() in {"1", "true"},
            ca_cert=options.get("ca_cert"),
            connect_timeout=CONNECT_SECONDS,
            query_retries=0,
            settings=dict(_SETTINGS),
        )

    def page(self, sql: str, parameters: Sequence[Any] = ()) -> Page:
        found = self._open.query(sql, parameters=list(parameters) or None)
        return Page(found.column_names, found.result_rows)

    def pages(self, sql: str, size: int) -> Iterator[Page]:
        with self._open.query_row_block_stream(sql, settings={"max_block_size": size}) as stream:
            for rows in stream:
                yield Page(stream.source.column_names, rows)

    def close(self) -> None:
        self._open.close()


class _ClickHouse(Driver):
    name = "ClickHouse"
    library = "clickhouse_connect"
    extra = "clickhouse"
    password_from = "CLICKHOUSE_PASSWORD"  # noqa: S105 - the place, not a password
    unique_key = False  # it is the order in which rows are stored
    nested = True

    def connect(self, address: Address) -> Connection:
        return _Connection(address)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        from clickhouse_connect.driver.exceptions import ClickHouseError
        from urllib3.exceptions import HTTPError

        return (ClickHouseError, HTTPError, ConnectionError, TimeoutError)

    def failure(self, error: Exception) -> Failure:
        code = getattr(error, "code", None)
        if code is None:
            refused = "refused" in str(error) or "resolve" in str(error)
            return Failure.UNREACHABLE if refused else Failure.LOST
        return next((failure for failure, codes in _FAILURES.items() if code in codes), Failure.OTHER)

    def message(self, error: Exception) -> str:
        """Return the server's own words, without the client's and the version."""
        return str(error).rpartition("DB::Exception: ")[2].partition(" (version ")[0]

    def tables(self, connection: Connection) -> list[Described]:
        return described(connection.page(_TABLES).rows)

    def quote(self, identifier: str) -> str:
        return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`"

    def placeholder(self, _number: int) -> str:
        return "%s"

    def size(self, expression: str) -> str:
        return f"length({expression})"

    def time(self, moment: datetime) -> Any:
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


DRIVER = _ClickHouse()
