"""Parts of the audit document about time: the run rate, and days that depart from the log's rhythm."""

from __future__ import annotations

import msgspec

from llm_audit.document.values import Amount, Count, Number

DEPARTURES = frozenset({"spike", "drop", "shift"})
"""Kinds of findings whose amounts are departures from the log's rhythm, not savings."""


class Projection(msgspec.Struct, kw_only=True, frozen=True):
    """Spend expected of a span, with the interval that it will lie in if the rhythm goes on."""

    amount: Amount
    low: Amount
    high: Amount


class MonthEnd(Projection, kw_only=True, frozen=True):
    """The calendar month of the last request: what was spent, and the rhythm for the days that are not known whole."""

    month: str  # 2026-09
    spent: Amount
    expected_days: Count  # days that the rhythm stands in for; at 0 the amount is what was spent


class RunRate(msgspec.Struct, kw_only=True, frozen=True):
    """Spend a month and a year at the log's own weekly rhythm; ``None`` with a ``reason`` where it is unknown.

    Amounts are of all traffic: the log's own divided by the document's ``sampling_rate``, as are those a month of
    findings.
    """

    reason: str | None
    whole_days: Count  # days that it rests on: those known to be whole, since spend last shifted
    confidence: Number
    first_day: str | None = None  # the first of them
    rhythm: str | None = None  # day_of_week, or workday_weekend where there are too few weeks
    by_weekday: list[Amount] = []  # mean spend from Monday to Sunday
    monthly: Projection | None = None  # of 365.25 / 12 days
    annual: Projection | None = None  # of 365.25 days
    month_end: MonthEnd | None = None
    tax_monthly: Amount | None = None  # expected flagship tax; None where nothing billed could be judged and routed
    tax_annual: Amount | None = None


class CausePart(msgspec.Struct, kw_only=True, frozen=True):
    """One part of a departure: requests, model_mix, tokens_per_request or price."""

    name: str
    amount: Amount


class CauseOwner(msgspec.Struct, kw_only=True, frozen=True):
    """What one team's use of one model through one app adds; all ``None`` is the sum of the others."""

    team: str | None
    app: str | None
    model: str | None
    amount: Amount


class Departure(msgspec.Struct, kw_only=True, frozen=True):
    """Days whose spend departs from the log's rhythm. Parts and owners each add up exactly to ``amount``."""

    kind: str  # spike or drop: days above or below; shift: every day from ``start`` on
    start: str
    end: str
    days: Count
    cost: Amount  # spent on these days
    usual_cost: Amount  # spent on as many comparable days: the same days of the week, without other departures
    amount: Amount  # cost - usual_cost; negative where spend fell
    parts: list[CausePart]
    owners: list[CauseOwner]  # largest first
