"""Tables by model: the mix, routes, models without a price, and stated against computed cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from llm_audit.audit.aggregate.rollups import GROUPED, by, total
from llm_audit.audit.sections.tables.cells import SPENT, STATED, UNNAMED, known, mean, share
from llm_audit.document.audit import DailyMix, ModelMix, PreferenceGap, Reconciliation, Route, UnpricedModel
from llm_audit.money import usd


def model_mix(usage: pl.DataFrame) -> list[ModelMix]:
    """Share of requests, tokens and cost by model, most cost first."""
    requests, all_tokens, actual = (total(usage, name) for name in ("requests", "tokens", "cost_pico"))
    rows = by(usage, "provider", "model", "tier", sums=SPENT).sort(
        ["cost_pico", "requests", "provider", "model"], descending=[True, True, False, False], nulls_last=True
    )
    return [
        ModelMix(
            provider=row["provider"] or UNNAMED,
            model=row["model"] or UNNAMED,
            tier=row["tier"],
            requests=int(row["requests"]),
            request_share=share(row["requests"], requests) or 0.0,
            tokens=int(row["tokens"]),
            token_share=share(row["tokens"], all_tokens) or 0.0,
            cost=known(row, "cost_pico"),
            cost_share=share(row["cost_pico"], actual) if row["priced"] else None,
            unpriced_requests=int(row["requests"] - row["priced"]),
        )
        for row in rows.iter_rows(named=True)
    ]


def daily_mix(days: pl.DataFrame) -> list[DailyMix]:
    """Return the model mix by day, for requests that have a time."""
    rows = by(days.filter(pl.col("date").is_not_null()), "date", "provider", "model", "tier", sums=(*SPENT, *STATED))
    return [
        DailyMix(
            date=row["date"].isoformat(),
            provider=row["provider"] or UNNAMED,
            model=row["model"] or UNNAMED,
            tier=row["tier"],
            requests=int(row["requests"]),
            tokens=int(row["tokens"]),
            cost=known(row, "cost_pico"),
            unpriced_requests=int(row["requests"] - row["priced"]),
            stated=usd(row["stated_cost_pico"]) if row["stated_requests"] or row["stated_cost_pico"] else None,
        )
        for row in rows.iter_rows(named=True)
    ]


def routes(usage: pl.DataFrame, preference: Mapping[tuple[str, str], PreferenceGap]) -> list[Route]:
    """Priced requests by model used and route, with the gaps of those that move; most dollars saved first."""
    known = usage.filter(pl.col("route_model_id").is_not_null() & (pl.col("priced") > 0)).with_columns(
        source=pl.col("model_id"), route=pl.col("route_model_id")
    )
    rows = by(known, "source", "route", sums=(*GROUPED, "p_nano")).sort(
        ["saved_pico", "cost_pico", "source", "route"], descending=[True, True, False, False]
    )
    return [
        Route(
            from_model=row["source"],
            to_model=row["route"],
            requests=int(row["requests"]),
            actual_cost=usd(row["cost_pico"]),
            policy_cost=usd(row["expected_pico"]),
            p_suffices=mean(row["p_nano"], row["moved"]),
            preference=preference.get((row["source"], row["route"])),
        )
        for row in rows.iter_rows(named=True)
    ]


def unpriced_models(usage: pl.DataFrame) -> list[UnpricedModel]:
    """Models without a price, most requests first."""
    rows = by(
        usage.filter(pl.col("priced") < pl.col("requests")), "provider", "model", "unpriced_reason", sums=SPENT
    ).sort(["requests", "tokens", "provider", "model"], descending=[True, True, False, False], nulls_last=True)
    return [
        UnpricedModel(
            provider=row["provider"] or UNNAMED,
            model=row["model"] or UNNAMED,
            requests=int(row["requests"] - row["priced"]),
            tokens=int(row["tokens"]),
            reason=row["unpriced_reason"] or "unknown",
        )
        for row in rows.iter_rows(named=True)
    ]


def reconciliation(usage: pl.DataFrame) -> list[Reconciliation]:
    """Compare stated with computed cost by model, largest difference first."""
    rows = by(
        usage.filter(pl.col("stated_requests") > 0), "provider", "model", sums=(*STATED, "stated_computed_pico")
    ).with_columns(difference=pl.col("stated_cost_pico") - pl.col("stated_computed_pico"))
    ordered = rows.sort(
        [pl.col("difference").abs(), "provider", "model"], descending=[True, False, False], nulls_last=True
    )
    return [
        Reconciliation(
            provider=row["provider"] or UNNAMED,
            model=row["model"] or UNNAMED,
            requests=int(row["stated_requests"]),
            stated=usd(row["stated_cost_pico"]),
            computed=usd(row["stated_computed_pico"]),
            difference=usd(row["difference"]),
            reason=_reason(row["stated_cost_pico"], row["stated_computed_pico"]),
        )
        for row in ordered.iter_rows(named=True)
    ]


def _reason(stated: int, computed: int) -> str:
    """Return the likely cause of a difference, by its size."""
    if not computed or not stated:
        return "equal" if stated == computed else "one side is zero"
    ratio = stated / computed
    causes: Sequence[tuple[float, float, str]] = (
        (0.999, 1.001, "equal"),
        (0.97, 1.03, "rounding or a price change"),
        (0.48, 0.52, "half the price: a batch or flex discount"),
        (1.05, 1.15, "about ten per cent more: a regional or gateway surcharge"),
    )
    return next((cause for low, high, cause in causes if low <= ratio <= high), "another price")
