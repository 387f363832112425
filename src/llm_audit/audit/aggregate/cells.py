"""Cells: the audited requests summed over everything that reports tell apart.

A cell holds only sums of integers, so the cells of two ledgers are merged by adding them, in any order and to the same
result. All that a report groups by is computed from cells, never from requests again.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from llm_audit.audit.billing import Billing
from llm_audit.ledger.schema import TOKEN_TYPES

KEYS: tuple[str, ...] = (
    "date",
    "provider",
    "model",
    "model_id",
    "tier",
    "team",
    "app",
    "environment",
    "template_hash",
    "category",
    "judged",
    "abstention",
    "usage_source",
    "unread_counts",
    "billing_basis",
    "billing_key",
    "price_id",
    "unpriced_reason",
    "outcome",
    "gate",
    "route_model_id",
    "route_provider",
)
"""Columns whose values a cell's requests share."""

NANO = 10**9
"""Probabilities and difficulties are summed as integers of 10^-9, so that sums do not depend on their order."""

_MONEY: tuple[str, ...] = (
    "cost_pico",
    *(f"cost_{kind}_pico" for kind in TOKEN_TYPES),
    "cost_per_call_pico",
    "ceiling_pico",
    "expected_pico",
    "floor_pico",
    "kept_back_pico",
    "escalation_pico",
    "extra_steps_pico",
    "check_pico",
    "stated_cost_pico",
)

SUMS: tuple[str, ...] = (
    "requests",
    "priced",
    "moved",
    "tokens",
    *(f"{kind}_tokens" for kind in TOKEN_TYPES),
    "reasoning_tokens",
    "estimated_tokens",
    "ambiguous_tokens",
    "unexplained_tokens",
    *_MONEY,
    "estimated_cost_pico",
    "ambiguous_cost_pico",
    "unexplained_cost_pico",
    "stated_requests",
    "stated_computed_pico",
    "saved_pico",
    "lost_nano",
    "gained_nano",
    "p_nano",
    "difficulty_nano",
    "difficulties",
)
"""Columns that a cell sums: counts, tokens, pico-dollars (``_pico``) and integers of 10^-9 (``_nano``)."""


def with_date(routed: pl.DataFrame, *, timezone: str, billing: Billing) -> pl.DataFrame:
    """Add to routed requests what cells need beside.

    These are their ``date`` in ``timezone``, ``saved_pico``, actual minus expected policy cost, and their billing.
    """
    return routed.with_columns(
        date=pl.col("time").dt.convert_time_zone(timezone).dt.date(),
        saved_pico=pl.col("cost_pico") - pl.col("expected_pico"),
        **billing.columns(),
    )


def _measures() -> dict[str, pl.Expr]:
    """Return the summed columns that requests do not have yet."""
    tokens = pl.sum_horizontal(pl.col(f"{kind}_tokens").fill_null(0) for kind in TOKEN_TYPES)
    moved = pl.col("outcome") == "moved"
    estimated = pl.col("usage_source") == "estimated"
    ambiguous = (
        pl.when(pl.col("usage_source") == "ambiguous").then(pl.col("ambiguous_tokens").fill_null(0)).otherwise(0)
    )
    stated = pl.col("stated_cost_pico").is_not_null() & pl.col("cost_pico").is_not_null()
    unexplained = pl.col("unexplained_tokens").fill_null(0)
    output_rate = pl.col("cost_output_pico") // pl.when(pl.col("output_tokens") > 0).then(pl.col("output_tokens"))
    input_rate = pl.col("cost_input_pico") // pl.when(pl.col("input_tokens") > 0).then(pl.col("input_tokens"))
    return {
        "requests": pl.lit(1, pl.Int64),
        "priced": pl.col("cost_pico").is_not_null().cast(pl.Int64),
        "moved": moved.cast(pl.Int64),
        "tokens": tokens,
        "estimated_tokens": pl.when(estimated).then(tokens).otherwise(0),
        "ambiguous_tokens": ambiguous,
        "estimated_cost_pico": pl.when(estimated).then("cost_pico").otherwise(0),
        "ambiguous_cost_pico": ambiguous * input_rate.fill_null(0),
        "unexplained_cost_pico": unexplained * pl.max_horizontal(input_rate, output_rate).fill_null(0),
        "stated_requests": stated.cast(pl.Int64),
        "stated_computed_pico": pl.when(stated).then("cost_pico"),
        "lost_nano": pl.when(moved).then((pl.col("quality_loss").clip(lower_bound=0) * NANO).round().cast(pl.Int64)),
        "gained_nano": pl.when(moved).then((-pl.col("quality_loss").clip(upper_bound=0) * NANO).round().cast(pl.Int64)),
        "p_nano": pl.when(moved).then((pl.col("p_suffices") * NANO).round().cast(pl.Int64)),
        "difficulty_nano": (pl.col("difficulty").cast(pl.Float64) * NANO).round().cast(pl.Int64),
        "difficulties": pl.col("difficulty").is_not_null().cast(pl.Int64),
    }


def cells(dated: pl.DataFrame, *, group_by: Sequence[str] = ()) -> pl.DataFrame:
    """Sum routed requests into cells, sorted by their keys.

    Args:
        dated: Requests with the columns of ``with_date``.
        group_by: Further key columns.
    """
    keys = [*KEYS, *(name for name in group_by if name not in KEYS)]
    return _add(dated.lazy().with_columns(**_measures()).select(*keys, *SUMS), keys).collect()


def merge(parts: Sequence[pl.DataFrame], *, group_by: Sequence[str] = ()) -> pl.DataFrame:
    """Return the cells of several ledgers as those of one."""
    keys = [*KEYS, *(name for name in group_by if name not in KEYS)]
    return _add(pl.concat([part.lazy() for part in parts], how="vertical"), keys).collect()


def _add(frame: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    text = {name: pl.col(name).cast(pl.String) for name in keys if name not in {"date", "template_hash", "price_id"}}
    # A group's tokens fit in 64 bits; its pico-dollars need not.
    totals = [
        pl.col(name).cast(pl.Int128).sum() if name.endswith("_pico") else pl.col(name).sum().cast(pl.Int128)
        for name in SUMS
    ]
    return frame.group_by(keys).agg(totals).with_columns(**text).sort(keys, nulls_last=True)


def total(frame: pl.DataFrame, column: str) -> int:
    """Return a column's exact sum."""
    return int(frame[column].sum() or 0)


def by(frame: pl.DataFrame, *keys: str, sums: Sequence[str] = SUMS) -> pl.DataFrame:
    """Cells summed over everything but ``keys``, sorted by them; ``sums`` are the columns wanted."""
    return frame.lazy().group_by(keys).agg(pl.col(*sums).sum()).sort(keys, nulls_last=True).collect()
