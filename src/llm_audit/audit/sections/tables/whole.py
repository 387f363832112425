"""Tables of the whole log: tokens, cost, and what judging and the policy did with requests."""

from __future__ import annotations

import polars as pl

from llm_audit.audit.aggregate.rollups import by, total
from llm_audit.audit.sections.tables.cells import SPENT, UNNAMED, known, mean, share
from llm_audit.document.audit import CategoryRow, Classification, Cost, Coverage, Gate, ReasonCount, Tokens
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import usd


def tokens(usage: pl.DataFrame) -> Tokens:
    """Sums of tokens by type."""
    sums = {kind: total(usage, f"{kind}_tokens") for kind in (*TOKEN_TYPES, "reasoning", "estimated", "ambiguous")}
    return Tokens(**sums)


def cost(usage: pl.DataFrame) -> Cost:
    """Return what was paid, and what the log states."""
    priced, requests = total(usage, "priced"), total(usage, "requests")
    stated = total(usage, "stated_requests")
    kinds = (*TOKEN_TYPES, "per_call") if priced else ()
    return Cost(
        actual=usd(total(usage, "cost_pico")) if priced else None,
        priced_requests=priced,
        unpriced_requests=requests - priced,
        by_token_type={kind: usd(total(usage, f"cost_{kind}_pico")) for kind in kinds},
        stated=usd(total(usage, "stated_cost_pico")) if stated else None,
        stated_requests=stated,
        estimated=usd(total(usage, "estimated_cost_pico")) if priced else None,
        ambiguous=usd(total(usage, "ambiguous_cost_pico")) if priced else None,
    )


def coverage(usage: pl.DataFrame) -> list[Coverage]:
    """Requests and dollars by what the policy could do with them."""
    actual = total(usage, "cost_pico")
    rows = by(usage, "outcome", sums=SPENT).sort(["cost_pico", "requests", "outcome"], descending=[True, True, False])
    return [
        Coverage(
            outcome=row["outcome"],
            requests=int(row["requests"]),
            cost=known(row, "cost_pico"),
            cost_share=share(row["cost_pico"], actual) if row["priced"] else None,
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
        usage.filter(pl.col("judged") != "abstained"), "category", sums=(*SPENT, "difficulty_nano", "difficulties")
    ).sort(["cost_pico", "category"], descending=[True, False], nulls_last=True)
    return Classification(
        scored=judged.get("scored", 0),
        inherited=judged.get("inherited", 0),
        abstained=judged.get("abstained", 0) + judged.get(None, 0),
        by_category=[
            CategoryRow(
                category=row["category"] or UNNAMED,
                requests=int(row["requests"]),
                cost=known(row, "cost_pico"),
                mean_difficulty=mean(row["difficulty_nano"], row["difficulties"]),
                unpriced_requests=int(row["requests"] - row["priced"]),
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
