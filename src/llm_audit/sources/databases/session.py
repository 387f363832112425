"""A connection that is made again when it is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar

from llm_audit.sources.databases.address import Address
from llm_audit.sources.databases.driver import Connection, Driver, Failure, Page, driver
from llm_audit.sources.databases.failures import explained

_Answer = TypeVar("_Answer")

ATTEMPTS = 6
_FIRST_WAIT_SECONDS = 0.25


class Session:
    """Asks a database, with as many connections one after the other as it takes.

    ``DatabaseError`` is raised for what another attempt would not change, and after the last one.
    """

    def __init__(self, address: Address, *, table: str = "") -> None:
        self.driver: Driver = driver(address.driver)
        self._address = address
        self.table = table  # at hand, for messages
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self._disconnect()

    @property
    def connection(self) -> Connection:
        """The open connection."""
        if self._connection is None:
            self._connection = self.driver.connect(self._address)
        return self._connection

    def connect(self) -> None:
        """Connect without a second attempt: what is wrong is said at once."""
        try:
            _ = self.connection
        except self.driver.errors as error:
            raise self._explained(error) from None

    def page(self, sql: str, parameters: Sequence[Any] = ()) -> Page:
        """Return the result of a query."""
        return self.ask(lambda connection: connection.page(sql, parameters))

    def count(self, sql: str, parameters: Sequence[Any]) -> int:
        """Return how many rows a query has, roughly where counting takes long."""
        return self.ask(lambda connection: self.driver.rows_of(connection, sql, parameters))

    def ask(self, question: Callable[[Connection], _Answer]) -> _Answer:
        """Return the answer to a question, after several attempts where the connection is lost."""
        for attempt in range(1, ATTEMPTS):
            try:
                return question(self.connection)
            except self.driver.errors as error:
                if self.driver.failure(error) not in (Failure.LOST, Failure.UNREACHABLE):
                    raise self._explained(error) from None
            self._disconnect()
            time.sleep(_FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
        try:
            return question(self.connection)
        except self.driver.errors as error:
            raise self._explained(error) from None

    def pages(self, sql: str, size: int) -> Iterator[Page]:
        """Yield the result of a query that has no key, so that it cannot be taken up again."""
        try:
            yield from self.connection.pages(sql, size)
        except self.driver.errors as error:
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> Exception:
        return explained(error, self.driver, self._address, table=self.table)

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None
