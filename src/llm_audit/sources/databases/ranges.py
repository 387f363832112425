"""Division of a table's rows into ranges of a field, which several processes read.

Where a table is cut depends on the table alone, never on the number of processes. Rows that are added while it is read
are after the last range, and are not read: a later run finds them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from llm_audit.sources.databases.driver import Driver
from llm_audit.sources.databases.schema import Period, Unit
from llm_audit.sources.databases.statements import PARAMETER, Condition

Range = tuple[int, int]
"""The rows whose dividing field is at least the first number and below the second."""

FIRST, LAST = -(1 << 62), 1 << 62
"""The ends of ranges that have none: below and above every number."""

WHOLE: Range = (FIRST, LAST)
ROWS_PER_RANGE = 20_000
MOST_RANGES = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000  # in microseconds
_LAST_TIME = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


class Division(msgspec.Struct, frozen=True):
    """The field by which a table's rows are divided: a whole number, or a time as microseconds since 1970."""

    expression: str
    unit: Unit | None = None

    def number(self, value: Any) -> int | None:
        """Return a value of the field as a number; None where it has none, such as an infinite time."""
        if self.unit is not Unit.TIME:
            return value if isinstance(value, int) else None
        moment = moment_of(value, self.unit)
        return None if moment is None else number_of(moment)

    def conditions(self, within: Range, driver: Driver) -> tuple[Condition, ...]:
        """Return the conditions that the rows of a range meet."""
        start, end = within
        conditions = []
        if start != FIRST:
            conditions.append(Condition(f"{self.expression} >= {PARAMETER}", (self._value(start, driver),)))
        if end != LAST:
            conditions.append(Condition(f"{self.expression} < {PARAMETER}", (self._value(end, driver),)))
        return tuple(conditions)

    def _value(self, number: int, driver: Driver) -> Any:
        return driver.time(_EPOCH + number * _MICROSECOND) if self.unit is Unit.TIME else number


def cut(division: Division, *, least: Any, greatest: Any, rows: int) -> tuple[Range, ...]:
    """Divide the values from the least to the greatest evenly, by the number of rows to expect.

    The first range has no beginning, and the last one ends after the greatest value: a second after it where it is a
    time, since some databases compare times in the precision of the column. Values that cannot be divided make one
    range.
    """
    first, last = division.number(least), division.number(greatest)
    if first is None or last is None:
        return (WHOLE,)
    count = max(1, min(MOST_RANGES, -(-rows // ROWS_PER_RANGE), last - first))
    edges = [first + (last - first) * number // count for number in range(1, count)]
    return tuple(pairwise([FIRST, *edges, _after(last, division.unit)]))


def _after(last: int, unit: Unit | None) -> int:
    if unit is not Unit.TIME:
        return last + 1
    return last + _SECOND if last + _SECOND <= _LAST_TIME else LAST


def within(period: Period, since: datetime | None, until: datetime | None, driver: Driver) -> tuple[Condition, ...]:
    """Return the conditions that leave out rows whose calls are all outside a period; others may remain."""
    conditions = []
    if since is not None:
        conditions.append(Condition(f"{period.ends} >= {PARAMETER}", (parameter(since, period.unit, driver),)))
    if until is not None:
        conditions.append(Condition(f"{period.begins} <= {PARAMETER}", (parameter(until, period.unit, driver),)))
    return tuple(conditions)


def parameter(moment: datetime, unit: Unit, driver: Driver) -> Any:
    """Return a time as a parameter to compare a column of times with."""
    match unit:
        case Unit.TIME:
            return driver.time(moment)
        case Unit.DAY:
            return moment.strftime("%Y-%m-%d")
        case Unit.SECONDS:
            return (moment - _EPOCH) // timedelta(seconds=1)
        case Unit.MILLISECONDS:
            return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment_of(value: Any, unit: Unit) -> datetime | None:
    """Return a value of a column of times as a time; None where it has none, such as an infinite one.

    Times without a zone are of UTC.
    """
    try:
        match unit:
            case Unit.SECONDS | Unit.MILLISECONDS:
                return _EPOCH + int(value) * (
                    timedelta(seconds=1) if unit is Unit.SECONDS else timedelta(milliseconds=1)
                )
            case _:
                moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def number_of(moment: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND
