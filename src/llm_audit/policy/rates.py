"""Rates of every model that the log's requests could have gone to, each distinct key resolved once."""

from __future__ import annotations

import numpy as np
import polars as pl

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.costs import UNKNOWN, RateTable
from llm_audit.policy.models import NONE, Index, Models
from llm_audit.pricing import PriceBook, rates_for

_FIXED = ("provider", "service_tier", "region", "model_id", "time", "context_tokens")


def rate_table(
    frame: pl.DataFrame, *, models: Models, ladder: Index, book: PriceBook, other_providers: bool
) -> RateTable:
    """Resolve the rates of the models used and of all their candidates.

    A candidate is bought from the provider that served the request, at the same service tier, region, day and context.

    Args:
        frame: Priced requests with ``model_id``.
        models: The catalog.
        ladder: Candidates of each model used.
        book: Prices.
        other_providers: Buy a candidate that the provider does not sell from the candidate's own developer.
    """
    codes = frame.with_row_index("row").select(
        "row",
        provider=pl.col("provider").cast(pl.String),
        model=pl.col("model").cast(pl.String),
        service_tier=pl.col("service_tier").cast(pl.String),
        region=pl.col("region").cast(pl.String),
        model_id=pl.col("model_id").cast(pl.String),
        time=pl.col("time").dt.truncate("30m" if _by_time_of_day(frame, models, ladder, book) else "1d"),
        context_tokens=_context_tier(frame, models, ladder, book),
    )
    names = ["model", *_FIXED]
    keys = codes.select(names).unique(maintain_order=True).with_row_index("key")
    key = codes.join(keys, on=names, how="left", nulls_equal=True, maintain_order="left")["key"]
    index = models.index()
    used = np.array([index.get(name, NONE) for name in keys["model_id"]], dtype=np.int32)
    candidates = np.where((used == NONE)[:, None], NONE, ladder[np.maximum(used, 0)])
    wanted = [keys.select("key", pl.lit(NONE, pl.Int32).alias("place"), "model", *_FIXED)]
    homes = []
    for place in range(ladder.shape[1]):
        rows = np.flatnonzero(candidates[:, place] != NONE)
        chosen = candidates[rows, place]
        there = keys[rows].with_columns(
            place=pl.lit(place, pl.Int32),
            model=pl.Series([models.ids[model] for model in chosen], dtype=pl.String),
        )
        wanted.append(there.select(wanted[0].columns))
        homes.append(pl.Series([models.home_provider[model] for model in chosen], dtype=pl.String))
    asked = pl.concat(wanted)
    found = rates_for(asked, book)
    if other_providers:
        home = pl.concat([pl.Series([None] * keys.height, dtype=pl.String), *homes])
        elsewhere = asked.with_columns(provider=home)
        lacking = found["price_id"].is_null() & (asked["place"] != NONE) & home.is_not_null()
        if lacking.any():
            found = pl.concat([found.filter(~lacking), rates_for(elsewhere.filter(lacking), book)], how="vertical")
    return _table(key, found, keys.height, ladder.shape[1])


def _table(key: pl.Series, found: pl.DataFrame, keys: int, width: int) -> RateTable:
    rates = np.column_stack(
        [found[f"{kind}_rate"].fill_null(UNKNOWN).cast(pl.Int64).to_numpy() for kind in TOKEN_TYPES]
    )
    # The last row is that of a model without any price.
    rates = np.vstack([rates, np.full((1, len(TOKEN_TYPES)), UNKNOWN, dtype=np.int64)])
    rows = np.full((keys, width + 1), len(rates) - 1, dtype=np.int32)
    provider: list[list[str | None]] = [[None] * (width + 1) for _ in range(keys)]
    at, place = found["key"].to_numpy(), found["place"].to_numpy()
    rows[at, place] = np.arange(found.height)
    for key_row, position, name in found.select("key", "place", "provider").iter_rows():
        provider[key_row][position] = name
    return RateTable(key=key.to_numpy().astype(np.int32), rows=rows, provider=tuple(map(tuple, provider)), rates=rates)


def _pairs(frame: pl.DataFrame, models: Models, ladder: Index) -> set[tuple[str | None, str, str | None]]:
    """Every provider, candidate and region that could be asked for."""
    index = models.index()
    used = frame.select(
        pl.col("provider").cast(pl.String), pl.col("model_id").cast(pl.String), pl.col("region").cast(pl.String)
    ).unique()
    return {
        (provider, models.ids[step], region)
        for provider, model, region in used.iter_rows()
        if model in index
        for step in ladder[index[model]]
        if step != NONE
    }


def _by_time_of_day(frame: pl.DataFrame, models: Models, ladder: Index, book: PriceBook) -> bool:
    return any(book.changes(*pair).minutes for pair in _pairs(frame, models, ladder))


def _context_tier(frame: pl.DataFrame, models: Models, ladder: Index, book: PriceBook) -> pl.Expr:
    """The highest threshold of any candidate's price that the request's input reaches, 0 below all."""
    first, last = frame.select(first=pl.col("time").min(), last=pl.col("time").max()).row(0)
    thresholds = sorted(
        {
            row.context_from
            for provider, model, region in _pairs(frame, models, ladder)
            for moment in (first, last)
            for row in book.quote(provider, model, "standard", region, moment).rows
            if row.context_from
        }
    )
    context = pl.sum_horizontal(pl.col(f"{kind}_tokens").fill_null(0) for kind in TOKEN_TYPES if "output" not in kind)
    reached = [pl.when(context >= threshold).then(threshold).otherwise(0) for threshold in thresholds]
    return pl.max_horizontal(pl.lit(0, pl.Int64), *reached).cast(pl.Int64)
