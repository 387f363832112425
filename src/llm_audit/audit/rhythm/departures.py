"""Spikes, drops and shifts of a log with their causes, and the findings that say so."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

import polars as pl

from llm_audit.audit.options import AuditOptions
from llm_audit.audit.rhythm.causes import Cause, cause, daily_use
from llm_audit.audit.rhythm.days import Days, daily_spend, whole_days
from llm_audit.audit.rhythm.detect import Found, comparable, detect
from llm_audit.document.audit import Finding, Period
from llm_audit.document.rhythm import Departure
from llm_audit.money import PICO_PER_USD, total_pico, usd

_MOST = 10


def departures(sums: pl.DataFrame, period: Period, *, options: AuditOptions) -> list[Departure]:
    """Return the days whose spend departs from the log's rhythm, by date: at most the ten that differ most."""
    days = whole_days(daily_spend(sums), period, options)
    weekdays = days.weekdays()
    found = detect(weekdays, [float(cost) for cost in days.cost])
    if not found:
        return []
    use = daily_use(sums)
    made = [_departure(one, days, weekdays, use) for one in found]
    largest = sorted(made, key=lambda one: (-abs(total_pico(one.amount)), one.start))[:_MOST]
    return sorted(largest, key=lambda one: (one.start, one.kind))


def _departure(found: Found, days: Days, weekdays: Sequence[int], use: pl.DataFrame) -> Departure:
    weights: dict[dt.date, Fraction] = defaultdict(Fraction)
    for day in found.days:
        alike = comparable(weekdays, day, found.usual)
        for index in alike:
            weights[days.date(index)] += Fraction(1, len(alike))
    explained: Cause = cause(use, [days.date(index) for index in found.days], weights)
    return Departure(
        kind="shift" if found.kind == "shift" else "drop" if explained.difference_pico < 0 else "spike",
        start=days.date(found.start).isoformat(),
        end=days.date(found.days[-1]).isoformat(),
        days=len(found.days),
        cost=usd(explained.cost_pico),
        usual_cost=usd(explained.cost_pico - explained.difference_pico),
        amount=usd(explained.difference_pico),
        parts=explained.parts,
        owners=explained.owners,
    )


def departure_findings(found: Sequence[Departure], sums: pl.DataFrame) -> list[Finding]:
    """Return a finding for each departure, largest first; their amounts are no savings, so they come after those."""
    ranked = sorted(found, key=lambda one: (-abs(total_pico(one.amount)), one.start))
    dated = sums.filter(pl.col("date").is_not_null())
    return [_finding(one, _requests(one, dated)) for one in ranked]


def _requests(one: Departure, dated: pl.DataFrame) -> int:
    inside = pl.col("date").is_between(dt.date.fromisoformat(one.start), dt.date.fromisoformat(one.end))
    return int(dated.filter(inside)["requests"].sum() or 0)


def _finding(one: Departure, requests: int) -> Finding:
    rose = not one.amount.startswith("-")
    span = one.start if one.start == one.end else f"{one.start} to {one.end}"
    size = _dollars(one.amount.lstrip("-"))
    when = f"from {one.start} on" if one.kind == "shift" else f"on {span}"
    parts = ", ".join(f"{part.name.replace('_', ' ')} {_signed(part.amount)}" for part in one.parts)
    until = (dt.date.fromisoformat(one.end) + dt.timedelta(days=1)).isoformat()
    return Finding(
        kind=one.kind,
        title=f"Spend was {size} {'above' if rose else 'below'} its weekly rhythm {when}",
        detail=f"{_dollars(one.cost)} instead of {_dollars(one.usual_cost)}. {_owners(one)} By part: {parts}.",
        action=f"Find out what changed: audit these days alone, with `--since {one.start} --until {until}`.",
        amount=one.amount,
        low=None,
        high=None,
        requests=requests,
        subject=span,
        p_suffices=None,
        overlaps=True,
    )


def _owners(one: Departure) -> str:
    named = [
        " ".join(
            [
                *([f"app {owner.app}"] if owner.app else []),
                *([f"of team {owner.team}"] if owner.team else []),
                f"on {owner.model}",
                _signed(owner.amount),
            ]
        )
        for owner in one.owners
        if owner.model is not None
    ]
    return f"Most of it: {', '.join(named)}." if named else ""


def _signed(amount: str) -> str:
    size = amount.lstrip("-")
    return _dollars("0") if not total_pico(size) else f"{'-' if amount.startswith('-') else '+'}{_dollars(size)}"


def _dollars(amount: str) -> str:
    dollars = total_pico(amount) / PICO_PER_USD
    return f"${dollars:,.2f}" if dollars >= 1 or not dollars else f"${dollars:.2g}"
