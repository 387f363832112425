"""What an update reads of a table: the rows that are new, and those so recent that they may have changed since.

Rows are divided into slices of the field that divides the table. A slice is kept once it ends before the window, and
its rows are then only counted: where there are more, some came late, and the slice is read anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
from msgspec.structs import replace

from llm_audit.sources.databases.ranges import FIRST, Division, Range, moment_of, number_of, parameter, within
from llm_audit.sources.databases.schema import Period, Unit
from llm_audit.sources.databases.session import Session
from llm_audit.sources.databases.statements import PARAMETER, Condition, Statement
from llm_audit.sources.databases.table import Table

OVERLAP_HOURS = 6.0
"""Hours before the newest row within which rows are read again."""

OVERLAP_KEYS = 10_000
"""Instead of them, keys before the greatest, where a table has a number and no time."""


class Slice(msgspec.Struct, frozen=True):
    """Rows that were read: those of a range, and how many; None where they must be read again."""

    within: Range
    rows: int | None


class Increment(msgspec.Struct, frozen=True):
    """What an update does with a table.

    Attributes:
        kept: Ranges whose rows stay as they were read.
        read: Ranges to read.
        gone: Rows of the kept ranges that are not in the table any more.
    """

    kept: tuple[Range, ...]
    read: tuple[Range, ...]
    gone: int = 0


def increment(table: Table, slices: Sequence[Slice], *, overlap: timedelta, drop_missing: bool = False) -> Increment:
    """Return what is to be read of a table, some slices of which were read before.

    Args:
        table: The table as it is now.
        slices: What was read before, in order.
        overlap: How long before the newest row a row may still change, or come late without being counted.
        drop_missing: Read slices anew that hold rows which are not in the table any more.

    Raises:
        DatabaseError: The database cannot be read.
    """
    if table.division is None or table.statement is None:
        return Increment((), table.ranges)
    statement, division = table.statement, table.division
    with Session(table.address, table=table.name) as session:
        window = _window(table, statement, division, session, overlap)
        closed = _closed(slices, window)
        found = _compared(closed, division, statement, session, drop_missing=drop_missing)
    start = closed[-1].within[1] if closed else FIRST
    return replace(found, read=(*found.read, *_new(table.ranges, start, window)))


def count_rows(table: Table) -> int:
    """Return how many rows a table has that are read.

    Raises:
        DatabaseError: The database cannot be read.
    """
    assert table.statement is not None
    with Session(table.address, table=table.name) as session:
        return _count(session, table.statement)


def _window(table: Table, statement: Statement, division: Division, session: Session, overlap: timedelta) -> int | None:
    """Return the first number within the window; None where no row has a time that has come.

    A time that is yet to come does not move the window: its row was written by a clock that is wrong.
    """
    now = datetime.now(UTC)
    if division.unit is Unit.TIME:
        newest = _newest(Period(division.expression, division.expression, division.unit), statement, session, now)
        return None if newest is None else number_of(newest - overlap)
    if table.schema is None or table.schema.period is None:
        greatest = division.number(_one(session, statement, f"max({division.expression})"))
        return None if greatest is None else greatest - OVERLAP_KEYS + 1
    period = table.schema.period
    quoted = Period(session.driver.quote(period.begins), session.driver.quote(period.ends), period.unit)
    newest = _newest(quoted, statement, session, now)
    if newest is None:
        return None
    recent = Condition(f"{quoted.begins} >= {PARAMETER}", (parameter(newest - overlap, period.unit, session.driver),))
    return division.number(_one(session, statement, f"min({division.expression})", recent))


def _newest(period: Period, statement: Statement, session: Session, now: datetime) -> datetime | None:
    past = within(period, None, now, session.driver)
    return moment_of(_one(session, statement, f"max({period.begins})", *past), period.unit)


def _closed(slices: Sequence[Slice], window: int | None) -> tuple[Slice, ...]:
    """Return the slices before the window; the last slice never is, since the one before it was its window."""
    if window is None:
        return ()
    return tuple(one for one in slices[:-1] if one.within[1] <= window)


def _compared(
    closed: Sequence[Slice], division: Division, statement: Statement, session: Session, *, drop_missing: bool
) -> Increment:
    """Compare slices with the table, each by its number of rows."""
    kept, again, gone = [], [], 0
    for one in closed:
        conditions = division.conditions(one.within, session.driver)
        missing = None if one.rows is None else one.rows - _count(session, statement, *conditions)
        if missing is None or missing < 0 or (missing and drop_missing):
            again.append(one.within)
        else:
            kept.append(one.within)
            gone += missing
    return Increment(tuple(kept), tuple(again), gone)


def _new(ranges: Sequence[Range], start: int, window: int | None) -> tuple[Range, ...]:
    """Return the ranges after those that are kept, the last of which is the window."""
    end = max(ranges[-1][1], start + 1)
    window = start if window is None else min(window, end)
    edges = {start, end, *(edge for _, edge in ranges if start < edge < window)}
    if start < window:
        edges.add(window)
    return tuple(pairwise(sorted(edges)))


def _count(session: Session, statement: Statement, *conditions: Condition) -> int:
    return int(_one(session, statement, "count(*)", *conditions))


def _one(session: Session, statement: Statement, aggregate: str, *conditions: Condition) -> Any:
    return session.page(*statement.one(aggregate, session.driver, conditions)).rows[0][0]
