"""Tables as data, which every report that shows tables draws in its own way."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum, IntEnum, auto

import msgspec
from msgspec.structs import replace

from llm_audit.report import text

Cell = str | int | float | None
"""A cell before it is written: text, a decimal string of money, a count, a fraction, or None for unknown."""


class ColumnKind(Enum):
    """The meaning of a column's cells, which decides how they are written and aligned."""

    TEXT = auto()  # a name
    PROSE = auto()  # a sentence
    FIGURE = auto()  # a figure already written with its unit
    MONEY = auto()  # decimal string, rounded for reading
    RATE = auto()  # decimal string of a price, every digit shown
    COUNT = auto()
    SHARE = auto()  # fraction of one
    SCORE = auto()  # a probability, a difficulty: two decimals


class Priority(IntEnum):
    """The order in which columns are left out where there is little room: spare ones first."""

    ESSENTIAL = 0  # on a first screen of any width
    NORMAL = 1
    SPARE = 2


NUMERIC = frozenset(ColumnKind) - {ColumnKind.TEXT, ColumnKind.PROSE}
_PROSE_LIMIT = 400
_SHARE_PLACES = 4
"""Decimals of a sum of shares, each of which is rounded to six."""


class Column(msgspec.Struct, frozen=True):
    """A column: its heading, the kind of its cells, whether they may be added up, and how much it is needed.

    ``currency`` is of its amounts, where that is not the document's.
    """

    title: str
    kind: ColumnKind = ColumnKind.TEXT
    sums: bool = False
    priority: Priority = Priority.NORMAL
    currency: str | None = None


class Table(msgspec.Struct, kw_only=True, frozen=True):
    """Rows of cells under columns. ``more``: the last row sums up rows that were left out."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: bool = False
    note: str = ""  # a sentence below the table


def table(key: str, title: str, columns: Iterable[Column], rows: Iterable[Iterable[Cell]], *, note: str = "") -> Table:
    """Make a table from rows of any kind."""
    return Table(key=key, title=title, columns=tuple(columns), rows=tuple(tuple(row) for row in rows), note=note)


def money(title: str, *, sums: bool = True, currency: str | None = None) -> Column:
    """Make a column of amounts."""
    return Column(title, ColumnKind.MONEY, sums, currency=currency)


def count(title: str, *, sums: bool = True) -> Column:
    """Make a column of whole numbers."""
    return Column(title, ColumnKind.COUNT, sums)


def share(title: str, *, sums: bool = False) -> Column:
    """Make a column of fractions of one."""
    return Column(title, ColumnKind.SHARE, sums)


def score(title: str) -> Column:
    """Make a column of probabilities or difficulties."""
    return Column(title, ColumnKind.SCORE)


def blank(value: float | None) -> Cell:
    """Return an empty cell, rather than "unknown", where a figure does not apply."""
    return "" if value is None else value


def narrowed(full: Table, most: Priority) -> Table:
    """Return the table without the columns that come after ``most`` in priority."""
    kept = [index for index, column in enumerate(full.columns) if column.priority <= most]
    return replace(
        full,
        columns=tuple(full.columns[index] for index in kept),
        rows=tuple(tuple(row[index] for index in kept) for row in full.rows),
    )


def cap(full: Table, rows: int) -> Table:
    """Keep the first ``rows`` rows and put the sums of the others into one last row, "and N more"."""
    rest = full.rows[rows:]
    if len(rest) < 2:  # a row that says "and 1 more" takes the place of the one
        return full
    last = tuple(_sum(column, [row[index] for row in rest]) for index, column in enumerate(full.columns))
    return replace(full, rows=(*full.rows[:rows], (f"and {len(rest):,} more", *last[1:])), more=True)


def totals(full: Table) -> tuple[Cell, ...] | None:
    """Return the sums of the columns that may be added up, under "total"; None where there is nothing to add up."""
    if len(full.rows) < 2 or not any(column.sums for column in full.columns):
        return None
    sums = tuple(_sum(column, [row[index] for row in full.rows]) for index, column in enumerate(full.columns))
    return ("total", *sums[1:])


def _sum(column: Column, cells: list[Cell]) -> Cell:
    stated = [cell for cell in cells if cell != ""]
    known = [cell for cell in stated if cell is not None]
    if not column.sums or not stated:
        return ""
    if not known:
        return None
    if column.kind is ColumnKind.MONEY:
        return f"{sum((Decimal(str(cell)) for cell in known), Decimal(0)):f}"
    added = sum(cell for cell in known if not isinstance(cell, str))
    return round(added, _SHARE_PLACES) if column.kind is ColumnKind.SHARE else added


def write(cell: Cell, column: Column, *, currency: str, limit: int = 80) -> str:
    """Write a cell for reading. An empty string stays empty: the column does not apply to the row."""
    if cell == "":
        return ""
    amount = None if cell is None else str(cell)
    number = cell if isinstance(cell, int | float) else None
    match column.kind:
        case ColumnKind.TEXT | ColumnKind.FIGURE:
            written = text.UNKNOWN if amount is None else text.plain(amount, limit=limit)
        case ColumnKind.PROSE:
            written = text.plain(amount or "", limit=_PROSE_LIMIT)
        case ColumnKind.MONEY:
            written = text.money(amount, currency=column.currency or currency)
        case ColumnKind.RATE:
            written = amount or ""
        case ColumnKind.COUNT:
            written = text.count(number)
        case ColumnKind.SHARE:
            written = text.share(number)
        case ColumnKind.SCORE:
            written = text.decimal(number)
    return written
