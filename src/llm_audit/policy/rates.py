"""Rates of every model that the log's requests could have gone to, each distinct key resolved once."""

from __future__ import annotations

import numpy as np
import polars as pl

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.costs import UNKNOWN, RateTable
from llm_audit.policy.models import NONE, Index, Models
from llm_audit.policy.traffic import Traffic
from llm_audit.pricing import PriceBook, rates_for
from llm_audit.pricing.keys import Coded, Codes, distinct
from llm_audit.pricing.locate import periods
from llm_audit.pricing.plan import Changes

_FIXED = ("provider", "service_tier", "region", "model_id", "time", "context_tokens")


def rate_table(traffic: Traffic, *, ladder: Index, book: PriceBook, other_providers: bool) -> RateTable:
    """Resolve the rates of the models used and of all their candidates.

    A candidate is bought from the provider that served the request, at the same service tier, region, time and context.

    Args:
        traffic: The priced requests.
        ladder: Candidates of each model used.
        book: Prices.
        other_providers: Buy a candidate that the provider does not sell from the candidate's own developer.
    """
    models, names, time = traffic.models, traffic.names, traffic.time
    pairs = _pairs(names, models, ladder)
    changes = Changes()
    for pair in _sellers(names, pairs, models, other_providers=other_providers):
        changes |= book.changes(*pair)
    tier, thresholds = _context_tier(traffic, pairs, book)
    numbered = distinct([Coded(traffic.name.astype(np.int64), names.height), periods(time, changes), tier])
    first = numbered.first()
    keys = names[traffic.name[first]].with_columns(
        key=pl.int_range(len(first), dtype=pl.UInt32),
        time=time.gather(first),
        context_tokens=pl.Series(thresholds, dtype=pl.Int64).gather(tier.codes[first]),
    )
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
    return _table(numbered.codes, found, keys.height, ladder.shape[1])


def _table(key: Codes, found: pl.DataFrame, keys: int, width: int) -> RateTable:
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
    return RateTable(key=key.astype(np.int32), rows=rows, provider=tuple(map(tuple, provider)), rates=rates)


Pair = tuple[str | None, str | None, str | None]
"""A provider, a model and a region."""


def _pairs(names: pl.DataFrame, models: Models, ladder: Index) -> set[Pair]:
    """Every provider, candidate and region that could be asked for."""
    index = models.index()
    return {
        (provider, models.ids[step], region)
        for provider, model, region in names.select("provider", "model_id", "region").unique().iter_rows()
        if model in index
        for step in ladder[index[model]]
        if step != NONE
    }


def _sellers(names: pl.DataFrame, candidates: set[Pair], models: Models, *, other_providers: bool) -> set[Pair]:
    """The candidates, the models used, and the candidates at their developers where these are asked as well."""
    pairs = candidates | set(names.select("provider", "model", "region").iter_rows())
    if other_providers:
        home = dict(zip(models.ids, models.home_provider, strict=True))
        pairs |= {(home[model], model, region) for _, model, region in candidates if model is not None}
    return pairs


def _context_tier(traffic: Traffic, candidates: set[Pair], book: PriceBook) -> tuple[Coded, list[int]]:
    """The number of the highest threshold of a candidate's price that each request's input reaches, and all of them."""
    ends = traffic.time.to_frame("time").select(first=pl.col("time").min(), last=pl.col("time").max()).row(0)
    thresholds = {
        row.context_from
        for provider, model, region in candidates
        for moment in ends
        for row in book.quote(provider, model, "standard", region, moment).rows
    }
    steps = sorted({0, *thresholds})
    reached = np.searchsorted(steps[1:], traffic.requests.input_tokens, side="right")
    return Coded(reached.astype(np.int64), len(steps)), steps
