"""Routers observed in a log: their saving against always using their most expensive model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import numpy as np
import polars as pl

from llm_audit.audit.sections.tables.cells import share
from llm_audit.document.audit import ObservedRouter
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import usd
from llm_audit.policy import NO_PRICE, NO_RATE, token_cost
from llm_audit.pricing import PriceBook, rates_for

_ROUTER = "(?i)prompt-router"
_KEYS = ("provider", "service_tier", "region", "time")
_TOKENS = tuple(f"{kind}_tokens" for kind in TOKEN_TYPES)


class RouterSums(msgspec.Struct, kw_only=True, frozen=True):
    """Priced requests that a router was asked for, and pico-dollars.

    Attributes:
        actual: What they cost.
        answered: Requests by the model that answered.
        costs: What all of them would have cost on each model.
    """

    actual: int
    answered: dict[str | None, int]
    costs: dict[str, int]


def names_router(model: pl.Expr) -> pl.Expr:
    """Return whether a request was sent to a router that the log names."""
    return model.cast(pl.String).str.contains(_ROUTER).fill_null(value=False)


def router_sums(priced: pl.DataFrame, routers: Mapping[str, Collection[str]], book: PriceBook) -> dict[str, RouterSums]:
    """Sum the priced requests of a piece by the router that they were sent to.

    Args:
        priced: The piece.
        routers: The routers of the whole log, each with the models that answered.
        book: Prices.
    """
    if not routers:
        return {}
    rows = priced.filter(pl.col("cost_pico").is_not_null() & names_router(pl.col("model_requested"))).select(
        pl.col("model_requested", "model").cast(pl.String), *_KEYS, "cost_pico", "cost_per_call_pico", *_TOKENS
    )
    found = {}
    for (name,), part in rows.group_by("model_requested"):
        tokens = {kind: part[f"{kind}_tokens"].fill_null(0).to_numpy() for kind in TOKEN_TYPES}
        per_call = part["cost_per_call_pico"].fill_null(0).to_numpy()
        found[str(name)] = RouterSums(
            actual=sum(part["cost_pico"].to_list()),
            answered=dict(part["model"].value_counts().iter_rows()),
            costs={model: _total(part, model, tokens, per_call, book) for model in routers[str(name)]},
        )
    return found


def observed_routers(sums: Mapping[str, RouterSums]) -> list[ObservedRouter]:
    """Return each router's saving at the same tokens against its most expensive model, most saved first."""
    found = [_saving(name, router) for name, router in sums.items()]
    return [router for _, router in sorted(found, key=lambda pair: (-pair[0], pair[1].router))]


def _saving(name: str, sums: RouterSums) -> tuple[int, ObservedRouter]:
    requests = sum(sums.answered.values())
    costs = {model: cost for model, cost in sums.costs.items() if sums.answered.get(model)}
    fallback, most_expensive = max(costs.items(), key=lambda item: (item[1], item[0]))
    saved = most_expensive - sums.actual
    return saved, ObservedRouter(
        router=name,
        fallback=fallback,
        requests=requests,
        requests_elsewhere=requests - sums.answered[fallback],
        actual_cost=usd(sums.actual),
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
