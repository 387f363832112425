"""Draw times of calls: 30 days from 2026-09-01, busier by day than by night and on working days than at weekends."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import format_datetime

DAYS = 30
SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000  # milliseconds
START_MS = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp()) * SECOND
END_MS = START_MS + DAYS * DAY
_OFFICE = (1, 1, 1, 1, 1, 2, 5, 12, 22, 28, 29, 26, 20, 24, 28, 27, 23, 17, 12, 10, 8, 6, 4, 2)
_GROWTH_A_DAY = 0.008


def arrivals(rand: random.Random, count: int, *, weekend: float) -> list[int]:
    """Return ``count`` sorted times in milliseconds; ``weekend`` is the weight of a Saturday against a weekday."""
    hours = [(day, hour) for day in range(DAYS) for hour in range(24)]
    weights = [_day_weight(day, weekend) * _OFFICE[hour] for day, hour in hours]
    chosen = rand.choices(hours, weights, k=count)
    return sorted(START_MS + day * DAY + hour * HOUR + rand.randrange(HOUR) for day, hour in chosen)


def _day_weight(day: int, weekend: float) -> float:
    weekday = (1 + day) % 7  # 2026-09-01 is a Tuesday
    return (weekend if weekday >= 5 else 1.0) * (1 + _GROWTH_A_DAY * day)


def iso(time_ms: int) -> str:
    """Return the time as ISO 8601 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(time_ms // SECOND, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % SECOND:03d}Z"


def http_date(time_ms: int) -> str:
    """Return the time as an HTTP ``Date`` header."""
    return format_datetime(datetime.fromtimestamp(time_ms // SECOND, UTC), usegmt=True)


def day(time_ms: int) -> str:
    """Return the day in UTC, such as 2026-09-01."""
    return iso(time_ms)[:10]


def within(time_ms: int) -> int:
    """Return the time, or the last millisecond of the period where it lies after it."""
    return min(time_ms, END_MS - 1)
