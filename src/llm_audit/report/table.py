"""A table as data: what every report that shows tables agrees on, whatever it draws them with."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

from llm_audit.report import text

Cell = str | int | float | None
"""What a cell holds before it is written: text, a decimal string of money, a count, a fraction, or unknown."""


class Kind(Enum):
    """What a column's cells mean, and so how they are written and aligned."""

    TEXT = auto()  # a name
    PROSE = auto()  # a sentence
    FIGURE = auto()  # a figure already written, of a unit of its own
    MONEY = auto()  # decimal string, rounded for reading
    RATE = auto()  # decimal string of a price, every digit shown
    COUNT = auto()
    SHARE = auto()  # fraction of one
    SCORE = auto()  # a probability, a difficulty: two decimals


NUMERIC = frozenset(Kind) - {Kind.TEXT, Kind.PROSE}
_PROSE_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, what it holds, whether its cells may be added up and whether it can be spared."""

    title: str
    kind: Kind = Kind.TEXT
    sums: bool = False
    wide: bool = False  # left out where there is little room


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells under columns. ``more`` marks a last row that stands for rows left out."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: bool = False


def table(key: str, title: str, columns: Iterable[Column], rows: Iterable[Iterable[Cell]]) -> Table:
    """Make a table of any rows."""
    return Table(key=key, title=title, columns=tuple(columns), rows=tuple(tuple(row) for row in rows))


def money(title: str, *, sums: bool = True) -> Column:
    """A column of amounts."""
    return Column(title, Kind.MONEY, sums)


def count(title: str, *, sums: bool = True) -> Column:
    """A column of whole numbers."""
    return Column(title, Kind.COUNT, sums)


def share(title: str, *, sums: bool = False) -> Column:
    """A column of fractions of one."""
    return Column(title, Kind.SHARE, sums)


def score(title: str) -> Column:
    """A column of probabilities or difficulties."""
    return Column(title, Kind.SCORE)


def blank(value: float | None) -> Cell:
    """A cell that says nothing where the figure does not apply, rather than "unknown"."""
    return "" if value is None else value


def only(whole: Table, titles: Collection[str]) -> Table:
    """The table with the columns of these titles."""
    kept = [index for index, column in enumerate(whole.columns) if column.title in titles]
    return Table(
        key=whole.key,
        title=whole.title,
        columns=tuple(whole.columns[index] for index in kept),
        rows=tuple(tuple(row[index] for index in kept) for row in whole.rows),
        more=whole.more,
    )


def cap(whole: Table, rows: int) -> Table:
    """Keep the first ``rows`` rows and put the sums of the others into one last row, "and N more"."""
    rest = whole.rows[rows:]
    if len(rest) < 2:  # a row that says "and 1 more" takes the place of the one
        return whole
    last = tuple(_sum(column, [row[index] for row in rest]) for index, column in enumerate(whole.columns))
    return Table(
        key=whole.key,
        title=whole.title,
        columns=whole.columns,
        rows=(*whole.rows[:rows], (f"and {len(rest):,} more", *last[1:])),
        more=True,
    )


def _sum(column: Column, cells: list[Cell]) -> Cell:
    told = [cell for cell in cells if cell != ""]
    known = [cell for cell in told if cell is not None]
    if not column.sums or not told:
        return ""
    if not known:
        return None
    if column.kind is Kind.MONEY:
        return f"{sum((Decimal(str(cell)) for cell in known), Decimal(0)):f}"
    return sum(cell for cell in known if not isinstance(cell, str))


def write(cell: Cell, column: Column, *, currency: str, limit: int = 80) -> str:
    """Write a cell for reading. An empty string stays empty: the row has nothing to say in that column."""
    if cell == "":
        return ""
    amount = None if cell is None else str(cell)
    number = cell if isinstance(cell, int | float) else None
    match column.kind:
        case Kind.TEXT | Kind.FIGURE:
            written = text.UNKNOWN if amount is None else text.plain(amount, limit=limit)
        case Kind.PROSE:
            written = text.plain(amount or "", limit=_PROSE_LIMIT)
        case Kind.MONEY:
            written = text.money(amount, currency=currency)
        case Kind.RATE:
            written = amount or ""
        case Kind.COUNT:
            written = text.count(number)
        case Kind.SHARE:
            written = text.share(number)
        case Kind.SCORE:
            written = text.decimal(number)
    return written
