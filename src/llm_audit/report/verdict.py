"""The main result of the audit in sentences and figures, which every report shows first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from llm_audit.document.audit import DEPARTURES, Document, Finding
from llm_audit.report.answers import preference, quality, unmeasured
from llm_audit.report.rhythm import run_rate
from llm_audit.report.stakes import stakes
from llm_audit.report.text import UNKNOWN, count, decimals, fixed, money, plain, plural, share, to_places

_ACTIONS = 3
OVERLAP = "Some of these cover the same requests, so their amounts do not add up."
"""Shown with findings that overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The first screen of every report. Renderers must escape it: it holds names from the policy and the logs."""

    headline: str  # one sentence: the flagship tax in words
    spent: str
    spent_note: str
    rate: str  # spend a month at the log's rhythm, or ""
    rate_note: str
    rate_more: str  # the year, and where the month ends, or ""
    tax: str
    tax_note: str
    quality: str  # a sentence: answers expected to be lost and gained, or ""
    preference: str  # a sentence: readers who would prefer the models used, or ""
    unmeasured: str  # a sentence: a further saving that is not in the tax, or ""
    stakes: str  # a sentence: what limits for stakes hold back, or ""
    floor_note: str  # a sentence: what the floor and the ceiling assume, or ""
    covered: str
    covered_note: str
    audited: str
    audited_note: str
    period: str
    actions: tuple[Finding, ...]  # the first three findings
    actions_note: str  # a caution about adding them up, or ""
    warnings: tuple[str, ...]  # each once


def verdict(document: Document) -> Verdict:
    """Summarise the document."""
    tax, cost, requests, currency = document.flagship_tax, document.cost, document.requests, document.currency
    expected = tax.expected
    priced = cost.priced_requests > 0
    actions = tuple(finding for finding in document.findings if finding.kind not in DEPARTURES)[:_ACTIONS]
    rate, rate_note, rate_more = run_rate(document)
    return Verdict(
        headline=_headline(document),
        spent=money(cost.actual, currency=currency) if priced else UNKNOWN,
        spent_note=_spent_note(document),
        rate=rate,
        rate_note=rate_note,
        rate_more=rate_more,
        tax=money(expected.amount, currency=currency) if priced else UNKNOWN,
        tax_note=f"{share(expected.share)} of spend; {_interval(document)}" if priced else "no request has a price",
        quality=quality(document) if priced else "",
        preference=preference(document) if priced else "",
        unmeasured=unmeasured(document) if priced else "",
        stakes=stakes(document) if priced else "",
        floor_note=_floor_note(document) if priced else "",
        covered=share(tax.covered_share) if priced else UNKNOWN,
        covered_note="of spend could be judged and routed",
        audited=count(requests.audited),
        audited_note=(
            f"of {plural(requests.read, 'record')} read; {plural(requests.duplicates, 'duplicate')},"
            f" {count(requests.not_provider_calls)} not provider calls, {count(requests.rejected)} rejected"
            + (f", {count(requests.out_of_period)} outside the period" if requests.out_of_period else "")
        ),
        period=period(document),
        actions=actions,
        actions_note=OVERLAP if any(finding.overlaps for finding in actions) else "",
        warnings=tuple(dict.fromkeys((*document.warnings, *tax.warnings))),
    )


def _spent_note(document: Document) -> str:
    cost = document.cost
    note = plural(cost.priced_requests, "priced request")
    if cost.unpriced_requests:
        note += f"; {count(cost.unpriced_requests)} without a known price"
    return note


def _interval(document: Document) -> str:
    expected = document.flagship_tax.expected
    low, high = (money(amount, currency=document.currency) for amount in (expected.low, expected.high))
    return f"{expected.confidence * 100:g}% interval {low} to {high}"


def _floor_note(document: Document) -> str:
    tax = document.flagship_tax
    floor, ceiling = (money(estimate.amount, currency=document.currency) for estimate in (tax.floor, tax.ceiling))
    return (
        f"The floor, {floor}, is the tax if everything goes wrong together: all assumptions at their pessimistic ends"
        f" at once. The ceiling, {ceiling}, leaves out every cost of switching."
    )


def _headline(document: Document) -> str:
    expected, currency = document.flagship_tax.expected, document.currency
    if not document.cost.priced_requests:
        return "No request has a known price, so the flagship tax is unknown."
    amount = Decimal(expected.amount)
    if amount == 0:
        return "The policy would have cost the same, so there is no flagship tax."
    tax, paid, policy = adding_up(document)
    if amount < 0:
        return (
            f"The policy would have cost an estimated {tax} more: {policy} instead of {paid}. There is no flagship tax."
        )
    low, high = (money(end, currency=currency) for end in (expected.low, expected.high))
    unsure = " The interval includes zero." if Decimal(expected.low) <= 0 else ""
    return (
        f"An estimated {tax} of {paid} was flagship tax ({low} to {high}):"
        f" the {plain(document.policy.name, limit=40)} policy would have cost {policy}.{unsure}"
    )


def adding_up(document: Document) -> tuple[str, str, str]:
    """Write tax (without its sign), spend and policy cost, rounded to the same digit so that they add up as shown."""
    amount, paid = Decimal(document.flagship_tax.expected.amount), Decimal(document.cost.actual)
    places = max(decimals(f"{amount:f}"), decimals(f"{paid:f}"))
    tax, paid = to_places(amount, places), to_places(paid, places)
    amounts = (abs(tax), paid, paid - tax)
    first, second, third = (fixed(each, places, currency=document.currency) for each in amounts)
    return first, second, third


def period(document: Document) -> str:
    """Write the days audited, such as ``2026-09-01 to 2026-09-30 (30 days, UTC)``."""
    span = document.period
    if span.start is None or span.end is None:
        return "no dated requests"
    first, last = span.start[:10], span.end[:10]
    days = first if first == last else f"{first} to {last}"
    return f"{days} ({plural(span.days, 'day')}, {span.timezone})"
