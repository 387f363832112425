"""Points in time in the notations of logs, read as microseconds since 1970 in UTC.

The unit of a number follows from its size: between 2015 and 2100 seconds, milliseconds, microseconds, nanoseconds and
.NET ticks (100 ns since year 1) have ranges that do not meet.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from llm_audit.sources.entry import BadRecordError, Reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - counts a time without zone as UTC
_MICROSECOND = timedelta(microseconds=1)
EARLIEST_US = 1_420_070_400_000_000  # 2015-01-01
LATEST_US = 4_102_444_800_000_000  # 2100-01-01
_TICKS_TO_1970 = 621_355_968_000_000_000
_WRITTEN = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y, %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p", "%Y/%m/%d %H:%M:%S")
_LONGEST_NUMBER = 40  # characters
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")


def micros(value: object, field: str = "time") -> int | None:
    """Return microseconds since 1970, UTC; None where the log gives no time.

    Reads numbers (also as strings) of any usual unit, ISO 8601 with or without a zone (without: UTC), HTTP dates, US
    dates and datetime objects. Raises ``BadRecordError`` for what is not a time, or is before 2015 or after 2099.
    """
    if value is None or value == "" or value != value:  # noqa: PLR0124 - a missing cell of a table may be NaN
        return None
    found = _written(value) if isinstance(value, str) else _given(value)
    if found is None or not EARLIEST_US <= found < LATEST_US:
        raise BadRecordError(Reason.BAD_TIME, field)
    return found


def between_ms(start_us: int | None, end_us: int | None) -> float | None:
    """Return the milliseconds from one time to another; None where either is unknown or the end comes first."""
    return (end_us - start_us) / 1000 if start_us is not None and end_us is not None and end_us >= start_us else None


def _given(value: object) -> int | None:
    if isinstance(value, datetime):
        return _of_datetime(value)
    if isinstance(value, date):
        return _of_datetime(datetime(value.year, value.month, value.day, tzinfo=UTC))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_number(value)
    return None


def _written(value: str) -> int | None:
    if not value.isdecimal() or len(value) == len("20260131"):  # other digits could pass for a date and a time
        try:
            return _of_datetime(datetime.fromisoformat(value))
        except ValueError:
            pass
    value = value.strip()
    if len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return _of_number(int(value) if value.isdecimal() else float(value))
    try:
        return _of_datetime(datetime.fromisoformat(value.removesuffix(" UTC").replace(" +", "+")))
    except ValueError:
        pass
    for pattern in _WRITTEN:
        try:
            return _of_datetime(datetime.strptime(value, pattern))  # noqa: DTZ007 - without a zone is UTC
        except ValueError:
            continue
    try:
        return _of_datetime(parsedate_to_datetime(value))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _of_datetime(value: datetime) -> int:
    return (value - (EPOCH if value.tzinfo else _NAIVE_EPOCH)) // _MICROSECOND


def _of_number(value: float) -> int | None:
    if not math.isfinite(value) or value <= 0:
        return None
    if value < 10**11:
        return round(value * 1_000_000)
    if value < 10**14:
        return round(value * 1000)
    if value < 10**17:
        return int(value)
    if value < 10**18:
        return (int(value) - _TICKS_TO_1970) // 10
    return int(value) // 1000
