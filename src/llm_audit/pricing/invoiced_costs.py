"""Reconcile a provider's cost export with the computed costs: by provider, model and day, or by provider and month."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import polars as pl

from llm_audit.catalog import Catalog
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.pricing.invoice import NO_MODEL, Invoice
from llm_audit.vocabulary import API_EQUIVALENT

TOLERANCE = 0.005
"""Share of the invoiced amount within which two amounts agree."""

_KEYS = ("day", "provider", "model_id")


class InvoiceComparison(msgspec.Struct, kw_only=True, frozen=True):
    """The comparison of an invoice with a log.

    Attributes:
        rows: A row for each ``day``, ``provider`` and ``model_id`` on either side: ``requests``, ``unpriced_requests``,
            ``invoiced_pico``, ``computed_pico``, ``difference_pico`` (invoiced less computed, Int128), ``reason``;
            largest difference first, those not known last: the computed cost of requests none of which has a price.
        unmatched: Lines of the invoice that could not be compared, with the reason (``invoice.LINES_SCHEMA``).
        outside_pico: Amount invoiced on days the log does not cover, or by providers it does not contain.
    """

    rows: pl.DataFrame
    unmatched: pl.DataFrame
    outside_pico: int


def reconcile_invoice(parts: Iterable[pl.DataFrame], invoice: Invoice, *, catalog: Catalog) -> InvoiceComparison:
    """Compare an invoice with priced ledger rows, on the days (UTC) and providers the log covers.

    Args:
        parts: Ledger rows with costs (``pricing.price``), part by part.
        invoice: The cost export.
        catalog: Names of models on both sides.
    """
    together = pl.concat(_computed(part, catalog) for part in parts)
    computed = together.group_by(_KEYS).agg(pl.exclude("stated_pico").sum(), _stated())
    matched = invoice.lines.filter(pl.col("unmatched").is_null())
    invoiced = matched.group_by(_KEYS).agg(invoiced_pico=pl.col("amount_pico").cast(pl.Int128).sum())
    covered = computed.select("day", "provider").unique()
    inside = invoiced.join(covered, on=["day", "provider"], how="semi")
    outside = invoiced.join(covered, on=["day", "provider"], how="anti")
    billed_providers = inside.select("provider").unique()
    rows = (
        inside.join(computed.join(billed_providers, on="provider", how="semi"), on=_KEYS, how="full", coalesce=True)
        .with_columns(pl.col("invoiced_pico", "computed_pico", "requests", "unpriced_requests").fill_null(0))
        .with_columns(reason=_reason(), computed_pico=_where_priced("computed_pico"))
        .with_columns(difference_pico=pl.col("invoiced_pico") - pl.col("computed_pico"))
        .select(*_KEYS, "requests", "unpriced_requests", "invoiced_pico", "computed_pico", "difference_pico", "reason")
        .sort(pl.col("difference_pico").abs(), *_KEYS, descending=[True, False, False, False], nulls_last=True)
    )
    return InvoiceComparison(
        rows=rows,
        unmatched=invoice.lines.filter(pl.col("unmatched").is_not_null()),
        outside_pico=int(outside["invoiced_pico"].sum() or 0),
    )


def costs_by_day(priced: pl.DataFrame, *, catalog: Catalog) -> pl.DataFrame:
    """Return what ``tie_out`` compares with an invoice: a row a ``day`` (UTC), ``provider`` and ``billed`` or not.

    Args:
        priced: Ledger rows with costs (``pricing.price``), at published prices where they differ (``list_costs``), and
            with ``billing_basis``; without it all are billed by use.
        catalog: Names of models.
    """
    basis = pl.col("billing_basis") if "billing_basis" in priced.columns else pl.lit(None, pl.String)
    known = priced.with_columns(billed=~basis.is_in(API_EQUIVALENT).fill_null(value=False))
    parts = [
        _computed(part, catalog).drop("model_id").with_columns(billed=pl.lit(part.item(0, "billed"), pl.Boolean))
        for part in known.partition_by("billed")
    ]
    return add_days(pl.concat(parts))


def add_days(rows: pl.DataFrame) -> pl.DataFrame:
    """Sum rows of one day, provider and kind of bill."""
    return rows.group_by("day", "provider", "billed").agg(pl.exclude("stated_pico").sum(), _stated())


def tie_out(days: pl.DataFrame, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tie invoices out with costs by day, by provider and month (UTC).

    A line counts towards its provider's month whether it names a model or not. Requests that are not billed by use are
    on no such invoice, and are in rows of their own.

    Args:
        days: Costs by day and provider (``costs_by_day``).
        lines: Lines of cost exports (``invoice.LINES_SCHEMA``).

    Returns:
        A row for each ``provider`` and ``month`` (null: without a time) on either side: ``requests``,
        ``unpriced_requests``, ``list_pico``, ``computed_pico`` (null where none of the requests has a price),
        ``stated_pico`` (null where no request states a cost),
        ``invoiced_pico`` (null where no line is of the provider), ``uncovered_pico`` (the part of it on days without a
        request), ``difference_pico`` (the rest less ``computed_pico``) and ``reason``; and the lines without a
        provider, a day or an amount in dollars.
    """
    usable = pl.col("provider").is_not_null() & (pl.col("unmatched").is_null() | (pl.col("unmatched") == NO_MODEL))
    invoiced = lines.filter(usable).group_by("day", "provider").agg(pl.col("amount_pico").cast(pl.Int128).sum())
    billed = days.filter("billed").drop("billed")
    both = billed.join(invoiced, on=["day", "provider"], how="full", coalesce=True, nulls_equal=True)
    amount = pl.col("amount_pico").fill_null(0)
    rows = (
        both.group_by("provider", month=pl.col("day").dt.strftime("%Y-%m"))
        .agg(
            pl.col("requests", "unpriced_requests", "list_pico", "computed_pico").fill_null(0).sum(),
            _stated(),
            invoiced_pico=amount.sum(),
            uncovered_pico=amount.filter(pl.col("requests").is_null()).sum(),
        )
        .with_columns(known=pl.col("provider").is_in(invoiced["provider"].to_list()) & pl.col("month").is_not_null())
        .with_columns(covered=pl.col("invoiced_pico") - pl.col("uncovered_pico"))
    )
    amounts = [pl.when("known").then(name).alias(name) for name in ("invoiced_pico", "uncovered_pico")]
    computed = [_where_priced(name).alias(name) for name in ("list_pico", "computed_pico")]
    difference = pl.when("known").then(pl.col("covered") - _where_priced("computed_pico"))
    named = rows.with_columns(
        rows.with_columns(invoiced_pico=pl.col("covered")).select(reason=pl.when("known").then(_reason())).to_series()
    )
    undated, other = pl.lit("no time, so in no month"), pl.lit("no line of this provider on the invoice")
    reason = pl.coalesce("reason", pl.when(pl.col("month").is_null()).then(undated).otherwise(other))
    made = named.with_columns(*amounts, difference_pico=difference, reason=reason).drop("known", "covered")
    unbilled = _not_billed(days.filter(~pl.col("billed"))).select(made.columns)
    months = pl.concat([made, unbilled]).with_columns(computed)
    return months.sort("provider", "month", nulls_last=True, maintain_order=True), lines.filter(~usable)


