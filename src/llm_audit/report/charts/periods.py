"""Group days into few enough periods to draw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

MOST = 92
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def periods(dates: list[str]) -> tuple[str, Callable[[str], str]]:
    """Return the shortest period (day, week, month or year) with at most ``MOST`` bars, and a day's key in it."""
    found = sorted(set(dates))
    if not found:
        return "day", lambda day: day
    span = (date.fromisoformat(found[-1]) - date.fromisoformat(found[0])).days + 1
    if span <= MOST:
        return "day", lambda day: day
    if span <= 7 * MOST:
        return "week", _monday
    if span <= 30 * MOST:
        return "month", lambda day: day[:7]
    return "year", lambda day: day[:4]


def shown(key: str) -> str:
    """Write a period for an axis: "3 Sep", "Sep 2026" or "2026".

    >>> shown("2026-09-03"), shown("2026-09"), shown("2026")
    ('3 Sep', 'Sep 2026', '2026')
    """
    year, *rest = key.split("-")
    if not rest:
        return year
    month = _MONTHS[int(rest[0]) - 1]
    return f"{int(rest[1])} {month}" if len(rest) > 1 else f"{month} {year}"


def ticks(keys: list[str], most: int = 8) -> list[str]:
    """Choose some of the keys, evenly spaced from the first."""
    step = -(-len(keys) // most) or 1
    return keys[::step]


def _monday(day: str) -> str:
    when = date.fromisoformat(day)
    return (when - timedelta(days=when.weekday())).isoformat()
