"""A table as a source of records, small enough to send to another process."""

from __future__ import annotations

import msgspec
from xxhash import xxh3_128_hexdigest

from llm_audit.sources.databases.address import Address
from llm_audit.sources.databases.driver import Driver
from llm_audit.sources.databases.ranges import WHOLE, Division, Range
from llm_audit.sources.databases.schema import Schema
from llm_audit.sources.databases.statements import Condition, Statement

_BYTES_PER_ROW = 1000  # a guess, by which work is shared out


class Lookup(msgspec.Struct, frozen=True):
    """A query for the rows of another table that belong to those of a page."""

    table: str
    from_field: str
    to_field: str
    statement: Statement


class Table(msgspec.Struct, kw_only=True, frozen=True):
    """A table of a database, or the result of a user's own query.

    Attributes:
        address: The database.
        name: The table's name, with its schema where that is not the usual one.
        statement: The query of all its rows of the period; None for a user's own query.
        query: The user's own query.
        schema: The known schema; None where records are recognised one by one.
        division: The field by which the rows are divided; None where they are read in one go.
        ranges: Parts of the rows, which several processes read.
        lookups: Queries of other tables, for the rows of a page.
        rows: About how many rows there are.
    """

    address: Address
    name: str
    statement: Statement | None = None
    query: str = ""
    schema: Schema | None = None
    division: Division | None = None
    ranges: tuple[Range, ...] = (WHOLE,)
    lookups: tuple[Lookup, ...] = ()
    rows: int = 0

    @property
    def shown(self) -> str:
        """Its URI as reports show it, without password."""
        return f"{self.address.name}#{self.name}"

    @property
    def range_bytes(self) -> int:
        """About how many bytes there are to read in each of its ranges."""
        return self.rows * _BYTES_PER_ROW // len(self.ranges)

    @property
    def fingerprint(self) -> str:
        """A hash of what is asked of the database, which is another where the table has other columns."""
        asked = self.query, self.division, [(one.table, one.statement.described) for one in self.lookups]
        described = self.statement.described if self.statement is not None else ()
        return xxh3_128_hexdigest(repr((described, asked)).encode())

    def conditions(self, within: Range, driver: Driver) -> tuple[Condition, ...]:
        """Return the conditions that the rows of a range meet."""
        return () if self.division is None else self.division.conditions(within, driver)
