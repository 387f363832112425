"""Spend by whole days, the basis of everything about the log's rhythm.

The first and the last day of a log are as a rule cut off. Each is whole where the period was bounded at its midnight,
or where requests reach its first or last hour; otherwise it is left out. A day in between without a request is a day
without spend.
"""

from __future__ import annotations

import datetime as dt

import msgspec
import polars as pl

from llm_audit.audit.aggregate.rollups import by
from llm_audit.audit.options import AuditOptions, zone
from llm_audit.document.audit import Period

_HOUR = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)
WEEK = 7


class Days(msgspec.Struct, kw_only=True, frozen=True):
    """Consecutive whole days and what was spent on each, pico-dollars."""

    first: dt.date
    cost: list[int]
    saved: list[int]

    def __len__(self) -> int:
        """Return the number of days."""
        return len(self.cost)

    def weekdays(self) -> list[int]:
        """Return the day of the week of every day."""
        return [self.weekday(index) for index in range(len(self))]

    def since(self, index: int) -> Days:
        """Return the days from one on."""
        return Days(first=self.date(index), cost=self.cost[index:], saved=self.saved[index:])

    def date(self, index: int) -> dt.date:
        """Return the date of a day."""
        return self.first + index * _DAY

    def weekday(self, index: int) -> int:
        """Return the day of the week: 0 is Monday."""
        return self.date(index).weekday()


def daily_spend(sums: pl.DataFrame) -> dict[dt.date, tuple[int, int]]:
    """Return cost and saving by date, pico-dollars, of requests that have a time."""
    rows = by(sums, "date", sums=("cost_pico", "saved_pico"))
    return {date: (int(cost or 0), int(saved or 0)) for date, cost, saved in rows.iter_rows() if date is not None}


def whole_days(spend: dict[dt.date, tuple[int, int]], period: Period, options: AuditOptions) -> Days:
    """Return the whole days of a log; none where no request has a time."""
    if not spend or period.start is None or period.end is None:
        return Days(first=dt.date.min, cost=[], saved=[])
    first, last = min(spend), max(spend)
    start, end = (dt.datetime.fromisoformat(time).replace(tzinfo=None) for time in (period.start, period.end))
    if start - _midnight(first) >= _HOUR and _bound(options.since, options) != _midnight(first):
        first += _DAY
    if _midnight(last + _DAY) - end > _HOUR and _bound(options.until, options) != _midnight(last + _DAY):
        last -= _DAY
    dates = [first + index * _DAY for index in range(max(0, (last - first).days + 1))]
    found = [spend.get(date, (0, 0)) for date in dates]
    return Days(first=first, cost=[cost for cost, _ in found], saved=[saved for _, saved in found])


def _midnight(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time())


def _bound(text: str | None, options: AuditOptions) -> dt.datetime | None:
    """Return a bound of the period as a local time."""
    if text is None:
        return None
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo is None else moment.astimezone(zone(options)).replace(tzinfo=None)
