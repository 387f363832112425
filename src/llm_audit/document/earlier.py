"""Documents of earlier versions, read as this one writes them: None for what is unknown, where they have zero."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from llm_audit.document.billing import BillingPart
from llm_audit.document.policy import Estimate, FlagshipTax, Sensitivity
from llm_audit.document.spend import BasisRow, Day, GroupRow, InvoiceMonth, Metric

if TYPE_CHECKING:
    from llm_audit.document.audit import Document

_Estimate = TypeVar("_Estimate", bound=Estimate)
_Routed = TypeVar("_Routed", BasisRow, Day)


def with_unknowns(document: Document) -> Document:
    """Return a document of a version before 2.4 with None for each cost and tax that is not known.

    These versions wrote zero for the cost of requests none of which has a price, and the actual cost as the policy's,
    with a tax of zero, where none could be judged and routed.
    """
    tax, rate, billing, invoice = document.flagship_tax, document.run_rate, document.billing, document.invoice
    whole = _judged(document, document.cost.priced_requests, tax.covered_share, moved=tax.moved_requests > 0)
    if not document.cost.priced_requests:
        unpriced = replace(document.cost, actual=None, by_token_type={}, estimated=None, ambiguous=None)
        document, tax = replace(document, cost=unpriced), replace(tax, covered_cost=None)
    if billing is not None:
        billed, other = (_part(document, part) for part in (billing.billed, billing.api_equivalent))
        billing = replace(billing, billed=billed, api_equivalent=other)
    read = replace(
        document,
        groups={name: [_group(document, row) for row in rows] for name, rows in document.groups.items()},
        metrics=[_metric(document, metric) for metric in document.metrics],
        billing=billing,
        invoice=None if invoice is None else replace(invoice, months=[_month(month) for month in invoice.months]),
    )
    if not whole:
        read = replace(
            read,
            flagship_tax=_untaxed(tax),
            daily=_unrouted(read.daily),
            basis=_unrouted(read.basis),
            metrics=[replace(one, value=None, stderr=None) if _is_tax(one) else one for one in read.metrics],
            sensitivity=Sensitivity(frontier=[], tornado=[]),
            trace_routing=None,
        )
    if rate is not None and not read.knows_headline_tax:
        read = replace(read, run_rate=replace(rate, tax_monthly=None, tax_annual=None))
    return read


def _judged(document: Document, priced: int, covered_share: float | None, *, moved: bool) -> bool:
    """Return whether any of some requests could be judged and routed.

    Args:
        document: What they are of.
        priced: How many of them have a price.
        covered_share: Of their cost, rounded; None in documents that do not say it.
        moved: Whether any of them moves.
    """
    return priced > 0 and (covered_share != 0 or moved or not document.policy.routes_any)


def _untaxed(tax: FlagshipTax) -> FlagshipTax:
    expected = replace(_unknown(tax.expected), low=None, high=None, share_low=None, share_high=None, parts=[])
    return replace(tax, ceiling=_unknown(tax.ceiling), expected=expected, floor=_unknown(tax.floor))


def _unknown(estimate: _Estimate) -> _Estimate:
    return replace(estimate, amount=None, share=None, policy_cost=None)


def _unrouted(rows: Sequence[_Routed]) -> list[_Routed]:
    return [replace(row, policy_cost=None) for row in rows]


def _part(document: Document, part: BillingPart | None) -> BillingPart | None:
    if part is None:
        return None
    moved = Decimal(part.flagship_tax or 0) != 0
    if _judged(document, part.priced_requests, part.covered_share, moved=moved):
        return part
    expected = None if part.expected is None else _unknown(part.expected)
    cost = part.cost if part.priced_requests else None
    return replace(part, cost=cost, policy_cost=None, flagship_tax=None, share=None, expected=expected)


def _group(document: Document, row: GroupRow) -> GroupRow:
    priced = row.requests - row.unpriced_requests
    if not priced:
        return replace(row, cost=None, cost_share=None, policy_cost=None, flagship_tax=None)
    if _judged(document, priced, row.covered_share, moved=row.moved_requests > 0):
        return row
    return replace(row, policy_cost=None, flagship_tax=None)


def _month(month: InvoiceMonth) -> InvoiceMonth:
    if not month.requests or month.unpriced_requests < month.requests:
        return month
    return replace(month, listed=None, discount=None, computed=None, difference=None)


def _metric(document: Document, metric: Metric) -> Metric:
    """Return a metric without its value where it is the tax of requests of which none could be judged."""
    _, bracket, group = metric.name.partition("[")
    abstained = f"abstained_share{bracket}{group}"
    unjudged = any(one.name == abstained and (one.value or 0) >= 1 for one in document.metrics)
    if not _is_tax(metric) or not unjudged or not document.policy.routes_any:
        return metric
    return replace(metric, value=None, stderr=None)


def _is_tax(metric: Metric) -> bool:
    return metric.name.startswith("flagship_tax")
