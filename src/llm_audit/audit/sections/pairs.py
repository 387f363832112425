"""Templates that the log shows on several models: the observed difference, beside the model-based one."""

from __future__ import annotations

import polars as pl

from llm_audit.audit.sections.tables.cells import template_name
from llm_audit.document.audit import ObservedPair

LEAST_REQUESTS = 5
"""Requests a model must have had of a template to be compared on it."""

MAX_PAIRS = 20


def observed_pairs(subjects: pl.DataFrame) -> list[ObservedPair]:
    """Pairs of models that served one template of one app, the costlier per request first; most requests first.

    Logs rarely choose a model at random, so a pair is a description and no experiment: it differs in requests as well.
    """
    named = subjects.filter(
        pl.col("template_hash").is_not_null() & pl.col("model_id").is_not_null() & (pl.col("priced") > 0)
    )
    keys = ["template_hash", "app"]
    sums = (
        named.group_by(*keys, "model_id")
        .agg(pl.col("priced").sum(), pl.col("cost_pico").sum(), pl.col("output_tokens").sum())
        .filter(pl.col("priced") >= LEAST_REQUESTS)
        .with_columns(
            cost=pl.col("cost_pico").cast(pl.Float64) / pl.col("priced").cast(pl.Float64),
            output=pl.col("output_tokens").cast(pl.Float64) / pl.col("priced").cast(pl.Float64),
        )
    )
    moves = (
        named.filter(pl.col("moved") > 0)
        .group_by(*keys, "model_id", "route_model_id")
        .agg(expected=pl.col("expected_pico").sum().cast(pl.Float64) / pl.col("cost_pico").sum().cast(pl.Float64))
    )
    pairs = (
        sums.join(sums, on=keys, nulls_equal=True, suffix="_cheap")
        .filter((pl.col("cost") > pl.col("cost_cheap")) & (pl.col("model_id") != pl.col("model_id_cheap")))
        .join(
            moves,
            left_on=[*keys, "model_id", "model_id_cheap"],
            right_on=[*keys, "model_id", "route_model_id"],
            how="left",
            nulls_equal=True,
        )
        .with_columns(template=template_name(pl.col("template_hash")), both=pl.min_horizontal("priced", "priced_cheap"))
        .sort(["both", "template", "app", "model_id", "model_id_cheap"], descending=[True, False, False, False, False])
    )
    return [
        ObservedPair(
            template=row["template"],
            app=row["app"] or "",
            costlier=row["model_id"],
            cheaper=row["model_id_cheap"],
            requests_costlier=int(row["priced"]),
            requests_cheaper=int(row["priced_cheap"]),
            observed_cost_ratio=_ratio(row["cost_cheap"], row["cost"]),
            observed_output_ratio=_ratio(row["output_cheap"], row["output"]),
            expected_cost_ratio=None if row["expected"] is None else round(row["expected"], 6),
        )
        for row in pairs.head(MAX_PAIRS).iter_rows(named=True)
    ]


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole else None
