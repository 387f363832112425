"""Tie invoices out with an audit, by provider and month."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from llm_audit.document.audit import Document, Invoice, InvoiceLine, InvoiceMonth
from llm_audit.document.sampling import scale
from llm_audit.money import PICO_PER_USD, usd
from llm_audit.pricing import tie_out

if TYPE_CHECKING:
    from llm_audit.pricing import Invoice as Export

_UNKNOWN = "unknown"
_SCALED = ("list_pico", "computed_pico", "stated_pico")


def with_invoices(document: Document, days: pl.DataFrame, exports: Sequence[Export]) -> Document:
    """Return the document with its tie-out with providers' cost exports.

    An invoice is for all traffic: costs of logs that are a sample are scaled to it first.

    Args:
        document: The audit, in US dollars.
        days: Its costs by day and provider (``pricing.costs_by_day``, or ``days_of`` a saved audit).
        exports: The exports (``pricing.read_invoice``).
    """
    lines = pl.concat([each.lines.with_columns(file=pl.lit(str(each.path))) for each in exports])
    times = scale(document.sampling_rate)
    scaled = days.with_columns(pl.col(name) * times.numerator // times.denominator for name in _SCALED)
    months, left_out = tie_out(scaled, lines)
    found = Invoice(
        files=[str(each.path) for each in exports],
        months=[
            InvoiceMonth(
                provider=row["provider"] or _UNKNOWN,
                month=row["month"] or "",
                requests=row["requests"],
                unpriced_requests=row["unpriced_requests"],
                listed=_amount(row["list_pico"]),
                discount=None if row["list_pico"] is None else usd(row["list_pico"] - row["computed_pico"]),
                computed=_amount(row["computed_pico"]),
                stated=_amount(row["stated_pico"]),
                invoiced=_amount(row["invoiced_pico"]),
                uncovered=_amount(row["uncovered_pico"]),
                difference=_amount(row["difference_pico"]),
                reason=_sampling_error(document, row["computed_pico"], row["difference_pico"]) or row["reason"],
            )
            for row in months.iter_rows(named=True)
        ],
        left_out=[
            InvoiceLine(
                file=row["file"],
                line=row["line"],
                amount=_amount(row["amount_pico"]),
                reason=row["unmatched"] or "no known provider",
            )
            for row in left_out.iter_rows(named=True)
        ],
    )
    return msgspec.structs.replace(document, invoice=found)


def _sampling_error(document: Document, computed: int | None, difference: int | None) -> str | None:
    """Return the cause of a difference that sampling conversations explains; None where it does not."""
    rate, confidence = document.sampling_rate, document.flagship_tax.expected.confidence
    whole = next((metric for metric in document.metrics if metric.name == "total_cost"), None)
    if rate == 1 or not difference or computed is None or whole is None or not whole.value:
        return None
    # The mean cost of the conversation that a dollar is in, as in audit.rhythm.run_rate.
    conversation = (whole.stderr or 0.0) ** 2 / whole.value
    spread = math.sqrt((1 - rate) / rate * computed / PICO_PER_USD * conversation)
    margin = NormalDist().inv_cdf((1 + confidence) / 2) * spread
    if abs(difference) > margin * PICO_PER_USD:
        return None
    return f"within the sampling error, ±${margin:,.2f} at {confidence:.0%}"


def _amount(pico: int | None) -> str | None:
    return None if pico is None else usd(pico)
