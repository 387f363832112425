"""Reading the rows of a table, or of a part of it, as records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import msgspec
from xxhash import xxh3_128_intdigest

from llm_audit.sources.databases.driver import Page
from llm_audit.sources.databases.ranges import WHOLE, Range
from llm_audit.sources.databases.schema import Row, alone
from llm_audit.sources.databases.session import Session
from llm_audit.sources.databases.statements import BYTES, Statement
from llm_audit.sources.databases.table import Lookup, Table
from llm_audit.sources.decode import Item
from llm_audit.sources.entry import Reason, Rejected

FIRST_ROWS, MOST_ROWS = 256, 2048
PAGE_BYTES = 1 << 23
"""A page is of as many rows as make about 8 MiB, of those that were read."""

MAX_ROW_BYTES = 1 << 26
"""A larger row (64 MiB) is rejected as too long; what is stored of it is not sent."""

_LOOKUP_KEYS = 500
_INTEGER_BITS = 63
_MODULUS = 1 << 128
_encode = msgspec.json.Encoder(enc_hook=str, decimal_format="string").encode


class TableReader:
    """Reads the rows of one range of a table, in the order of its key.

    While it is iterated over, ``place`` is the primary key of the row at hand. Afterwards ``count`` and ``read_bytes``
    are those of the rows read, and ``digest`` is the sum of their hashes, which does not depend on the ranges.
    """

    def __init__(self, table: Table, within: Range = WHOLE) -> None:
        self._keys: Sequence[tuple[str, int]] = ()
        self._values: Sequence[Any] = ()
        self.count = self.read_bytes = self.digest = 0
        self._table = table
        self._within = within
        self._size = FIRST_ROWS

    @property
    def place(self) -> str:
        """The primary key of the row at hand."""
        return ", ".join(f"{name} {self._values[place]}" for name, place in self._keys)

    def __iter__(self) -> Iterator[tuple[int, Item]]:
        address, name = self._table.address, self._table.name
        with Session(address, table=name) as session, Session(address, table=name) as beside:
            for page in self._pages(session):
                if page.rows:
                    yield from self._records(page, beside)

    def _pages(self, session: Session) -> Iterator[Page]:
        statement = self._table.statement
        if statement is None:
            yield from session.pages(self._table.query, FIRST_ROWS)
            return
        with ThreadPoolExecutor(1) as asking:  # for the next page, while the rows of the one before it are read
            waiting = asking.submit(self._ask, session, statement, None, self._size)
            while True:
                wanted, page = waiting.result()
                if len(page.rows) < wanted:
                    yield page
                    return
                after = [page.rows[-1][page.names.index(name)] for name in statement.key]
                waiting = asking.submit(self._ask, session, statement, after, self._size)
                yield page

    def _ask(self, session: Session, statement: Statement, after: Sequence[Any] | None, rows: int) -> tuple[int, Page]:
        """Return a page after a key, and how many rows were asked for."""
        within = self._table.conditions(self._within, session.driver)
        return rows, session.page(
            *statement.page(session.driver, within=within, after=after, rows=rows, most_bytes=MAX_ROW_BYTES)
        )

    def _records(self, page: Page, session: Session) -> Iterator[tuple[int, Item]]:
        """Yield the rows of a page as records. What is done here for each row decides how fast a table is read."""
        nested = session.driver.nested
        related = [(lookup, _related(page, lookup, session)) for lookup in self._table.lookups]
        self._keys = self._keys_of(page)
        make = self._table.schema.record if self._table.schema is not None else alone
        sized = page.names[-1] == BYTES
        names = page.names[:-1] if sized else page.names
        before = self.read_bytes
        for all_values in page.rows:
            self._values = all_values
            stored, values = (all_values[-1], all_values[:-1]) if sized else (0, all_values)
            if nested:
                values = [_plain(value) for value in values]
            row: Row = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            found = {lookup.table: rows.get(str(row.get(lookup.from_field)), ()) for lookup, rows in related}
            encoded = _encode((values, found) if found else values)
            self.count += 1
            self.read_bytes += len(encoded)
            self.digest += xxh3_128_intdigest(encoded)
            if stored > MAX_ROW_BYTES or len(encoded) > MAX_ROW_BYTES:
                yield self.count, Rejected(Reason.TOO_LONG, unread_bytes=stored or len(encoded))
            else:
                yield self.count, make(row, found)
        self.digest %= _MODULUS
        average = (self.read_bytes - before) / len(page.rows)
        self._size = max(1, min(MOST_ROWS, 2 * self._size, int(PAGE_BYTES / max(1, average))))

    def _keys_of(self, page: Page) -> list[tuple[str, int]]:
        """Return the names and places of the values that name a row."""
        key = self._table.statement.key if self._table.statement is not None else ()
        if self._table.schema is not None:
            key = key[-1:]
        return [(name, page.names.index(name)) for name in key]


def _related(page: Page, lookup: Lookup, session: Session) -> Mapping[str, Sequence[Row]]:
    """Return the rows of another table that belong to those of a page, by the value they share."""
    place = page.names.index(lookup.from_field)
    wanted = sorted({row[place] for row in page.rows if row[place] is not None}, key=str)
    found: dict[str, list[Row]] = {}
    for start in range(0, len(wanted), _LOOKUP_KEYS):
        values = wanted[start : start + _LOOKUP_KEYS]
        other = session.page(*lookup.statement.among(session.driver, lookup.to_field, values))
        for found_row in other.rows:
            row = {name: _plain(value) for name, value in zip(other.names, found_row, strict=True) if value is not None}
            found.setdefault(str(row.get(lookup.to_field)), []).append(row)
    return found


def _plain(value: Any) -> Any:  # noqa: PLR0911 - a type a branch
    """Convert values of types that JSON does not have to those that formats expect; times stay times."""
    match value:
        case int() if value.bit_length() > _INTEGER_BITS:  # which JSON's encoder cannot write
            return str(value)
        case str() | int() | float() | None:
            return value
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode(errors="replace")
        case Decimal():
            return str(value)
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value if hasattr(value, "isoformat") else str(value)
