"""The run rate: what a month and a year cost at the log's own weekly rhythm, and where the month will end.

Of logs that are a sample, each day's spend is first scaled to all traffic. Sampling makes days differ more, so it is in
the residuals that the interval is made of, and with it in the interval: for days to come it is rather too wide, since
all of their traffic is paid for. Days that the end of the month takes as they were have no such error of their own, and
get that of Poisson sampling of conversations (Horvitz and Thompson 1952).
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Mapping
from statistics import NormalDist

import polars as pl

from llm_audit.audit.aggregate.rollups import judged, totals
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.rhythm.days import WEEK, Days, daily_spend, whole_days
from llm_audit.audit.rhythm.detect import detect
from llm_audit.audit.rhythm.weekly import Rhythm, fit
from llm_audit.document.audit import Period
from llm_audit.document.rhythm import MonthEnd, Projection, RunRate
from llm_audit.document.sampling import scale
from llm_audit.money import usd

_YEAR = 365.25
_MONTH = _YEAR / 12


def run_rate(sums: pl.DataFrame, period: Period, *, options: AuditOptions, conversation_pico: float = 0.0) -> RunRate:
    """Return the run rate of priced requests that have a time; unknown where fewer than seven days are whole.

    Args:
        sums: The requests by day, see ``rollups``.
        period: What they cover.
        options: Of the audit.
        conversation_pico: The mean cost of the conversation that a dollar of the log is in: of logs that are a sample.
    """
    spend = _of_all_traffic(daily_spend(sums), options)
    days = whole_days(spend, period, options)
    reason = _unknown(sums, days)
    if reason is not None:
        return RunRate(reason=reason, whole_days=len(days), confidence=options.confidence)
    recent = _since_shift(days)
    weekdays = recent.weekdays()
    rhythm = fit(weekdays, [float(cost) for cost in recent.cost])
    taxed = judged(totals(sums))
    tax = fit(weekdays, [float(saved) for saved in recent.saved])
    month, year = ([length / WEEK] * WEEK for length in (_MONTH, _YEAR))
    return RunRate(
        reason=None,
        whole_days=len(recent),
        confidence=options.confidence,
        first_day=recent.first.isoformat(),
        rhythm=rhythm.name,
        by_weekday=[usd(round(mean)) for mean in rhythm.means],
        monthly=_projection(rhythm, month, options),
        annual=_projection(rhythm, year, options),
        month_end=_month_end(spend, days, rhythm, options, conversation_pico=conversation_pico),
        tax_monthly=usd(round(tax.expected(month))) if taxed else None,
        tax_annual=usd(round(tax.expected(year))) if taxed else None,
    )


def _of_all_traffic(spend: Mapping[dt.date, tuple[int, int]], options: AuditOptions) -> dict[dt.date, tuple[int, int]]:
    """Return cost and saving by date, pico-dollars, scaled from a sample."""
    times = scale(options.sampling_rate)
    if times == 1:  # products of fractions take a while
        return dict(spend)
    return {date: (round(cost * times), round(saved * times)) for date, (cost, saved) in spend.items()}


def rate_days(sums: pl.DataFrame, period: Period, options: AuditOptions) -> Days | None:
    """Return the whole days that the run rate rests on; None where it is unknown."""
    days = whole_days(_of_all_traffic(daily_spend(sums), options), period, options)
    return _since_shift(days) if _unknown(sums, days) is None else None


def monthly_saving(spend: Mapping[dt.date, tuple[int, int]], days: Days, *, options: AuditOptions) -> int:
    """Return what some requests would save a month at the rhythm of the days given, pico-dollars of all traffic.

    Args:
        spend: Their cost and saving by date, see ``daily_spend``.
        days: The days that the run rate rests on.
        options: Of the audit.
    """
    of_all = _of_all_traffic(spend, options)
    saved = [float(of_all.get(days.date(index), (0, 0))[1]) for index in range(len(days))]
    return round(fit(days.weekdays(), saved).expected([_MONTH / WEEK] * WEEK))


def _unknown(sums: pl.DataFrame, days: Days) -> str | None:
    """Return the reason why there is no run rate, None where there is one."""
    if not sums["priced"].sum():
        return "no request has a price"
    if len(days) >= WEEK:
        return None
    whole = f"{len(days)} whole {'day' if len(days) == 1 else 'days'}"
    return f"the log has {whole}, and {WEEK} are needed"


def _since_shift(days: Days) -> Days:
    """Return the days since spend last shifted to another level, which further days will have."""
    shifts = [found for found in detect(days.weekdays(), [float(cost) for cost in days.cost]) if found.kind == "shift"]
    return days.since(shifts[-1].start) if shifts else days


def _projection(rhythm: Rhythm, days: list[float], options: AuditOptions) -> Projection:
    amount, half = rhythm.expected(days), rhythm.margin(days, confidence=options.confidence)
    return Projection(
        amount=usd(round(amount)), low=usd(round(max(0.0, amount - half))), high=usd(round(amount + half))
    )


def _month_end(
    spend: dict[dt.date, tuple[int, int]],
    days: Days,
    rhythm: Rhythm,
    options: AuditOptions,
    *,
    conversation_pico: float,
) -> MonthEnd:
    """Return the month of the last request: whole days as they were, others at the rhythm or at what they cost."""
    last = max(spend)
    known = {days.date(index): cost for index, cost in enumerate(days.cost)}
    length = calendar.monthrange(last.year, last.month)[1]
    total, spent, expected = 0, 0, [0.0] * WEEK
    for number in range(1, length + 1):
        date = last.replace(day=number)
        cost = spend.get(date, (0, 0))[0]
        spent += cost
        if date in known:
            total += cost
        else:
            total += max(cost, round(rhythm.means[date.weekday()]))
            expected[date.weekday()] += 1
    ahead = rhythm.margin(expected, confidence=options.confidence) if any(expected) else 0.0
    half = round(math.hypot(ahead, _sampling_margin(spent, conversation_pico, options)))
    logged = round(spent / scale(options.sampling_rate))
    return MonthEnd(
        month=f"{last:%Y-%m}",
        spent=usd(spent),
        expected_days=round(sum(expected)),
        amount=usd(total),
        low=usd(max(logged, total - half)),
        high=usd(total + half),
    )


def _sampling_margin(spent: int, conversation_pico: float, options: AuditOptions) -> float:
    """Return by how much spend that is scaled from a sample of conversations may be off, pico-dollars."""
    rate = options.sampling_rate
    variance = (1 - rate) / rate * spent * conversation_pico
    return NormalDist().inv_cdf((1 + options.confidence) / 2) * math.sqrt(variance)
