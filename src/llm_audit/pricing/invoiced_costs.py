"""Reconcile a provider's cost export with the computed costs, by provider, model and day."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from llm_audit.catalog import Catalog
from llm_audit.pricing.invoice import Invoice

TOLERANCE = 0.005
"""Share of the invoiced amount within which two amounts agree."""

_KEYS = ("day", "provider", "model_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceComparison:
    """The comparison of an invoice with a log.

    Attributes:
        rows: A row for each ``day``, ``provider`` and ``model_id`` on either side: ``requests``, ``unpriced_requests``,
            ``invoiced_pico``, ``computed_pico``, ``difference_pico`` (invoiced less computed, Int128), ``reason``;
            largest difference first.
        unmatched: Lines of the invoice that could not be compared, with the reason (``invoice.LINES_SCHEMA``).
        outside_pico: Amount invoiced on days the log does not cover, or by providers it does not contain.
    """

    rows: pl.DataFrame
    unmatched: pl.DataFrame
    outside_pico: int


def reconcile_invoice(priced: pl.DataFrame, invoice: Invoice, *, catalog: Catalog) -> InvoiceComparison:
    """Compare an invoice with priced ledger rows, on the days (UTC) and providers the log covers.

    Args:
        priced: Ledger rows with costs (``pricing.price``).
        invoice: The cost export.
        catalog: Names of models on both sides.
    """
    computed = _computed(priced, catalog)
    matched = invoice.lines.filter(pl.col("unmatched").is_null())
    invoiced = matched.group_by(_KEYS).agg(invoiced_pico=pl.col("amount_pico").cast(pl.Int128).sum())
    covered = computed.select("day", "provider").unique()
    inside = invoiced.join(covered, on=["day", "provider"], how="semi")
    outside = invoiced.join(covered, on=["day", "provider"], how="anti")
    billed_providers = inside.select("provider").unique()
    rows = (
        inside.join(computed.join(billed_providers, on="provider", how="semi"), on=_KEYS, how="full", coalesce=True)
        .with_columns(pl.col("invoiced_pico", "computed_pico", "requests", "unpriced_requests").fill_null(0))
        .with_columns(difference_pico=pl.col("invoiced_pico") - pl.col("computed_pico"))
        .with_columns(reason=_reason())
        .select(*_KEYS, "requests", "unpriced_requests", "invoiced_pico", "computed_pico", "difference_pico", "reason")
        .sort(pl.col("difference_pico").abs(), *_KEYS, descending=[True, False, False, False])
    )
    return InvoiceComparison(
        rows=rows,
        unmatched=invoice.lines.filter(pl.col("unmatched").is_not_null()),
        outside_pico=int(outside["invoiced_pico"].sum() or 0),
    )


def _computed(priced: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    names = priced.select(pl.col("provider", "model").cast(pl.String)).unique()
    pairs = names.rows()
    resolved = names.with_columns(
        model_id=pl.Series([catalog.resolve(*pair) or pair[1] for pair in pairs], dtype=pl.String),
        billed_by=pl.Series([catalog.provider(*pair) for pair in pairs], dtype=pl.String),
    )
    rows = priced.select(pl.col("provider", "model").cast(pl.String), "cost_pico", day=pl.col("time").dt.date()).join(
        resolved, on=["provider", "model"], how="left", nulls_equal=True
    )
    return rows.group_by("day", "model_id", provider="billed_by").agg(
        requests=pl.len().cast(pl.Int64),
        unpriced_requests=pl.col("cost_pico").null_count().cast(pl.Int64),
        computed_pico=pl.col("cost_pico").cast(pl.Int128).sum(),
    )


def _reason() -> pl.Expr:
    invoiced, computed = (pl.col(name).cast(pl.Float64) for name in ("invoiced_pico", "computed_pico"))
    ratio = computed / invoiced
    near = (ratio - 1).abs() <= TOLERANCE
    return (
        pl.when(pl.col("requests") == 0)
        .then(pl.lit("invoiced only: calls that are not in the log"))
        .when(invoiced == 0)
        .then(pl.lit("in the log only: billed elsewhere, not yet, or under another model"))
        .when(near)
        .then(pl.lit("agrees"))
        .when((pl.col("unpriced_requests") > 0) & (ratio < 1))
        .then(pl.lit("some requests of the log have no price or usage"))
        .when((ratio - 2).abs() <= 2 * TOLERANCE)
        .then(pl.lit("invoiced at half: batch calls that the log does not mark"))
        .when(ratio < 1)
        .then(pl.lit("invoiced more: calls that are not in the log, or tax and fees"))
        .otherwise(pl.lit("invoiced less: a discount or credits, or calls logged twice"))
    )
