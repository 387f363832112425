"""How far the expected estimate depends on abilities and difficulties that are themselves estimates.

In each replicate every model's ability in each category, and the difficulties of each category as a whole, are moved by
a normal error of their own standard deviation; the routes stay, and what changes is how many answers are lost and asked
again. Errors are drawn from a hash of the model, the category and the replicate, so that they are the same in any run.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
from xxhash import xxh3_64_intdigest

from llm_audit.audit.interval import Words, splitmix
from llm_audit.classify import irt
from llm_audit.policy.model import Policy
from llm_audit.policy.models import CATEGORIES, Floats, Models
from llm_audit.policy.rule import cascaded

_BIN = 0.25

KEYS: tuple[str, ...] = ("model_id", "route_model_id", "category", "difficulty_bin")


def risk_cells(routed: pl.DataFrame) -> pl.DataFrame:
    """Moved requests by used model, route, category and difficulty; ``cost_pico`` is what asking again would cost."""
    return add_risk(
        routed.filter(pl.col("outcome") == "moved").select(
            pl.col("model_id").cast(pl.String),
            pl.col("route_model_id").cast(pl.String),
            pl.col("category").cast(pl.String),
            (pl.col("difficulty").cast(pl.Float64) / _BIN).round().cast(pl.Int32).alias("difficulty_bin"),
            pl.col("cost_pico").cast(pl.Int128),
        )
    )


def add_risk(cells: pl.DataFrame) -> pl.DataFrame:
    """Sum cells with equal keys, sorted."""
    return cells.group_by(KEYS).agg(pl.col("cost_pico").sum()).sort(KEYS)


def cost_errors(cells: pl.DataFrame, *, policy: Policy, models: Models, resamples: int) -> Floats:
    """By how many pico-dollars the expected policy cost is off in each replicate.

    Args:
        cells: From ``risk_cells``.
        policy: For its escalation and cascade.
        models: Abilities with their standard deviations; an unknown one is taken as known exactly.
        resamples: Number of replicates.
    """
    if not cells.height:
        return np.zeros(resamples)
    index = models.index()
    category = np.array([CATEGORIES.index(name) for name in cells["category"]])
    used = np.array([index[name] for name in cells["model_id"]])
    route = np.array([index[name] for name in cells["route_model_id"]])
    difficulty = cells["difficulty_bin"].to_numpy() * _BIN
    weight = cells["cost_pico"].cast(pl.Float64).to_numpy()
    large, small = models.ability[used, category], models.ability[route, category]
    spread_large, spread_small = (np.nan_to_num(models.ability_sd[rows, category]) for rows in (used, route))
    words = _words(f"{model}/{name}" for model in models.ids for name in CATEGORIES)
    ability_words = words.reshape(len(models.ids), len(CATEGORIES))
    shift_words = _words(f"difficulty/{name}" for name in CATEGORIES)[category]
    centre = _again(policy, small, large, difficulty)
    errors = np.empty(resamples)
    for replicate in range(resamples):
        moved = _again(
            policy,
            small + spread_small * _normal(ability_words[route, category], replicate),
            large + spread_large * _normal(ability_words[used, category], replicate),
            difficulty + policy.assumptions.difficulty_sd * _normal(shift_words, replicate),
        )
        errors[replicate] = float(((moved - centre) * weight).sum())
    return errors


def _again(policy: Policy, small: Floats, large: Floats, difficulty: Floats) -> Floats:
    """How many times a moved request's own cost is expected to be paid again."""
    p = irt.p_suffices(small, large, difficulty)
    share = policy.assumptions.escalation.expected
    if policy.cascade is None:
        return (1 - p) * share
    after, escalated = cascaded(policy.cascade, irt.p_success(small, difficulty), p)
    return escalated + (1 - after) * share


def _words(names: Iterable[str]) -> Words:
    return np.array([xxh3_64_intdigest(name.encode()) for name in names], dtype=np.uint64)


def _normal(words: Words, replicate: int) -> Floats:
    """A standard normal for each word and replicate, by Box and Muller's transform."""
    first = splitmix(words ^ splitmix(np.array([2 * replicate], dtype=np.uint64)))
    second = splitmix(words ^ splitmix(np.array([2 * replicate + 1], dtype=np.uint64)))
    radius = np.sqrt(-2 * np.log(((first >> np.uint64(11)).astype(np.float64) + 1) * 2.0**-53))
    angle = 2 * np.pi * (second >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.asarray(radius * np.cos(angle))
