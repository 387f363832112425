"""Dates in the names of objects and folders, by which what a period rules out is not read."""

from __future__ import annotations

import datetime as dt
import re
from typing import Self

import msgspec

from llm_audit.errors import UsageError

MARGIN = dt.timedelta(days=1)
"""A record may lie beside its day: its writer's day ends at another hour, and late records go with the next."""

_UNITS = {
    "Y": r"(?P<Y>\d{4})",
    "m": r"(?P<m>1[0-2]|0[1-9]|[1-9])",
    "d": r"(?P<d>[12]\d|3[01]|0[1-9]|[1-9])",
    "H": r"(?P<H>1\d|2[0-3]|0\d|\d)",
}
_ORDER = "YmdH"
_HIVE = (
    re.compile(rf"(?:^|/)(?:dt|date)={_UNITS['Y']}(-?)(?P<m>\d\d)\2(?P<d>\d\d)(?!\d)"),
    re.compile(rf"(?:^|/)year={_UNITS['Y']}/(?:month={_UNITS['m']}/(?:day={_UNITS['d']}/(?:hour={_UNITS['H']}/)?)?)?"),
)


class KeyDates(msgspec.Struct, frozen=True):
    """A period, and where a name says to which time its records belong.

    Without a pattern these are partitions as Hive names them: ``dt=``, ``date=`` and ``year=/month=/day=``.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    patterns: tuple[re.Pattern[str], ...] = _HIVE

    @classmethod
    def of(cls, pattern: str | None, *, since: dt.datetime | None = None, until: dt.datetime | None = None) -> Self:
        """Return the dates that a pattern such as ``%Y/%m/%d`` finds.

        Raises:
            UsageError: The pattern has no year, leaves a unit out, or has one that is not known.
        """
        return cls(since, until, _HIVE if pattern is None else (_compiled(pattern),))

    def span(self, name: str) -> tuple[dt.datetime, dt.datetime] | None:
        """Return the time, in UTC, that a name states for its records, from its start to its end; None for none."""
        for pattern in self.patterns:
            for match in pattern.finditer(name):
                stated = {unit: int(value) for unit, value in match.groupdict().items() if value is not None}
                try:
                    return _span(stated)
                except ValueError:  # such as 31 February
                    continue
        return None

    def rules_out(self, name: str) -> bool:
        """Return whether the time that a name states is outside the period, by more than the margin."""
        if self.since is None and self.until is None:
            return False
        span = self.span(name)
        if span is None:
            return False
        early = self.since is not None and span[1] + MARGIN <= self.since
        return early or (self.until is not None and span[0] - MARGIN >= self.until)


def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"%(.)", pattern)
    units = pieces[1::2]
    if units != list(dict.fromkeys(units)) or "".join(sorted(units, key=_ORDER.find)) not in ("Y", "Ym", "Ymd", "YmdH"):
        raise UsageError(
            f"--key-date {pattern!r} is no pattern of a date: it takes %Y, %m, %d and %H, each once, and none without "
            "those before it. Examples are %Y/%m/%d and dt=%Y-%m-%d."
        )
    text = "".join(_UNITS[piece] if place % 2 else re.escape(piece) for place, piece in enumerate(pieces))
    return re.compile(rf"(?<!\d){text}(?!\d)")


def _span(stated: dict[str, int]) -> tuple[dt.datetime, dt.datetime]:
    year, month = stated["Y"], stated.get("m")
    start = dt.datetime(year, month or 1, stated.get("d", 1), stated.get("H", 0), tzinfo=dt.UTC)
    if month is None:
        return start, start.replace(year=year + 1)
    if "d" not in stated:
        return start, (start + dt.timedelta(days=31)).replace(day=1)
    return start, start + (dt.timedelta(hours=1) if "H" in stated else dt.timedelta(days=1))


def outside_period(place: str, count: int, unit: str) -> str:
    """Return the note on files, objects or folders that a period rules out by their names."""
    return f"{place}: {count:,} {unit}{'' if count == 1 else 's'} not read: the date in the name is outside the period"
