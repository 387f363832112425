"""Numbers and dates as a sheet writes them, read by what their column and their file show.

``12.000`` may be twelve or twelve thousand and ``02/11/2026`` two days; another cell tells: ``1.500`` tokens can only
be grouped, ``0,045`` has a decimal comma, and the 13th is no month. Where a cell is open, rows wait for all others.
What nothing settles is left as it was written, and is then rejected with its column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from llm_audit.sources.decode import Item
from llm_audit.sources.records.billing.amounts import PARTS as COST_PARTS
from llm_audit.sources.records.column_names import column_named
from llm_audit.sources.records.tokens.names import COLUMNS

MAX_WAITING = 20_000
"""Rows that wait for what settles their columns; those after them are read by what was seen until then."""

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([.,' \u00a0\u202f])\d{3})(?:\1\d{3})*")
_FRACTION = re.compile(r"[+-]?(?:\d+([.,])(?:\d{1,2}|\d{4,})|0([.,])\d+|\d{1,3}(?:[.,]\d{3})+([.,])\d+)")
_DATE = re.compile(r"\s*(\d{1,2})([/-])(\d{1,2})\2(\d{4})(?:,?[ T]\s*(.*))?")
_TWELVE_HOURS = re.compile(r"(?i)\b[ap]\.?m\b")
_MONTHS = 12
_TIMES = frozenset({"time", "end_time"})
_COUNTS = frozenset(COLUMNS)
_AMOUNTS = frozenset({"cost", "latency", "latency_ms", "latency_s", *COST_PARTS})

Row = tuple[int, Item]


def settled(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of a table of texts with their numbers and dates in one notation, as far as that is known."""
    sheet = _Sheet()
    waiting: list[Row] = []
    waited = False
    for row in rows:
        if isinstance(row[1], dict):
            sheet.look(row[1])
        waiting.append(row)
        waited = waited or len(waiting) >= MAX_WAITING
        if waited or not sheet.open:
            yield from ((line, sheet.rewritten(item)) for line, item in waiting)
            waiting.clear()
    yield from ((line, sheet.rewritten(item)) for line, item in waiting)


class _Sheet:
    """What the cells so far show: the decimal sign, and the order of days and months by column."""

    __slots__ = ("_decimals", "_first_is_day", "_kinds", "_open_dates", "_open_numbers")

    def __init__(self) -> None:
        self._kinds: dict[str, str | None] = {}
        self._decimals: set[str] = set()
        self._first_is_day: dict[str, set[bool]] = {}
        self._open_numbers = False
        self._open_dates: set[str] = set()

    @property
    def open(self) -> bool:
        """Return whether a cell so far may be read in two ways."""
        return self._open_numbers or bool(self._open_dates)

    def look(self, row: dict[str, object]) -> None:
        """Learn from the cells of a row."""
        for column, cell in row.items():
            kind = self._kind(column)
            if kind is None or not isinstance(cell, str):
                continue
            if kind in _TIMES:
                self._look_at_date(column, cell)
            else:
                self._look_at_number(cell.strip(), counts=kind in _COUNTS)

    def rewritten(self, item: Item) -> Item:
        """Return a row in the notation that programs read."""
        if not isinstance(item, dict):
            return item
        for column, cell in item.items():
            kind = self._kind(column)
            if kind is None or not isinstance(cell, str):
                continue
            new = self._date(column, cell) if kind in _TIMES else self._number(cell.strip())
            if new is not None:
                item[column] = new
        return item

    def _kind(self, column: str) -> str | None:
        if column not in self._kinds:
            kind = column_named(column)
            self._kinds[column] = kind if kind in _TIMES | _COUNTS | _AMOUNTS else None
        return self._kinds[column]

    def _look_at_number(self, cell: str, *, counts: bool) -> None:
        grouped = _GROUPED.fullmatch(cell)
        if grouped is not None and grouped[1] in ".,":
            several = cell.count(grouped[1]) > 1
            if several or (counts and int(cell[-3:])):  # no part of a token is counted
                self._decimals.add("," if grouped[1] == "." else ".")
            else:
                self._open_numbers = True
            return
        fraction = _FRACTION.fullmatch(cell)
        if fraction is not None:
            self._decimals.add(next(sign for sign in fraction.groups()[::-1] if sign))

    def _number(self, cell: str) -> str | None:
        if len(self._decimals) != 1:
            return None
        (decimal,) = self._decimals
        group = "." if decimal == "," else ","
        if _GROUPED.fullmatch(cell) and decimal not in cell:
            return re.sub(r"[.,' \u00a0\u202f]", "", cell)
        if _FRACTION.fullmatch(cell) or _GROUPED.fullmatch(cell):
            return cell.replace(group, "").replace(decimal, ".")
        return None

    def _look_at_date(self, column: str, cell: str) -> None:
        found = _DATE.fullmatch(cell)
        if found is None:
            return
        first, second = int(found[1]), int(found[3])
        if first > _MONTHS or second > _MONTHS:
            self._first_is_day.setdefault(column, set()).add(first > _MONTHS)
        elif _TWELVE_HOURS.search(found[5] or ""):
            self._first_is_day.setdefault(column, set()).add(not first)
        elif first != second:
            self._open_dates.add(column)

    def _date(self, column: str, cell: str) -> str | None:
        orders = self._first_is_day.get(column)
        found = _DATE.fullmatch(cell)
        if found is None or not orders or len(orders) != 1:
            return None
        (first_is_day,) = orders
        day, month = (found[1], found[3]) if first_is_day else (found[3], found[1])
        if _TWELVE_HOURS.search(found[5] or ""):
            return f"{int(month)}/{int(day)}/{found[4]} {found[5]}"
        return f"{found[4]}-{int(month):02}-{int(day):02} {found[5] or ''}".rstrip()
