"""The run rate and unusual days as sentences and labels."""

from __future__ import annotations

from decimal import Decimal

from llm_audit.document.audit import Departure, Document, Finding, Projection
from llm_audit.document.sampling import in_words
from llm_audit.report.text import UNKNOWN, fixed, money, plain, to_places


def run_rate(document: Document) -> tuple[str, str, str]:
    """Write the monthly run rate, a note and a further note; an unknown one with its reason, "" where there is none."""
    rate = document.run_rate
    if rate is None:
        return "", "", ""
    if rate.monthly is None or rate.annual is None:
        return UNKNOWN, f"a month: {plain(rate.reason or '', limit=200)}", ""
    currency = document.currency
    note = f"a month ({_range(rate.monthly, currency)})"
    if rate.tax_monthly is not None and document.knows_headline_tax:
        note += f"; flagship tax {about(rate.tax_monthly, currency)} a month"
    more = [f"{about(rate.annual.amount, currency)} a year"]
    if (end := rate.month_end) is not None and (end.expected_days or document.sampling_rate != 1):
        verb = "ends at" if end.expected_days else "came to"
        more.append(f"{end.month} {verb} {about(end.amount, currency)} ({_range(end, currency)})")
    if rate.first_day is not None and any(one.kind == "shift" for one in document.departures):
        more.append(f"at the level since {rate.first_day}")
    return about(rate.monthly.amount, currency), note, "; ".join(more)


def sampling(document: Document) -> str:
    """Say that the logs are a sample, and which figures are scaled; "" where they hold all traffic."""
    if document.sampling_rate == 1:
        return ""
    return (
        f"These logs are declared a sample of {in_words(document.sampling_rate)}: figures a month and a year are scaled"
        " to all traffic, and all others are of the logs alone."
    )


def about(amount: str, currency: str) -> str:
    """Write an amount of which three digits are known.

    >>> about("1244.70", "USD"), about("51.77", "USD"), about("0.00", "USD")
    ('≈ $1,240', '≈ $51.8', '≈ $0')
    """
    return f"≈ {_three_digits(amount, currency)}"


def _three_digits(amount: str, currency: str) -> str:
    value = Decimal(amount)
    places = 2 - value.adjusted() if value else 0
    return fixed(to_places(value, places), max(0, places), currency=currency)


def _range(projection: Projection, currency: str) -> str:
    return f"{_three_digits(projection.low, currency)} to {_three_digits(projection.high, currency)}"


def a_month(finding: Finding, currency: str) -> str:
    """Write what a finding saves a month; "" where the run rate is unknown."""
    return "" if finding.monthly is None else f"{about(finding.monthly, currency)} a month"


def change(one: Departure, currency: str) -> str:
    """Write by how much spend departs, with its sign."""
    return f"{'' if one.amount.startswith('-') else '+'}{money(one.amount, currency=currency)}"


def owners(one: Departure, currency: str) -> str:
    """Write whose use of which model makes up most of a departure."""
    named = []
    for owner in one.owners:
        who = [name for name in (owner.app, owner.team) if name]
        what = (
            "others" if owner.model is None else f"{plain('/'.join(reversed(who)) or 'no name')}, {plain(owner.model)}"
        )
        named.append(f"{what} {_signed(owner.amount, currency)}")
    return "; ".join(named)


def _signed(amount: str, currency: str) -> str:
    return f"{'+' if Decimal(amount) > 0 else ''}{money(amount, currency=currency)}"
