"""Reconcile the costs that a log states with the computed costs, by model and day, with the likely cause of a gap.

Each cause is a hypothesis with an amount of its own: what the calls would have cost if it were true. Of the hypotheses
whose amount agrees with what is stated, within half a percent, the first in the order below is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

import polars as pl

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.pricing.book import LATEST, PriceBook
from llm_audit.pricing.cost import INPUT_TYPES, rates_for

TOLERANCE = 0.005
"""Share of the stated amount within which two amounts agree."""
ROUNDING_PICO = 500_000
"""Pico-dollars per request by which rounding to a millionth of a dollar can differ."""
_MILLION = 10**6
UNEXPLAINED = "unexplained"

_CACHED = ("cache_read", "cache_write_5m", "cache_write_1h")
_KEYS = ("day", "provider", "model")
_CAUSES = {
    "agrees": "computed",
    "stated as zero: price unknown to the log, or own key": "_zero",
    "cached tokens priced as fresh input": "_all_fresh",
    "cached tokens counted twice": "_cache_twice",
    "cached tokens left out": "_no_cache",
    "1-hour cache writes priced as 5-minute ones": "_short_writes",
    "batch or flex discount not applied": "_full_price",
    "batch discount applied to standard calls": "_half_price",
    "priced at an earlier price": "_earlier",
    "priced at a later price": "_later",
    "own key: the gateway's 5 % fee only": "_own_key",
    "the price of a million input tokens, not a cost": "_input_rate",
    "the price of a million output tokens, not a cost": "_output_rate",
}


def reconcile_stated(parts: Iterable[pl.DataFrame], book: PriceBook, *, timezone: str = "UTC") -> pl.DataFrame:
    """Compare the costs a log states with those computed.

    Args:
        parts: Ledger rows with costs (``pricing.price``), part by part.
        book: The prices they were computed with.
        timezone: For days.

    Returns:
        A row for each day, provider and model: ``day`` (Date), ``provider``, ``model``, ``requests``, ``stated_pico``,
        ``computed_pico``, ``difference_pico`` (stated less computed, Int128) and ``reason``; largest difference first.
        Only requests with both costs count.
    """
    sums = pl.concat(_sums(part, book, timezone) for part in parts)
    return _finished(
        sums.group_by(_KEYS).agg(pl.exclude("_least", "_most").sum(), pl.col("_least").min(), pl.col("_most").max())
    )


def _sums(priced: pl.DataFrame, book: PriceBook, timezone: str) -> pl.DataFrame:
    both = priced.filter(pl.col("stated_cost_pico").is_not_null() & pl.col("cost_pico").is_not_null())
    day = pl.col("time").dt.convert_time_zone(timezone).dt.date()
    tried = _with_hypotheses(both, book).with_columns(day=day, computed=pl.col("cost_pico"), _zero=pl.lit(0))
    return tried.group_by(
        pl.col("day"), pl.col("provider", "model").cast(pl.String)
    ).agg(
        requests=pl.len().cast(pl.Int64),
        stated_pico=pl.col("stated_cost_pico").cast(pl.Int128).sum(),
        **{name: pl.col(name).cast(pl.Int128).sum() for name in _CAUSES.values()},
        _least=(pl.col("stated_cost_pico") / pl.col("cost_pico")).min(),
        _most=(pl.col("stated_cost_pico") / pl.col("cost_pico")).max(),
    )  # fmt: skip


def by_model(reconciled: pl.DataFrame) -> pl.DataFrame:
    """Add up the days of ``reconcile_stated`` by provider and model; ``reason`` is that of the largest difference."""
    weight = pl.col("difference_pico").abs()
    return (
        reconciled.sort(weight, "reason", descending=[True, False])
        .group_by("provider", "model")
        .agg(
            pl.col("requests").sum(),
            pl.col("stated_pico", "computed_pico", "difference_pico").sum(),
            pl.col("reason").first(),
        )
        .sort(weight, "provider", "model", descending=[True, False, False])
    )


def _finished(sums: pl.DataFrame) -> pl.DataFrame:
    reason = pl.coalesce(*_reasons(), pl.lit(UNEXPLAINED))
    return (
        sums.with_columns(
            computed_pico=pl.col("computed"), difference_pico=pl.col("stated_pico") - pl.col("computed"), reason=reason
        )
        .select(*_KEYS, "requests", "stated_pico", "computed_pico", "difference_pico", "reason")
        .sort(pl.col("difference_pico").abs(), *_KEYS, descending=[True, False, False, False])
    )


def _reasons() -> Iterator[pl.Expr]:
    stated = pl.col("stated_pico").cast(pl.Float64)
    margin = pl.max_horizontal(stated * TOLERANCE, pl.col("requests") * ROUNDING_PICO)
    for reason, amount in _CAUSES.items():
        agrees = (pl.col(amount).cast(pl.Float64) - stated).abs() <= margin
        # a hypothesis with the computed amount explains nothing
        differs = pl.lit(value=True) if amount == "computed" else pl.col(amount) != pl.col("computed")
        yield pl.when(agrees & differs).then(pl.lit(reason))
    constant = (pl.col("_most") - pl.col("_least")) <= TOLERANCE * pl.col("_most")
    factor = (stated / pl.col("computed")).round(3)
    yield pl.when(constant & (pl.col("requests") > 1)).then(
        pl.format("one factor of {} on every call: a discount or a margin", factor)
    )


def _with_hypotheses(rows: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """Add the cost of each call under each hypothesis."""
    context = pl.sum_horizontal(pl.col(f"{kind}_tokens") for kind in INPUT_TYPES)
    keys = rows.select("provider", "model", "service_tier", "region", "time", context_tokens=context)
    own = rates_for(keys, book)
    since = book.rates.select("price_id", _since="since")
    before = rows.select("price_id").join(since, on="price_id", how="left", maintain_order="left")["_since"]
    earlier = keys.with_columns(time=before.cast(pl.Datetime("us", "UTC")) - timedelta(minutes=1))
    tables = {
        "own": own,
        "standard": rates_for(keys.with_columns(service_tier=pl.lit("standard")), book),
        "earlier": rates_for(earlier, book),
        "later": rates_for(keys.with_columns(time=pl.lit(LATEST).cast(pl.Datetime("us", "UTC"))), book),
    }
    rates = pl.concat(
        [
            table.select(pl.col(f"{kind}_rate").fill_null(0).alias(f"_{name}_{kind}") for kind in TOKEN_TYPES)
            for name, table in tables.items()
        ],
        how="horizontal",
    )
    cached = sum((_tokens(kind) for kind in _CACHED), start=pl.lit(0))
    cache_cost = pl.sum_horizontal(f"cost_{kind}_pico" for kind in _CACHED)
    cost, fresh = pl.col("cost_pico"), cached * pl.col("_own_input")
    short = _tokens("cache_write_1h") * (pl.col("_own_cache_write_1h") - pl.col("_own_cache_write_5m"))
    known_before = before.is_not_null()
    return pl.concat([rows, rates], how="horizontal").with_columns(
        _all_fresh=cost - cache_cost + fresh,
        _cache_twice=cost + fresh,
        _no_cache=cost - cache_cost,
        _short_writes=cost - short,
        _full_price=_cost_at("standard"),
        _half_price=pl.when(pl.col("service_tier") == "standard").then(cost // 2).otherwise(cost),
        _earlier=pl.when(known_before).then(_cost_at("earlier")).otherwise(cost),
        _later=_cost_at("later"),
        _own_key=cost // 20,
        _input_rate=pl.col("_own_input") * _MILLION,
        _output_rate=pl.col("_own_output") * _MILLION,
    )


def _tokens(kind: str) -> pl.Expr:
    return pl.col(f"{kind}_tokens").fill_null(0)


def _cost_at(table: str) -> pl.Expr:
    return pl.sum_horizontal(_tokens(kind) * pl.col(f"_{table}_{kind}") for kind in TOKEN_TYPES)
