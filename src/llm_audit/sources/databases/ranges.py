"""Division of a table's rows into ranges of its key's first column, which several processes read.

Where a table is cut depends on the table alone, never on the number of processes. Rows that are added while it is read
are after the last range, and are not read: a later run finds them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from llm_audit.sources.databases.driver import Driver
from llm_audit.sources.databases.schema import Period, Unit
from llm_audit.sources.databases.statements import PARAMETER, Condition
from llm_audit.sources.databases.table import Range

ROWS_PER_RANGE = 20_000
MOST_RANGES = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def cut(
    expression: str, unit: Unit | None, *, least: Any, greatest: Any, rows: int, driver: Driver
) -> tuple[Range, ...]:
    """Divide the values from the least to the greatest evenly, by the number of rows to expect.

    The last range ends with the greatest value itself. Values that cannot be divided make one range.
    """
    first, last = _number(least, unit), _number(greatest, unit)
    count = min(MOST_RANGES, max(1, -(-rows // ROWS_PER_RANGE)))
    if first is None or last is None:
        return ((),)
    count = max(1, min(count, last - first))
    edges = [first + (last - first) * number // count for number in range(count)]
    values = [_value(edge, unit, driver) for edge in edges[1:]]
    at_least = [(), *((Condition(f"{expression} >= {PARAMETER}", (value,)),) for value in values)]
    below = [
        *((Condition(f"{expression} < {PARAMETER}", (value,)),) for value in values),
        (Condition(f"{expression} <= {PARAMETER}", (_value(last + 1, unit, driver) if unit else greatest,)),),
    ]
    return tuple((*low, *high) for low, high in zip(at_least, below, strict=True))


def within(period: Period, since: datetime | None, until: datetime | None, driver: Driver) -> tuple[Condition, ...]:
    """Return the conditions that leave out rows whose calls are all outside a period; others may remain."""
    conditions = []
    if since is not None:
        conditions.append(Condition(f"{period.ends} >= {PARAMETER}", (_moment(since, period.unit, driver),)))
    if until is not None:
        conditions.append(Condition(f"{period.begins} <= {PARAMETER}", (_moment(until, period.unit, driver),)))
    return tuple(conditions)


def _moment(moment: datetime, unit: Unit, driver: Driver) -> Any:
    match unit:
        case Unit.TIME:
            return driver.time(moment)
        case Unit.DAY:
            return moment.strftime("%Y-%m-%d")
        case Unit.SECONDS:
            return (moment - _EPOCH) // timedelta(seconds=1)
        case Unit.MILLISECONDS:
            return (moment - _EPOCH) // timedelta(milliseconds=1)


def _number(value: Any, unit: Unit | None) -> int | None:
    """Return a value as a whole number; None where it has none, such as an infinite time."""
    if unit is not Unit.TIME:
        return value if isinstance(value, int) else None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def _value(number: int, unit: Unit | None, driver: Driver) -> Any:
    return driver.time(_EPOCH + number * _MICROSECOND) if unit is Unit.TIME else number
