"""Bounds of a period that are relative to now: ``7d``, ``24h``, ``yesterday``, ``last-month``.

Each names the first moment of a span, in the audit's time zone, for ``--since`` and ``--until`` alike: last month as a
whole is since ``last-month`` until ``this-month``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

_AGO = re.compile(r"(?P<number>\d{1,4})(?P<unit>[hdw])")
_NAMED: dict[str, Callable[[dt.date], dt.date]] = {
    "today": lambda today: today,
    "yesterday": lambda today: today - dt.timedelta(days=1),
    "this-week": lambda today: today - dt.timedelta(days=today.weekday()),
    "last-week": lambda today: today - dt.timedelta(days=today.weekday() + 7),
    "this-month": lambda today: today.replace(day=1),
    "last-month": lambda today: (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1),
}
RELATIVE = ("7d", "24h", "2w", *_NAMED)
"""Examples of every form."""


def is_relative(text: str) -> bool:
    """Return whether a bound depends on the clock."""
    return text in _NAMED or _AGO.fullmatch(text) is not None


def absolute(text: str, *, now: dt.datetime, where: ZoneInfo) -> str:
    """Return a relative bound as a day or time of ISO 8601, and any other text as it is.

    Days and weeks count from the beginning of today, hours from now.

    >>> now = dt.datetime(2026, 9, 17, 10, 30, tzinfo=dt.UTC)
    >>> [absolute(text, now=now, where=ZoneInfo("UTC")) for text in ("7d", "last-week", "last-month", "2026-09-01")]
    ['2026-09-10', '2026-09-07', '2026-08-01', '2026-09-01']
    >>> absolute("24h", now=now, where=ZoneInfo("Europe/Berlin"))
    '2026-09-16T12:30:00+02:00'
    """
    today = now.astimezone(where).date()
    if text in _NAMED:
        return _NAMED[text](today).isoformat()
    ago = _AGO.fullmatch(text)
    if ago is None:
        return text
    number = int(ago["number"])
    if ago["unit"] == "h":
        return (now.astimezone(dt.UTC) - dt.timedelta(hours=number)).astimezone(where).isoformat(timespec="seconds")
    return (today - dt.timedelta(days=number * (7 if ago["unit"] == "w" else 1))).isoformat()
