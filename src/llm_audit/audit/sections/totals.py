"""The document's tables, each a grouping of a rollup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from llm_audit.audit.aggregate.rollups import GROUPED, NANO, by, total
from llm_audit.document.audit import (
    CategoryRow,
    Classification,
    Cost,
    Coverage,
    DailyMix,
    Day,
    Gate,
    GroupRow,
    ModelMix,
    PreferenceGap,
    ReasonCount,
    Reconciliation,
    Route,
    Spend,
    Tokens,
    UnpricedModel,
)
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import usd
from llm_audit.vocabulary import TIERS

UNNAMED = "(none)"
"""Group of requests that name no team, app or the like."""

_STATED = ("stated_requests", "stated_cost_pico")
_SPENT = ("requests", "priced", "tokens", "cost_pico")

MAX_GROUP_ROWS = 200
"""Rows a grouping shows; the rest are summed in one row."""


def share(part: int, whole: int) -> float | None:
    """Return a fraction to six decimals; None where the whole is nothing."""
    return round(part / whole, 6) if whole else None


def mean(nano: int, count: int) -> float | None:
    """Return the mean of summed integers of 10^-9, to six decimals."""
    return round(nano / count / NANO, 6) if count else None


def _known(row: Mapping[str, int], column: str) -> str | None:
    """Return the amount of a row of sums; None where none of its requests has a price."""
    return usd(row[column]) if row["priced"] else None


def tokens(usage: pl.DataFrame) -> Tokens:
    """Sums of tokens by type."""
    sums = {kind: total(usage, f"{kind}_tokens") for kind in (*TOKEN_TYPES, "reasoning", "estimated", "ambiguous")}
    return Tokens(**sums)


def cost(usage: pl.DataFrame) -> Cost:
    """Return what was paid, and what the log states."""
    priced, requests = total(usage, "priced"), total(usage, "requests")
    stated = total(usage, "stated_requests")
    return Cost(
        actual=usd(total(usage, "cost_pico")),
        priced_requests=priced,
        unpriced_requests=requests - priced,
        by_token_type={
            **{kind: usd(total(usage, f"cost_{kind}_pico")) for kind in TOKEN_TYPES},
            "per_call": usd(total(usage, "cost_per_call_pico")),
        },
        stated=usd(total(usage, "stated_cost_pico")) if stated else None,
        stated_requests=stated,
        estimated=usd(total(usage, "estimated_cost_pico")),
        ambiguous=usd(total(usage, "ambiguous_cost_pico")),
    )


def coverage(usage: pl.DataFrame) -> list[Coverage]:
    """Requests and dollars by what the policy could do with them."""
    actual = total(usage, "cost_pico")
    rows = by(usage, "outcome", sums=_SPENT).sort(["cost_pico", "requests", "outcome"], descending=[True, True, False])
    return [
        Coverage(
            outcome=row["outcome"],
            requests=int(row["requests"]),
            cost=_known(row, "cost_pico"),
            cost_share=share(row["cost_pico"], actual) if row["priced"] else None,
        )
        for row in rows.iter_rows(named=True)
    ]


def model_mix(usage: pl.DataFrame) -> list[ModelMix]:
    """Share of requests, tokens and cost by model, most cost first."""
    requests, all_tokens, actual = (total(usage, name) for name in ("requests", "tokens", "cost_pico"))
    rows = by(usage, "provider", "model", "tier", sums=_SPENT).sort(
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
            cost=_known(row, "cost_pico"),
            cost_share=share(row["cost_pico"], actual) if row["priced"] else None,
        )
        for row in rows.iter_rows(named=True)
    ]


def daily_mix(days: pl.DataFrame) -> list[DailyMix]:
    """Return the model mix by day, for requests that have a time."""
    rows = by(days.filter(pl.col("date").is_not_null()), "date", "provider", "model", "tier", sums=(*_SPENT, *_STATED))
    return [
        DailyMix(
            date=row["date"].isoformat(),
            provider=row["provider"] or UNNAMED,
            model=row["model"] or UNNAMED,
            tier=row["tier"],
            requests=int(row["requests"]),
            tokens=int(row["tokens"]),
            cost=_known(row, "cost_pico"),
            unpriced_requests=int(row["requests"] - row["priced"]),
            stated=usd(row["stated_cost_pico"]) if row["stated_requests"] or row["stated_cost_pico"] else None,
        )
        for row in rows.iter_rows(named=True)
    ]


def daily(days: pl.DataFrame) -> list[Day]:
    """Spend and policy cost by day, for requests that have a time."""
    dated = days.filter(pl.col("date").is_not_null())
    tiers: dict[object, dict[str, int]] = {}
    for row in by(dated, "date", "tier", sums=_SPENT).iter_rows(named=True):
        spent = tiers.setdefault(row["date"], {})
        if row["priced"]:
            spent[row["tier"]] = row["cost_pico"]
    return [
        Day(
            date=row["date"].isoformat(),
            requests=int(row["requests"]),
            tokens=int(row["tokens"]),
            cost=_known(row, "cost_pico"),
            policy_cost=_known(row, "expected_pico"),
            cost_by_tier={tier: usd(tiers[row["date"]][tier]) for tier in TIERS if tier in tiers[row["date"]]},
        )
        for row in by(dated, "date", sums=(*_SPENT, "expected_pico")).iter_rows(named=True)
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


def classification(usage: pl.DataFrame) -> Classification:
    """Return how the prompts were judged."""
    judged = {
        row["judged"]: int(row["requests"]) for row in by(usage, "judged", sums=["requests"]).iter_rows(named=True)
    }
    abstained = usage.filter((pl.col("judged") == "abstained") | pl.col("judged").is_null())
    reasons = by(abstained, "abstention", sums=["requests"]).sort(
        ["requests", "abstention"], descending=[True, False], nulls_last=True
    )
    rows = by(
        usage.filter(pl.col("judged") != "abstained"), "category", sums=(*_SPENT, "difficulty_nano", "difficulties")
    ).sort(["cost_pico", "category"], descending=[True, False], nulls_last=True)
    return Classification(
        scored=judged.get("scored", 0),
        inherited=judged.get("inherited", 0),
        abstained=judged.get("abstained", 0) + judged.get(None, 0),
        by_category=[
            CategoryRow(
                category=row["category"] or UNNAMED,
                requests=int(row["requests"]),
                cost=_known(row, "cost_pico"),
                mean_difficulty=mean(row["difficulty_nano"], row["difficulties"]),
            )
            for row in rows.iter_rows(named=True)
        ],
        abstentions=[
            ReasonCount(reason=row["abstention"] or "not_judged", count=int(row["requests"]))
            for row in reasons.iter_rows(named=True)
        ],
    )


def gates(usage: pl.DataFrame) -> list[Gate]:
    """Return the saving that each gate forgoes, most dollars first."""
    rows = by(
        usage.filter(pl.col("gate").is_not_null()), "gate", sums=("requests", "cost_pico", "kept_back_pico")
    ).sort(["kept_back_pico", "requests", "gate"], descending=[True, True, False])
    return [
        Gate(
            reason=row["gate"],
            requests=int(row["requests"]),
            cost=usd(row["cost_pico"]),
            kept_back=usd(row["kept_back_pico"]),
        )
        for row in rows.iter_rows(named=True)
    ]


def groups(tables: Mapping[str, tuple[pl.DataFrame, str]]) -> dict[str, list[GroupRow]]:
    """Return a grouping for each name, by a column of a rollup, most cost first.

    Long groupings end in one row for all the rest, so that each still adds up to the whole.
    """
    return {name: _group(rows, column) for name, (rows, column) in tables.items()}


def _group(summed: pl.DataFrame, column: str) -> list[GroupRow]:
    actual = total(summed, "cost_pico")
    label = template_name(pl.col(column)) if column == "template_hash" else pl.col(column).cast(pl.String)
    rows = by(summed.with_columns(_name=label.fill_null(UNNAMED)), "_name", sums=GROUPED).sort(
        ["cost_pico", "requests", "_name"], descending=[True, True, False]
    )
    if rows.height > MAX_GROUP_ROWS:
        rest = rows[MAX_GROUP_ROWS - 1 :]
        others = rest.with_columns(_name=pl.lit(f"({rest.height:,} more)"))
        rows = pl.concat([rows[: MAX_GROUP_ROWS - 1], by(others, "_name", sums=GROUPED)])
    return [
        GroupRow(
            name=row["_name"],
            requests=int(row["requests"]),
            tokens=int(row["tokens"]),
            cost=_known(row, "cost_pico"),
            cost_share=share(row["cost_pico"], actual) if row["priced"] else None,
            policy_cost=_known(row, "expected_pico"),
            flagship_tax=_known(row, "saved_pico"),
            unpriced_requests=int(row["requests"] - row["priced"]),
            moved_requests=int(row["moved"]),
        )
        for row in rows.iter_rows(named=True)
    ]


def spend(days: pl.DataFrame) -> list[Spend]:
    """Return each team's spend through each app on each model, most cost first."""
    named = days.with_columns(pl.col("team").fill_null(""), pl.col("app").fill_null(""))
    rows = by(named, "team", "app", "provider", "model", "tier", sums=_SPENT).sort(
        ["cost_pico", "requests", "team", "app", "provider", "model"],
        descending=[True, True, False, False, False, False],
        nulls_last=True,
    )
    return [
        Spend(
            team=row["team"],
            app=row["app"],
            provider=row["provider"] or UNNAMED,
            model=row["model"] or UNNAMED,
            tier=row["tier"],
            requests=int(row["requests"]),
            tokens=int(row["tokens"]),
            cost=_known(row, "cost_pico"),
        )
        for row in rows.iter_rows(named=True)
    ]


def template_name(column: pl.Expr) -> pl.Expr:
    """Return a template's short name: the first eight hexadecimal digits of its hash."""
    digits = [((column // 16 ** (15 - place)) % 16).cast(pl.UInt8) for place in range(8)]
    letters = [digit.replace_strict(dict(enumerate("0123456789abcdef")), return_dtype=pl.String) for digit in digits]
    return pl.concat_str(pl.lit("template "), *letters)


def unpriced_models(usage: pl.DataFrame) -> list[UnpricedModel]:
    """Models without a price, most requests first."""
    rows = by(
        usage.filter(pl.col("priced") < pl.col("requests")), "provider", "model", "unpriced_reason", sums=_SPENT
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
        usage.filter(pl.col("stated_requests") > 0), "provider", "model", sums=(*_STATED, "stated_computed_pico")
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
