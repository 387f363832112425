"""Points in time in the notations of logs, read as microseconds since 1970 in UTC.

The unit of a number follows from its size: between 2015 and 2100 seconds, milliseconds, microseconds, nanoseconds and
.NET ticks (100 ns since year 1) have ranges that do not meet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from llm_audit.sources.as_written import time_note
from llm_audit.sources.entry import BadRecordError, Reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - counts a time without zone as UTC
_MICROSECOND = timedelta(microseconds=1)
EARLIEST_US = 1_420_070_400_000_000  # 2015-01-01
LATEST_US = 4_102_444_800_000_000  # 2100-01-01
_TICKS_TO_1970 = 621_355_968_000_000_000
_WRITTEN = (
    "%m/%d/%Y, %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y, %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d/%b/%Y:%H:%M:%S %z",
)
_BY_NUMBERS = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4})(?:,?[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?")
_JAVASCRIPT = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2} \d{1,2} \d{4} \d{2}:\d{2}:\d{2}) GMT([+-]\d{4})(?: \(.*\))?")
_ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8}
_ZONES |= {"PDT": -7, "CET": 1, "CEST": 2}
_NAMED_ZONE = re.compile(r"(.*\d) ([A-Z]{1,5})")
_OFFSET = re.compile(r"(.*\d) ?([+-]\d{2}):?(\d{2})?")
_SERIAL_DAYS = (42_005, 73_051)  # Excel's days of 2015 and of 2100
_SERIAL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_MONTHS = 12
_NAMED_DAY = re.compile(r"(?:[A-Z][a-z]{2,8}, )?\d{1,2} [A-Z][a-z]{2} \d{2,4} ")
_NANOSECOND_DIGITS = 19  # of a time in nanoseconds since 1970
_LONGEST_NUMBER = 40  # characters
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_plain_time: Callable[[object], int | None] | None = None
with suppress(ImportError):  # built only where a C compiler is available; any time is read in Python then
    from llm_audit.sources.records._fields import plain_time as _plain_time


def micros(value: object, field: str = "time") -> int | None:
    """Return microseconds since 1970, UTC; None where the log gives no time.

    Reads numbers (also as strings) of any usual unit, Excel's serial days, ISO 8601 with or without a zone (without:
    UTC), HTTP dates, those of web servers and of JavaScript, dotted dates (day first), dates of numbers where only one
    can be the month, and datetime objects. Raises ``BadRecordError`` for what is not a time, or is before 2015 or after
    2099, and for dates whose day may be their month.
    """
    if _plain_time is not None and (plain := _plain_time(value)) is not None:
        return plain
    if value is None or value == "" or value != value:  # noqa: PLR0124 - a missing cell of a table may be NaN
        return None
    found = _written(value) if isinstance(value, str) else _given(value)
    if found is None or not EARLIEST_US <= found < LATEST_US:
        raise BadRecordError(Reason.BAD_TIME, field, note=time_note(value, field))
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


def _written(value: str) -> int | None:  # noqa: PLR0911 - one notation a branch
    value = value.strip()
    is_decimal = value.isdecimal()
    if is_decimal and len(value) == _NANOSECOND_DIGITS:
        return _of_number(int(value))
    if not is_decimal or len(value) == len("20260131"):  # other digits could pass for a date and a time
        try:
            return _of_datetime(datetime.fromisoformat(value))
        except ValueError:
            pass
    if len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return _of_number(int(value) if is_decimal else float(value))
    zoned = _zoned(value)
    if zoned is not None:
        return _of_datetime(zoned)
    if dated := _BY_NUMBERS.fullmatch(value):
        return _by_numbers(dated)
    for pattern in _WRITTEN:
        try:
            return _of_datetime(datetime.strptime(value, pattern))  # noqa: DTZ007 - without a zone is UTC
        except ValueError:
            continue
    try:
        return _of_datetime(parsedate_to_datetime(value)) if _NAMED_DAY.match(value) else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _zoned(value: str) -> datetime | None:
    """Return a time with its zone after a space: by an offset or, where it is the same everywhere, by its name."""
    if script := _JAVASCRIPT.fullmatch(value):
        return datetime.strptime(f"{script[1]} {script[2]}", "%b %d %Y %H:%M:%S %z")
    try:
        if named := _NAMED_ZONE.fullmatch(value):
            zone = timezone(timedelta(hours=_ZONES[named[2]]))
            return datetime.fromisoformat(named[1]).replace(tzinfo=zone)
        if offset := _OFFSET.fullmatch(value):
            return datetime.fromisoformat(f"{offset[1]}{offset[2]}:{offset[3] or '00'}")
    except (ValueError, KeyError):
        return None
    return None


def _by_numbers(dated: re.Match[str]) -> int | None:
    """Return a date of numbers where only one of its first two can be the month; else it is open, and no time."""
    first, second, year = int(dated[1]), int(dated[3]), int(dated[4])
    if first <= _MONTHS and second <= _MONTHS and first != second:
        return None
    day, month = (first, second) if first > _MONTHS else (second, first)
    try:
        return _of_datetime(datetime.fromisoformat(f"{year}-{month:02}-{day:02} {(dated[5] or '00:00'):0>5}"))
    except ValueError:
        return None


def _of_datetime(value: datetime) -> int:
    return (value - (EPOCH if value.tzinfo else _NAIVE_EPOCH)) // _MICROSECOND


def _of_number(value: float) -> int | None:  # noqa: PLR0911 - one unit a branch
    if not math.isfinite(value) or value <= 0:
        return None
    if _SERIAL_DAYS[0] <= value < _SERIAL_DAYS[1]:
        return _of_datetime(_SERIAL_EPOCH) + round(value * 86_400_000_000)
    if value < 10**11:
        return round(value * 1_000_000)
    if value < 10**14:
        return round(value * 1000)
    if value < 10**17:
        return int(value)
    if value < 10**18:
        return (int(value) - _TICKS_TO_1970) // 10
    return int(value) // 1000
