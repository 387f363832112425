"""The main result of the audit in sentences and figures, which every report shows first."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from llm_audit.document.audit import DEPARTURES, FEW_CLUSTERS, BillingPart, Document, Expected, Finding
from llm_audit.report.answers import preference, quality, unmeasured
from llm_audit.report.rhythm import run_rate, sampling
from llm_audit.report.stakes import stakes
from llm_audit.report.text import UNKNOWN, count, decimals, fixed, money, plain, plural, share, to_places
from llm_audit.vocabulary import rejection_remedy, rejection_words

_ACTIONS = 3
OVERLAP = "Some of these cover the same requests, so their amounts do not add up."
"""Shown with findings that overlap."""
NOTHING_MOVES = "the policy moves no request"
"""Shown in place of an interval: what is zero by construction is not measured."""
AT_API_PRICES = "Amounts are at API prices, also of requests that were not billed."
"""Shown with figures of all requests, where some were billed and others were not."""


class Verdict(msgspec.Struct, kw_only=True, frozen=True):
    """The first screen of every report. Renderers must escape it: it holds names from the policy and the logs."""

    headline: str  # the flagship tax in words: a sentence, or one for what is billed and one for what is not
    spent: str
    spent_amount: str | None  # exact; None where it is unknown
    spent_note: str
    rate: str  # spend a month at the log's rhythm, or ""
    rate_note: str
    rate_more: str  # the year, and where the month ends, or ""
    sampling: str  # a sentence: the logs are a sample, or ""
    tax: str
    tax_amount: str | None  # exact; None where it is unknown
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
    rejected: str  # a sentence: records that could not be read, and what to do, or ""
    warnings: tuple[str, ...]  # each once


def verdict(document: Document) -> Verdict:
    """Summarise the document."""
    tax, cost, requests, currency = document.flagship_tax, document.cost, document.requests, document.currency
    expected = tax.expected
    priced = cost.priced_requests > 0
    actions = tuple(finding for finding in document.findings if finding.kind not in DEPARTURES)[:_ACTIONS]
    rate, rate_note, rate_more = run_rate(document)
    parts = document.apart
    spent, taxed = (cost.actual, expected.amount) if parts is None else (parts[0].cost, parts[0].flagship_tax)
    return Verdict(
        headline=_headline(document),
        spent=money(spent, currency=currency),
        spent_amount=spent,
        spent_note=_spent_note(document),
        rate=rate,
        rate_note=f"{_kind(document)} {rate_note}".lstrip() if rate else rate_note,
        rate_more=rate_more,
        sampling=sampling(document),
        tax=UNKNOWN if taxed is None else money(taxed, currency=currency),
        tax_amount=taxed,
        tax_note=_tax_note(document) if priced else "no request has a price",
        quality=quality(document) if priced else "",
        preference=preference(document) if priced else "",
        unmeasured=unmeasured(document) if priced else "",
        stakes=stakes(document) if priced else "",
        floor_note=_floor_note(document) if document.knows_tax else "",
        covered=share(tax.covered_share) if priced else UNKNOWN,
        covered_note=_covered_note(document),
        audited=count(requests.audited),
        audited_note=(
            f"of {plural(requests.read, 'record')} read; {plural(requests.duplicates, 'duplicate')},"
            f" {count(requests.not_provider_calls)} not provider calls, {count(requests.rejected)} rejected"
            + (f", {count(requests.out_of_period)} outside the period" if requests.out_of_period else "")
        ),
        period=period(document),
        actions=actions,
        actions_note=_actions_note(document, actions),
        rejected=_rejected(document),
        warnings=tuple(dict.fromkeys((*document.warnings, *tax.warnings))),
    )


def _rejected(document: Document) -> str:
    """Return how many records were rejected, with the most frequent reason, its first place and what to do."""
    if not document.rejected:
        return ""
    reason, total = document.rejected[0], document.requests.rejected
    part = "" if len(document.rejected) == 1 else f"{reason.count:,} "
    place = "".join(f", first {example.file}:{example.line}" for example in reason.examples[:1])
    what = f"{plural(total, 'record')} {'was' if total == 1 else 'were'} rejected"
    return f"{what}: {part}{rejection_words(reason.reason)}{place}. {rejection_remedy([reason.reason])}"


def _actions_note(document: Document, actions: tuple[Finding, ...]) -> str:
    notes = [OVERLAP] if any(finding.overlaps for finding in actions) else []
    return " ".join([*notes, AT_API_PRICES] if actions and document.apart else notes)


def _spent_note(document: Document) -> str:
    cost, parts, kind = document.cost, document.apart, _kind(document)
    note = plural(cost.priced_requests if parts is None else parts[0].priced_requests, "priced request")
    if kind:
        note = f"{kind}, {note}"
    if parts is not None:
        equivalent = money(parts[1].cost, currency=document.currency)
        note += f"; not billed: {equivalent} API-equivalent, {plural(parts[1].priced_requests, 'priced request')}"
    if cost.unpriced_requests:
        note += f"; {count(cost.unpriced_requests)} without a known price"
    return note


def _covered_note(document: Document) -> str:
    parts = document.apart
    if parts is None:
        return "of spend could be judged and routed"
    billed = "" if parts[0].covered_share is None else f", {share(parts[0].covered_share)} of what is billed"
    return f"of spend at API prices could be judged and routed{billed}"


def _tax_note(document: Document) -> str:
    if not document.knows_tax:
        return "no priced request could be judged and routed"
    parts, currency = document.apart, document.currency
    expected = document.flagship_tax.expected
    if parts is None:
        moved = document.flagship_tax.moved_requests
        return f"{share(expected.share)} of spend; {_interval(expected, currency) if moved else NOTHING_MOVES}"
    billed, equivalent = parts
    interval = "" if billed.expected is None else f"; {_interval(billed.expected, currency)}"
    of_billed = f"{share(billed.share)} of billed spend{interval}"
    if billed.flagship_tax is None:
        of_billed = "no billed request could be judged and routed"
    beside = "a tax that is not known"
    if equivalent.flagship_tax is not None:
        beside = f"{money(equivalent.flagship_tax, currency=currency)}, {share(equivalent.share)} of the API-equivalent"
    return f"{of_billed}; not billed: {beside}"


def _interval(expected: Expected, currency: str) -> str:
    if expected.rests_on_few:
        return f"{plural(expected.clusters, 'conversation')}, too few for an interval"
    low, high = (money(amount, currency=currency) for amount in (expected.low, expected.high))
    return f"{expected.confidence * 100:g}% interval {low} to {high}"


def _kind(document: Document) -> str:
    """Write what the dollars are; "" where the configuration declares nothing."""
    billing = document.billing
    if billing is None or not billing.declared:
        return ""
    return "API-equivalent" if billing.billed is None else "billed"


def _floor_note(document: Document) -> str:
    tax = document.flagship_tax
    floor, ceiling = (money(estimate.amount, currency=document.currency) for estimate in (tax.floor, tax.ceiling))
    return (
        f"The floor, {floor}, is the tax if everything goes wrong together: all assumptions at their pessimistic ends"
        f" at once. The ceiling, {ceiling}, leaves out every cost of switching."
        + (f" {AT_API_PRICES}" if document.apart else "")
    )


def _headline(document: Document) -> str:
    actual = document.cost.actual
    if actual is None:
        return "No request has a known price, so the flagship tax is unknown."
    name, currency = plain(document.policy.name, limit=40), document.currency
    parts = document.apart
    kind = _kind(document)
    if not document.knows_tax:
        paid = f"{money(actual, currency=currency)} {kind}".rstrip() if parts is None else "the spend"
        return f"None of {paid} could be judged and routed, so a flagship tax is not known."
    if parts is None:
        return _taxed(document.flagship_tax.expected, actual, name, currency, kind=f" {kind}".rstrip())
    billed, equivalent = parts
    if billed.expected is None or billed.cost is None:
        first = "No billed request has a known price."
    elif billed.flagship_tax is None:
        paid = money(billed.cost, currency=currency)
        first = f"None of {paid} billed could be judged and routed, so its flagship tax is not known."
    else:
        first = _taxed(billed.expected, billed.cost, name, currency, kind=" billed")
    return f"{first} {_beside(document, equivalent)}"


def _beside(document: Document, equivalent: BillingPart) -> str:
    """Write what is not billed, with its own tax."""
    currency = document.currency
    if equivalent.cost is None:
        return "Beside it are requests that were not billed, none with a known price."
    written = equivalent.flagship_tax
    if written is None:
        worth = money(equivalent.cost, currency=currency)
        return f"Beside it, {worth} is API-equivalent and was not billed: none of it could be judged and routed."
    tax, worth, policy = _adding_up(written, equivalent.cost, currency)
    what = f"Beside it, {worth} is API-equivalent and was not billed:"
    amount = Decimal(written)
    if amount == 0:
        return f"{what} the policy would have cost the same."
    if amount < 0:
        return f"{what} the policy would have cost {policy}, {tax} more."
    return f"{what} an estimated {tax} of it was flagship tax, and the policy would have cost {policy}."


def _taxed(expected: Expected, cost: str, name: str, currency: str, *, kind: str) -> str:
    """Write the tax on a cost of a kind, such as " billed", as a sentence."""
    amount = Decimal(expected.amount or 0)
    tax, paid, policy = _adding_up(f"{amount:f}", cost, currency)
    if expected.rests_on_few:
        differs = "cost the same" if amount == 0 else f"cost {policy} instead of {paid}{kind}"
        return (
            f"Only {plural(expected.clusters, 'conversation')}, where {FEW_CLUSTERS} are needed to rely on an estimate:"
            f" by what there is, the policy would have {differs}."
        )
    if amount == 0:
        return "The policy would have cost the same, so there is no flagship tax."
    if amount < 0:
        return (
            f"The policy would have cost an estimated {tax} more: {policy} instead of {paid}{kind}."
            " There is no flagship tax."
        )
    low, high = (money(end, currency=currency) for end in (expected.low, expected.high))
    unsure = " The interval includes zero." if Decimal(expected.low or 0) <= 0 else ""
    return (
        f"An estimated {tax} of {paid}{kind} was flagship tax ({low} to {high}):"
        f" the {name} policy would have cost {policy}.{unsure}"
    )


def adding_up(document: Document) -> tuple[str, str, str]:
    """Write tax (without its sign), spend and policy cost, rounded to the same digit so that they add up as shown.

    Tax and policy cost are "unknown" where they are.
    """
    tax, spent, currency = document.flagship_tax.expected.amount, document.cost.actual, document.currency
    if tax is None or spent is None:
        return UNKNOWN, money(spent, currency=currency), UNKNOWN
    return _adding_up(tax, spent, currency)


def _adding_up(tax_amount: str, cost: str, currency: str) -> tuple[str, str, str]:
    amount, paid = Decimal(tax_amount), Decimal(cost)
    places = max(decimals(f"{amount:f}"), decimals(f"{paid:f}"))
    tax, paid = to_places(amount, places), to_places(paid, places)
    first, second, third = (fixed(each, places, currency=currency) for each in (abs(tax), paid, paid - tax))
    return first, second, third


def period(document: Document) -> str:
    """Write the days audited, such as ``2026-09-01 to 2026-09-30 (requests on 24 of 30 days, UTC)``."""
    span = document.period
    if span.start is None or span.end is None:
        return "no dated requests"
    first, last = span.start[:10], span.end[:10]
    days = first if first == last else f"{first} to {last}"
    calendar = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    counted = plural(span.days, "day") if span.days == calendar else f"requests on {span.days:,} of {calendar:,} days"
    return f"{days} ({counted}, {span.timezone})"