def _not_billed(days: pl.DataFrame) -> pl.DataFrame:
    """Return the months of requests that no invoice of usage has."""
    nothing = {f"{name}_pico": pl.lit(None, pl.Int128) for name in ("invoiced", "uncovered", "difference")}
    return (
        days.group_by("provider", month=pl.col("day").dt.strftime("%Y-%m"))
        .agg(pl.col("requests", "unpriced_requests", "list_pico", "computed_pico").sum(), _stated())
        .with_columns(**nothing, reason=pl.lit("not billed by use: at the prices of an API"))
    )


def _where_priced(cost: str) -> pl.Expr:
    """Return a cost of the requests of a row; null where none of them has a price."""
    return pl.when((pl.col("requests") == 0) | (pl.col("unpriced_requests") < pl.col("requests"))).then(cost)


def _stated() -> pl.Expr:
    """Add up stated costs: null where none is known."""
    return pl.when(pl.col("stated_pico").is_not_null().any()).then(pl.col("stated_pico").sum()).alias("stated_pico")


def _computed(priced: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    names = priced.select(pl.col("provider", "model").cast(pl.String)).unique()
    pairs = names.rows()
    resolved = names.with_columns(
        model_id=pl.Series([catalog.resolve(*pair) or pair[1] for pair in pairs], dtype=pl.String),
        billed_by=pl.Series([catalog.provider(*pair) for pair in pairs], dtype=pl.String),
    )
    rows = priced.select(
        pl.col("provider", "model").cast(pl.String),
        "cost_pico",
        list_pico=_list_cost(priced),
        stated_pico=pl.col("stated_cost_pico") if "stated_cost_pico" in priced.columns else pl.lit(None, pl.Int64),
        day=pl.col("time").dt.date(),
    ).join(resolved, on=["provider", "model"], how="left", nulls_equal=True)
    return rows.group_by("day", "model_id", provider="billed_by").agg(
        requests=pl.len().cast(pl.Int64),
        unpriced_requests=pl.col("cost_pico").null_count().cast(pl.Int64),
        computed_pico=pl.col("cost_pico").cast(pl.Int128).sum(),
        list_pico=pl.col("list_pico").cast(pl.Int128).sum(),
        stated_pico=pl.when(pl.col("stated_pico").is_not_null().any()).then(
            pl.col("stated_pico").cast(pl.Int128).sum()
        ),
    )


def _list_cost(priced: pl.DataFrame) -> pl.Expr:
    """Return the cost at published prices; where nobody publishes one, the cost."""
    parts = [f"cost_{kind}_pico" for kind in (*TOKEN_TYPES, "per_call")]
    if f"list_{parts[0]}" not in priced.columns:
        return pl.col("cost_pico")
    return pl.sum_horizontal(pl.coalesce(f"list_{part}", part) for part in parts)


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
