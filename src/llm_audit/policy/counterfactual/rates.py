"""Rates of every model that the log's requests could have gone to, each distinct key resolved once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from llm_audit.arrays import Index
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.counterfactual.costs import UNKNOWN, RateTable
from llm_audit.policy.counterfactual.traffic import Traffic
from llm_audit.policy.counterfactual.whole import Seller, Whole
from llm_audit.policy.inputs.models import NONE, Models
from llm_audit.pricing import EncodedRows, PriceBook, PriceChanges, distinct_keys, price_periods, rates_for

_ASKED = ("provider", "model", "service_tier", "region", "time", "context_tokens")


def rate_table(traffic: Traffic, whole: Whole, *, ladder: Index, book: PriceBook, other_providers: bool) -> RateTable:
    """Resolve the rates of the models used and of all their candidates.

    A candidate is bought from the provider that served the request, at the same service tier, region, time and context.

    Args:
        traffic: The priced requests.
        whole: The log that they are a part of.
        ladder: Candidates of each model used.
        book: Prices.
        other_providers: Buy a candidate that the provider does not sell from the candidate's own developer.
    """
    models, names, time = traffic.models, traffic.names, traffic.time
    pairs = _pairs(names.select("provider", "model_id", "region").iter_rows(), models, ladder)
    changes = PriceChanges()
    for pair in _sellers(names, pairs, models, other_providers=other_providers):
        changes |= book.changes(*pair)
    tier, thresholds = _context_tier(traffic, whole, _pairs(whole.sellers, models, ladder), book)
    period = price_periods(time, changes)
    numbered = distinct_keys([EncodedRows(traffic.name.astype(np.int64), names.height), period, tier])
    first = numbered.first_rows()
    keys = names[traffic.name[first]].with_columns(
        time=time.gather(first),
        context_tokens=pl.Series(thresholds, dtype=pl.Int64).gather(tier.codes[first]),
    )
    index = models.index()
    used = np.array([index.get(name, NONE) for name in keys["model_id"]], dtype=np.int32)
    candidates = np.where((used == NONE)[:, None], NONE, ladder[np.maximum(used, 0)])
    # Models used at one provider have the same candidates at the same prices: each is asked for once.
    where = [keys[name] for name in ("provider", "service_tier", "region")]
    there = distinct_keys(
        [*where, EncodedRows(period.codes[first], period.bound), EncodedRows(tier.codes[first], tier.bound)]
    )
    key, place = np.nonzero(candidates != NONE)
    model = candidates[key, place]
    _, one, number = np.unique(there.codes[key] * len(models.ids) + model, return_index=True, return_inverse=True)
    named = keys.with_columns(home=pl.lit(None, pl.String))
    asked = keys[key[one]].with_columns(
        model=pl.Series([models.ids[step] for step in model[one]], dtype=pl.String),
        home=pl.Series([models.home_provider[step] for step in model[one]], dtype=pl.String),
    )
    found = _found(pl.concat([named, asked]).select(*_ASKED, "home"), book, other_providers=other_providers)
    # The last row is that of a model without any price.
    rates = np.full((found.height + 1, len(TOKEN_TYPES)), UNKNOWN, dtype=np.int64)
    for column, kind in enumerate(TOKEN_TYPES):
        rates[:-1, column] = found[f"{kind}_rate"].fill_null(UNKNOWN).to_numpy()
    rows = np.full((keys.height, ladder.shape[1] + 1), found.height, dtype=np.int32)
    rows[:, NONE] = np.arange(keys.height)
    rows[key, place] = keys.height + number
    sellers = (*found["provider"].cast(pl.String), None)
    return RateTable(key=numbered.codes.astype(np.int32), rows=rows, provider=sellers, rates=rates)


def _found(asked: pl.DataFrame, book: PriceBook, *, other_providers: bool) -> pl.DataFrame:
    """Return the rates asked for, in their order; where wanted, ``home`` supplies those that a provider lacks."""
    found = rates_for(asked.select(_ASKED), book).with_row_index("asked")
    lacking = found["price_id"].is_null() & asked["home"].is_not_null()
    if not (other_providers and lacking.any()):
        return found
    elsewhere = rates_for(asked.filter(lacking).with_columns(provider="home").select(_ASKED), book)
    there = pl.concat([found.filter(~lacking), elsewhere.insert_column(0, found["asked"].filter(lacking))])
    return there.sort("asked")


Pair = tuple[str | None, str | None, str | None]
"""A provider, a model and a region."""


def _pairs(sellers: Iterable[Seller], models: Models, ladder: Index) -> set[Pair]:
    """Every provider, candidate and region that could be asked for."""
    index = models.index()
    return {
        (provider, models.ids[step], region)
        for provider, model, region in set(sellers)
        if model in index
        for step in ladder[index[model]]
        if step != NONE
    }


def _sellers(names: pl.DataFrame, candidates: set[Pair], models: Models, *, other_providers: bool) -> set[Pair]:
    """Return the candidates, the models used, and the candidates at their developers where these are asked as well."""
    pairs = candidates | set(names.select("provider", "model", "region").iter_rows())
    if other_providers:
        home = dict(zip(models.ids, models.home_provider, strict=True))
        pairs |= {(home[model], model, region) for _, model, region in candidates if model is not None}
    return pairs


def _context_tier(
    traffic: Traffic, whole: Whole, candidates: set[Pair], book: PriceBook
) -> tuple[EncodedRows, list[int]]:
    """Return the number of the highest price threshold that each request's input reaches, and all thresholds."""
    thresholds = {
        row.context_from
        for provider, model, region in candidates
        for moment in whole.ends
        for row in book.quote(provider, model, "standard", region, moment).rows
    }
    steps = sorted({0, *thresholds})
    reached = np.searchsorted(steps[1:], traffic.requests.input_tokens, side="right")
    return EncodedRows(reached.astype(np.int64), len(steps)), steps
