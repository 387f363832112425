"""Tie invoices out with an audit, by provider and month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from llm_audit.document.audit import Document, Invoice, InvoiceLine, InvoiceMonth
from llm_audit.money import usd
from llm_audit.pricing import tie_out

if TYPE_CHECKING:
    from llm_audit.catalog import Catalog
    from llm_audit.pricing import Invoice as Export

_UNKNOWN = "unknown"


def with_invoices(
    document: Document, requests: pl.DataFrame, exports: Sequence[Export], *, catalog: Catalog
) -> Document:
    """Return the document with its tie-out with providers' cost exports.

    Args:
        document: The audit, in US dollars.
        requests: Its row a request (``Audit.requests``).
        exports: The exports (``pricing.read_invoice``).
        catalog: Names of models and providers.
    """
    lines = pl.concat([each.lines.with_columns(file=pl.lit(str(each.path))) for each in exports])
    months, left_out = tie_out(requests, lines, catalog=catalog)
    found = Invoice(
        files=[str(each.path) for each in exports],
        months=[
            InvoiceMonth(
                provider=row["provider"] or _UNKNOWN,
                month=row["month"] or "",
                requests=row["requests"],
                unpriced_requests=row["unpriced_requests"],
                listed=usd(row["list_pico"]),
                discount=usd(row["list_pico"] - row["computed_pico"]),
                computed=usd(row["computed_pico"]),
                stated=_amount(row["stated_pico"]),
                invoiced=_amount(row["invoiced_pico"]),
                uncovered=_amount(row["uncovered_pico"]),
                difference=_amount(row["difference_pico"]),
                reason=row["reason"],
            )
            for row in months.iter_rows(named=True)
        ],
        left_out=[
            InvoiceLine(
                file=row["file"],
                line=row["line"],
                amount=None if row["unmatched"] == "no amount" else _amount(row["amount_pico"]),
                reason=row["unmatched"] or "no known provider",
            )
            for row in left_out.iter_rows(named=True)
        ],
    )
    return msgspec.structs.replace(document, invoice=found)


def _amount(pico: int | None) -> str | None:
    return None if pico is None else usd(pico)
