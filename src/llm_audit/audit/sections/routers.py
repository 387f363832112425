"""Routers observed in a log: their saving against always using their most expensive model."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from llm_audit.audit.sections.totals import share
from llm_audit.document.audit import ObservedRouter
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import usd
from llm_audit.policy import NO_PRICE, NO_RATE, token_cost
from llm_audit.pricing import PriceBook, rates_for

_ROUTER = "(?i)prompt-router"
_KEYS = ("provider", "service_tier", "region", "time")
_TOKENS = tuple(f"{kind}_tokens" for kind in TOKEN_TYPES)


def router_rows(priced: pl.DataFrame) -> pl.DataFrame:
    """Return the priced requests that a router was asked for, where that names one and another model answered."""
    return priced.filter(
        pl.col("cost_pico").is_not_null()
        & pl.col("model_requested").cast(pl.String).str.contains(_ROUTER).fill_null(value=False)
    ).select("model_requested", "model", *_KEYS, "cost_pico", "cost_per_call_pico", *_TOKENS)


def observed_routers(routed: pl.DataFrame, book: PriceBook) -> list[ObservedRouter]:
    """Return each router's saving at the same tokens, most saved first.

    Args:
        routed: Rows of ``router_rows``.
        book: Prices.
    """
    if not routed.height:
        return []
    names = routed["model_requested"].cast(pl.String).unique().sort()
    found = [_saving(name, routed.filter(pl.col("model_requested").cast(pl.String) == name), book) for name in names]
    return [router for _, router in sorted(found, key=lambda pair: (-pair[0], pair[1].router))]


def _saving(name: str, rows: pl.DataFrame, book: PriceBook) -> tuple[int, ObservedRouter]:
    models = rows["model"].cast(pl.String).drop_nulls().unique().sort().to_list()
    actual = rows["cost_pico"].to_list()
    tokens = {kind: rows[f"{kind}_tokens"].fill_null(0).to_numpy() for kind in TOKEN_TYPES}
    per_call = rows["cost_per_call_pico"].fill_null(0).to_numpy()
    totals = {model: _total(rows, model, tokens, per_call, book) for model in models}
    fallback, most_expensive = max(totals.items(), key=lambda item: (item[1], item[0]))
    saved = most_expensive - sum(actual)
    return saved, ObservedRouter(
        router=name,
        fallback=fallback,
        requests=rows.height,
        requests_elsewhere=rows.height - int((rows["model"].cast(pl.String) == fallback).sum()),
        actual_cost=usd(sum(actual)),
        fallback_cost=usd(most_expensive),
        saved=usd(saved),
        saved_share=share(saved, most_expensive),
    )


def _total(rows: pl.DataFrame, model: str, tokens: dict[str, Any], per_call: Any, book: PriceBook) -> int:
    """Return what the model would have cost for every request; where it has no price, what was paid."""
    context = pl.sum_horizontal(pl.col(f"{kind}_tokens").fill_null(0) for kind in TOKEN_TYPES if "output" not in kind)
    keys = rows.select(*_KEYS, model=pl.lit(model), context_tokens=context)
    rates = rates_for(keys, book).select(pl.col(f"{kind}_rate").fill_null(NO_RATE) for kind in TOKEN_TYPES).to_numpy()
    amounts = token_cost(tokens, rates.astype(np.int64), per_call=per_call)
    known = np.where(amounts == NO_PRICE, rows["cost_pico"].to_numpy(), amounts)
    return sum(known.tolist())
