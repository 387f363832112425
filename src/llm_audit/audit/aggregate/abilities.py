"""Error of the expected estimate from abilities and difficulties, which are themselves estimates.

In each replicate every model's ability in each category, and the difficulties of each category as a whole, are moved by
a normal error of their own standard deviation; the routes stay, and what changes is how many answers are lost and asked
again. Errors are drawn from a hash of the model, the category and the replicate, so that they are the same in any run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.normal import name_words, normals
from llm_audit.classify import irt
from llm_audit.policy import CATEGORIES, Models, Policy, escalation

_BIN = 0.25

_CHUNK = 64
"""Replicates worked out at once."""

_CURVE = ("model_id", "route_model_id", "category", "difficulty_bin")

KEYS: tuple[str, ...] = ("template_hash", "app", *_CURVE)


def risk_cells(routed: pl.DataFrame) -> pl.DataFrame:
    """Moved requests by template, app, used model, route, category and difficulty.

    ``cost_pico`` is what asking again would cost.
    """
    names = ("app", "model_id", "route_model_id", "category")
    return (
        routed.lazy()
        .filter(pl.col("outcome") == "moved")
        .group_by(
            "template_hash",
            *names,
            difficulty_bin=(pl.col("difficulty").cast(pl.Float64) / _BIN).round().cast(pl.Int32),
        )
        .agg(pl.col("cost_pico").cast(pl.Int128).sum())
        .with_columns(pl.col(name).cast(pl.String) for name in names)
        .select(*KEYS, "cost_pico")
        .collect()
    )


def add_risk(cells: pl.DataFrame) -> pl.DataFrame:
    """Sum cells with equal keys, sorted."""
    return cells.group_by(KEYS).agg(pl.col("cost_pico").sum()).sort(KEYS, nulls_last=True)


def cost_errors(parts: Sequence[pl.DataFrame], *, policy: Policy, models: Models, resamples: int) -> Floats:
    """By how many pico-dollars the expected policy cost of each part is off in each replicate: resamples x parts.

    Parts share the errors, so those of a part are what it adds to those of the whole.

    Args:
        parts: Rows of ``risk_cells``, of one or more sets of requests, which may overlap.
        policy: For its escalation and cascade.
        models: Abilities with their standard deviations; an unknown one is taken as known exactly.
        resamples: Number of replicates.
    """
    curves = pl.concat(parts).select(_CURVE).unique().sort(_CURVE).with_row_index("curve")
    if not curves.height:
        return np.zeros((resamples, len(parts)))
    weight = np.column_stack([_weights(part, curves) for part in parts])
    index = models.index()
    category = np.array([CATEGORIES.index(name) for name in curves["category"]])
    used = np.array([index[name] for name in curves["model_id"]])
    route = np.array([index[name] for name in curves["route_model_id"]])
    difficulty = curves["difficulty_bin"].to_numpy() * _BIN
    large, small = models.ability[used, category], models.ability[route, category]
    spread_large, spread_small = (np.nan_to_num(models.ability_sd[rows, category]) for rows in (used, route))
    words = name_words(f"{model}/{name}" for model in models.ids for name in CATEGORIES)
    ability_words = words.reshape(len(models.ids), len(CATEGORIES))
    shift_words = name_words(f"difficulty/{name}" for name in CATEGORIES)[category]
    centre = _again(policy, small, large, difficulty)
    errors = np.empty((resamples, len(parts)))
    for start in range(0, resamples, _CHUNK):
        replicates = range(start, min(start + _CHUNK, resamples))
        moved = _again(
            policy,
            small + spread_small * normals(ability_words[route, category], replicates),
            large + spread_large * normals(ability_words[used, category], replicates),
            difficulty + policy.assumptions.difficulty_sd * normals(shift_words, replicates),
        )
        for replicate, off in zip(replicates, moved - centre, strict=True):
            errors[replicate] = (off[:, None] * weight).sum(axis=0)
    return errors


def _weights(part: pl.DataFrame, curves: pl.DataFrame) -> Floats:
    """Return the cost of a part's cells at each curve."""
    sums = part.group_by(_CURVE).agg(pl.col("cost_pico").sum()).join(curves, on=_CURVE)
    weight = np.zeros(curves.height)
    weight[sums["curve"].to_numpy()] = sums["cost_pico"].cast(pl.Float64).to_numpy()
    return weight


def _again(policy: Policy, small: Floats, large: Floats, difficulty: Floats) -> Floats:
    """Return how many times a moved request's own cost is expected to be paid again."""
    return escalation(
        irt.p_success(small, difficulty),
        irt.p_suffices(small, large, difficulty),
        cascade=policy.cascade,
        share=policy.assumptions.escalation.expected,
    ).rate
