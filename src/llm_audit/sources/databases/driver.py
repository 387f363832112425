"""The interface of a database's driver, which hides its client library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import msgspec

from llm_audit.errors import UsageError
from llm_audit.sources.databases.address import Address

CONNECT_SECONDS = 10


class Page(NamedTuple):
    """Some rows of a query's result."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]


class Column(msgspec.Struct, frozen=True):
    """A column of a table, as the database describes it."""

    name: str
    in_key: bool  # of the primary key


class Described(msgspec.Struct, frozen=True):
    """A table or view, as the database describes it."""

    schema: str
    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names of its columns."""
        return frozenset(column.name for column in self.columns)


class Failure(StrEnum):
    """The kinds of errors of a database, by what a user can do about them."""

    LOST = "lost"  # the connection; it is made again
    LOGIN = "login"
    UNREACHABLE = "unreachable"
    DENIED = "denied"
    MISSING = "missing"  # a database, table or column
    TOO_LARGE = "too large"
    OTHER = "other"


class Connection(ABC):
    """A connection that can read and nothing else."""

    @abstractmethod
    def page(self, sql: str, parameters: Sequence[Any] = ()) -> Page:
        """Return the complete result of a query, which is bounded."""

    @abstractmethod
    def pages(self, sql: str, size: int) -> Iterator[Page]:
        """Yield the result of a query of any size in pages."""

    @abstractmethod
    def close(self) -> None:
        """End it."""


class Driver(ABC):
    """A kind of database: its client library and its dialect of SQL."""

    name: ClassVar[str]
    library: ClassVar[str]  # the module to import
    extra: ClassVar[str]  # of this package, which installs the library; empty where Python has it
    password_from: ClassVar[str] = ""  # where it is looked for, for messages
    grant: ClassVar[str] = "GRANT SELECT ON {table} TO {user}"
    one_process: ClassVar[bool] = False  # a file that only one process reads well
    unique_key: ClassVar[bool] = True  # no two rows have the same key
    nested: ClassVar[bool] = False  # values may be objects, lists, times and decimals, not only text and numbers

    @abstractmethod
    def connect(self, address: Address) -> Connection:
        """Connect, with errors of the client library as they are."""

    @property
    @abstractmethod
    def errors(self) -> tuple[type[Exception], ...]:
        """The errors that the client library raises."""

    @abstractmethod
    def failure(self, error: Exception) -> Failure:
        """Return the kind of one of these errors."""

    def message(self, error: Exception) -> str:
        """Return what one of these errors says."""
        return str(error)

    @abstractmethod
    def tables(self, connection: Connection) -> list[Described]:
        """List the tables and views that may be read, without the system's own."""

    def quote(self, identifier: str) -> str:
        """Write a name so that it is not read as anything else."""
        return '"' + identifier.replace('"', '""') + '"'

    def placeholder(self, _number: int) -> str:
        """Write the place of a parameter, counted from 1."""
        return "?"

    def size(self, expression: str) -> str:
        """Write the bytes of a text, as cheaply as the database can tell."""
        return f"octet_length({expression})"

    def time(self, moment: datetime) -> Any:
        """Return a time in UTC as a parameter."""
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")

    def rows_of(self, connection: Connection, sql: str, parameters: Sequence[Any]) -> int:
        """Return how many rows a query has, roughly where counting takes long."""
        found = connection.page(f"SELECT count(*) FROM ({sql}) AS counted", parameters)  # noqa: S608
        return int(found.rows[0][0])


def described(columns: Iterable[Sequence[Any]]) -> list[Described]:
    """Return the tables of which rows name schema, table, column and whether it is in the key, in their order."""
    found: dict[tuple[str, str], list[Column]] = {}
    for schema, table, column, in_key in columns:
        found.setdefault((schema, table), []).append(Column(column, bool(in_key)))
    return [Described(schema, table, tuple(names)) for (schema, table), names in found.items()]


@cache
def driver(name: str) -> Driver:
    """Return a driver.

    Raises:
        UsageError: Its client library is not installed.
    """
    module = import_module(f"llm_audit.sources.databases.drivers.{name}")
    found: Driver = module.DRIVER
    try:
        import_module(found.library)
    except ImportError:
        raise UsageError(
            f"Reading {found.name} needs a client library that is not installed. "
            f"Run: pip install 'llm-audit[{found.extra}]'"
        ) from None
    return found
