"""Basis of comparisons: priced requests summed within one price row and one group."""

from __future__ import annotations

from typing import Any

import polars as pl

from llm_audit.document.audit import BasisRow
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import usd
from llm_audit.vocabulary import COVERED

KEYS = (
    *("provider", "model_label", "tier", "service_tier", "context_from", "since", "team", "app"),
    *("model", "region", "price_id"),  # what a comparison prices again needs
)
_COSTS = (*TOKEN_TYPES, "per_call")


def basis_sums(frame: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """Sum priced requests by their keys.

    Args:
        frame: Routed requests: the ledger's columns with ``price_id``, ``model_id``, ``tier``, ``date``,
            ``outcome``, ``certain``, ``cost_<token type>_pico``, ``cost_per_call_pico`` and ``expected_pico``.
        rates: Price rows used: ``price_id``, ``context_from``, ``since``.
    """
    held = [name for name in KEYS if name not in {"context_from", "since", "price_id"}]
    sums = (
        frame.lazy()
        .filter(pl.col("cost_pico").is_not_null())
        .with_columns(model_label=pl.coalesce(pl.col("model_id", "model").cast(pl.String)))
        .group_by("price_id", *held)
        .agg(
            pl.len().cast(pl.Int64).alias("requests"),
            pl.col("date").min().alias("first_day"),
            pl.col("date").max().alias("last_day"),
            *(pl.col(f"{kind}_tokens").sum() for kind in TOKEN_TYPES),
            *(pl.col(f"cost_{kind}_pico").cast(pl.Int128).sum() for kind in _COSTS),
            pl.col("expected_pico").cast(pl.Int128).sum(),
            pl.col("outcome").cast(pl.String).is_in(COVERED).cast(pl.Int64).sum().alias("covered"),
            pl.col("certain").cast(pl.Int64).sum(),
        )
        .with_columns(pl.col(name).cast(pl.String) for name in held)
        .collect()
        .join(rates.select("price_id", "context_from", pl.col("since").cast(pl.String)), on="price_id", how="left")
    )
    return add_basis(sums)


def add_basis(sums: pl.DataFrame) -> pl.DataFrame:
    """Sum rows with equal keys, sorted."""
    totals = ["requests", *(f"{kind}_tokens" for kind in TOKEN_TYPES), *(f"cost_{kind}_pico" for kind in _COSTS)]
    return (
        sums.group_by(KEYS)
        .agg(
            pl.col("first_day").min(),
            pl.col("last_day").max(),
            pl.col(*totals, "expected_pico", "covered", "certain").sum(),
        )
        .sort(KEYS, nulls_last=True)
    )


def basis(sums: pl.DataFrame) -> list[BasisRow]:
    """Return the basis of comparisons, sorted by its keys. Of the policy's cost see ``rollups.judged``."""
    dated = sums.with_columns(pl.col("first_day", "last_day").cast(pl.String))
    return [_row(row) for row in dated.iter_rows(named=True)]


def _row(row: dict[str, Any]) -> BasisRow:
    cost = sum(row[f"cost_{kind}_pico"] for kind in _COSTS)
    known = row["covered"] or row["certain"] == row["requests"] or row["expected_pico"] != cost
    return BasisRow(
        provider=row["provider"] or "unknown",
        model=row["model_label"],
        tier=row["tier"] or "unknown",
        service_tier=row["service_tier"] or "standard",
        context_from=row["context_from"] or 0,
        since=row["since"],
        first_day=row["first_day"],
        last_day=row["last_day"],
        team=row["team"],
        app=row["app"],
        requests=row["requests"],
        tokens={kind: row[f"{kind}_tokens"] for kind in TOKEN_TYPES if row[f"{kind}_tokens"]},
        cost_by_type={kind: usd(row[f"cost_{kind}_pico"]) for kind in _COSTS if row[f"cost_{kind}_pico"]},
        policy_cost=usd(row["expected_pico"]) if known else None,
        logged_model=row["model"],
        region=row["region"],
        price_id=f"{row['price_id']:016x}",
    )
