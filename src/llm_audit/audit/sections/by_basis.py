"""The document's figures by billing basis, from rollups."""

from __future__ import annotations

import calendar
import datetime as dt
from fractions import Fraction

import polars as pl

from llm_audit.audit.aggregate.rollups import GROUPED, by, totals
from llm_audit.audit.billing import Billing, Declaration, is_billed
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.sections.tables.cells import known, routed, share
from llm_audit.document.audit import Billing as Section
from llm_audit.document.audit import BillingPart, BillingRow, Expected, Period
from llm_audit.document.sampling import scale
from llm_audit.money import PICO_PER_USD, usd


def billing(usage: pl.DataFrame, period: Period, options: AuditOptions, *, expected: Expected | None) -> Section:
    """Return requests by basis and declaration, and what is billed apart from what is not.

    Args:
        usage: The requests by how they were used, see ``rollups``.
        period: What they cover.
        options: With the configuration's declarations, and the sampling rate.
        expected: The tax on what is billed, with its interval.
        routes: Whether the policy routes at all, see ``cells.routed``.
    """
    billed = usage.filter(is_billed())
    months = covered_months(period)
    sums = by(usage.with_columns(billed=is_billed()), "billed", "billing_basis", "billing_key", sums=GROUPED).sort(
        ["billed", "cost_pico", "requests", "billing_key"], descending=[True, True, True, False], nulls_last=True
    )
    declared = options.billing
    plans, times = declared.by_key, scale(options.sampling_rate)
    return Section(
        declared=bool(declared.declarations),
        months=None if months is None else round(float(months), 6),
        rows=[_row(row, plans.get(row["billing_key"]), months, times) for row in sums.iter_rows(named=True)],
        billed=_part(billed, expected if billed.height < usage.height else None),
        api_equivalent=_part(usage.filter(~is_billed())),
    )


def covered_months(period: Period) -> Fraction | None:
    """Return the months from the first day to the last, each day as its part of its calendar month."""
    if period.start is None or period.end is None:
        return None
    first, last = (dt.date.fromisoformat(end[:10]) for end in (period.start, period.end))
    days = (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
    return sum((Fraction(1, calendar.monthrange(day.year, day.month)[1]) for day in days), Fraction(0))


def unmatched(usage: pl.DataFrame, declared: Billing) -> list[str]:
    """Warn of declarations that no request matches, which may be misspelled."""
    found = set(usage["billing_key"])
    missing = [key for key in declared.by_key if key not in found]
    if not missing:
        return []
    names = ", ".join(missing)
    return [f"[billing] declares {names}, but no request has such a name without another declaration that comes first."]


def _row(row: dict[str, int], declared: Declaration | None, months: Fraction | None, times: Fraction) -> BillingRow:
    price = None if declared is None else declared.usd_per_month
    plan = None if price is None or months is None else round(Fraction(price) * months * PICO_PER_USD)
    priced = bool(row["priced"])
    return BillingRow(
        basis=str(row["billing_basis"]),
        declared_by=None if declared is None else declared.key,
        requests=int(row["requests"]),
        unpriced_requests=int(row["requests"] - row["priced"]),
        cost=known(row, "cost_pico"),
        policy_cost=routed(row, "expected_pico"),
        flagship_tax=routed(row, "saved_pico"),
        plan_cost=None if plan is None else usd(plan),
        leverage=share(round(row["cost_pico"] * times), plan) if plan and priced else None,
    )


def _part(usage: pl.DataFrame, expected: Expected | None = None) -> BillingPart | None:
    if not usage.height:
        return None
    sums = totals(usage)
    tax = routed(sums, "saved_pico")
    return BillingPart(
        requests=sums["requests"],
        priced_requests=sums["priced"],
        cost=known(sums, "cost_pico"),
        policy_cost=routed(sums, "expected_pico"),
        flagship_tax=tax,
        share=None if tax is None else share(sums["saved_pico"], sums["cost_pico"]),
        covered_share=share(sums["covered_pico"], sums["cost_pico"]),
        expected=expected,
    )
