"""Dates of numbers whose order the user states, such as ``01/09/2026`` with the day first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from llm_audit.sources.records.column_names import column_named

_DATE = re.compile(r"\s*(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})(?:,?[ T]\s*(.*))?")
_TWELVE_HOURS = re.compile(r"(?i)\b[ap]\.?m\b")
_TIMES = frozenset({"time", "end_time"})
_YEAR_DIGITS = (2, 4)


def ordered(located: Iterator[Any], order: str) -> Iterator[Any]:
    """Yield records with the dates in their columns of times in the order of ISO 8601.

    Args:
        located: Places and items.
        order: ``dmy``, ``mdy`` or ``ymd``.
    """
    times: dict[str, bool] = {}
    for line, item in located:
        if type(item) is dict:
            for name, value in item.items():
                if isinstance(value, str) and _is_time(name, times):
                    item[name] = in_order(value, order)
        yield line, item


def in_order(value: str, order: str) -> str:
    """Return a date of numbers, read in an order, as ISO 8601 writes it; anything else as it is.

    >>> in_order("01/09/2026 14:00", "dmy"), in_order("1/9/26", "mdy"), in_order("26.09.01", "ymd")
    ('2026-09-01 14:00', '2026-01-09', '2026-09-01')
    """
    found = _DATE.fullmatch(value)
    if found is None:
        return value
    parts = dict(zip(order, (found[1], found[3], found[4]), strict=True))
    year, month, day = parts["y"], parts["m"], parts["d"]
    if len(year) not in _YEAR_DIGITS or len(day) > 2 or len(month) > 2:  # in another order, which it shows itself
        return value
    year = f"20{year}" if len(year) == 2 else year
    if _TWELVE_HOURS.search(found[5] or ""):
        return f"{int(month)}/{int(day)}/{year} {found[5]}"
    return f"{year}-{int(month):02}-{int(day):02} {found[5] or ''}".rstrip()


def _is_time(name: Any, known: dict[str, bool]) -> bool:
    if name not in known:
        known[name] = isinstance(name, str) and column_named(name) in _TIMES
    return known[name]
