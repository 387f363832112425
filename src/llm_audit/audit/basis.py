"""What two audits are compared by: priced requests summed within one price row and one group."""

from __future__ import annotations

from typing import Any

import polars as pl

from llm_audit.audit.document import BasisRow
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import usd

KEYS = ("provider", "model_label", "tier", "service_tier", "context_from", "since", "team", "app")
_COSTS = (*TOKEN_TYPES, "per_call")


def basis(frame: pl.DataFrame, rates: pl.DataFrame) -> list[BasisRow]:
    """Sum priced requests, sorted by their keys.

    Args:
        frame: Routed requests: the ledger's columns with ``price_id``, ``tier``, ``model_label``, ``day``,
            ``cost_<token type>_pico``, ``cost_per_call_pico`` and ``expected_pico``.
        rates: Price rows used: ``price_id``, ``context_from``, ``since``.
    """
    names = [pl.col(name).cast(pl.String) for name in KEYS if name not in {"context_from", "since"}]
    sums = (
        frame.filter(pl.col("cost_pico").is_not_null())
        .join(rates.select("price_id", "context_from", pl.col("since").cast(pl.String)), on="price_id", how="left")
        .with_columns(*names)
        .group_by(KEYS)
        .agg(
            pl.len().alias("requests"),
            pl.col("day").min().cast(pl.String).alias("first_day"),
            *(pl.col(f"{kind}_tokens").sum() for kind in TOKEN_TYPES),
            *(pl.col(f"cost_{kind}_pico").cast(pl.Int128).sum() for kind in _COSTS),
            pl.col("expected_pico").cast(pl.Int128).sum(),
        )
        .sort(KEYS, nulls_last=True)
    )
    return [_row(row) for row in sums.iter_rows(named=True)]


def _row(row: dict[str, Any]) -> BasisRow:
    return BasisRow(
        provider=row["provider"] or "unknown",
        model=row["model_label"],
        tier=row["tier"] or "unknown",
        service_tier=row["service_tier"] or "standard",
        context_from=row["context_from"] or 0,
        since=row["since"],
        first_day=row["first_day"],
        team=row["team"],
        app=row["app"],
        requests=row["requests"],
        tokens={kind: row[f"{kind}_tokens"] for kind in TOKEN_TYPES if row[f"{kind}_tokens"]},
        cost_by_type={kind: usd(row[f"cost_{kind}_pico"]) for kind in _COSTS if row[f"cost_{kind}_pico"]},
        policy_cost=usd(row["expected_pico"]),
    )
