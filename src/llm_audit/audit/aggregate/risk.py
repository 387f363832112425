"""Lost answers and their repeats, which depend on abilities and difficulties that are themselves estimates.

In each replicate every model's ability in each category, the difficulties of each category, and all difficulties
together are moved by normal errors of their own standard deviations; the routes stay, and what changes is how many
answers are lost and repeated. Errors are drawn from a hash of the model, the category and the replicate, so that they
are the same in any run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.normal import name_words, normals
from llm_audit.classify import irt
from llm_audit.policy import CATEGORIES, SKILLS, Models, Policy, escalation_rate, missed

_BIN = 0.25

_CHUNK = 64
"""Replicates worked out at once."""

_CURVE = ("model_id", "route_model_id", "skill", "difficulty_bin")

KEYS: tuple[str, ...] = ("template_hash", "app", *_CURVE)

_SUMS = ("repeat_pico", "moved")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReplicates:
    """What abilities and difficulties that are off do, in each replicate.

    Attributes:
        cost_error: Pico-dollars by which the expected policy cost of each part is off: resamples x parts.
        lost: Answers lost beyond a second run of the model used, over the first part.
        gained: Answers gained likewise.
    """

    cost_error: Floats
    lost: Floats
    gained: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Abilities:
    """Abilities of the model used and of the route, and difficulties; one entry a curve, or replicates x curves."""

    large: Floats
    small: Floats
    difficulty: Floats


def risk_cells(routed: pl.DataFrame) -> pl.DataFrame:
    """Sum moved requests by template, app, used model, route, skill and difficulty.

    ``repeat_pico`` is what repeating them on the model used would cost, ``moved`` their number.
    """
    names = ("app", "model_id", "route_model_id", "skill")
    return (
        routed.lazy()
        .filter(pl.col("outcome") == "moved")
        .group_by(
            "template_hash",
            *names,
            difficulty_bin=(pl.col("difficulty").cast(pl.Float64) / _BIN).round().cast(pl.Int32),
        )
        .agg(pl.col("repeat_pico").cast(pl.Int128).sum(), moved=pl.len().cast(pl.Int64))
        .with_columns(pl.col(name).cast(pl.String) for name in names)
        .select(*KEYS, *_SUMS)
        .collect()
    )


def add_risk(cells: pl.DataFrame) -> pl.DataFrame:
    """Sum cells with equal keys, sorted."""
    return cells.group_by(KEYS).agg(pl.col(name).sum() for name in _SUMS).sort(KEYS, nulls_last=True)


def risk_replicates(parts: Sequence[pl.DataFrame], *, policy: Policy, models: Models, resamples: int) -> RiskReplicates:
    """Draw errors of abilities and difficulties, and work out what they change.

    Parts share the errors, so those of a part are what it adds to those of the whole.

    Args:
        parts: Rows of ``risk_cells``: of all requests, and of sets of them, which may overlap.
        policy: For its escalation and cascade.
        models: Abilities with their standard deviations; an unknown one is taken as known exactly.
        resamples: Number of replicates.
    """
    curves = pl.concat(parts).select(_CURVE).unique().sort(_CURVE).with_row_index("curve")
    if not curves.height:
        return RiskReplicates(
            cost_error=np.zeros((resamples, len(parts))), lost=np.zeros(resamples), gained=np.zeros(resamples)
        )
    cost = np.column_stack([_sums(part, curves, "repeat_pico") for part in parts])
    moved = _sums(parts[0], curves, "moved")
    index = models.index()
    skill = np.array([SKILLS.index(name) for name in curves["skill"]])
    used = np.array([index[name] for name in curves["model_id"]])
    route = np.array([index[name] for name in curves["route_model_id"]])
    limiting = models.limiting_category()
    large_category, small_category = limiting[used, skill], limiting[route, skill]
    centre = _Abilities(
        large=models.ability[used, large_category],
        small=models.ability[route, small_category],
        difficulty=curves["difficulty_bin"].to_numpy() * _BIN,
    )
    spread_large = np.nan_to_num(models.ability_sd[used, large_category])
    spread_small = np.nan_to_num(models.ability_sd[route, small_category])
    words = name_words(f"{model}/{name}" for model in models.ids for name in CATEGORIES)
    ability_words = words.reshape(len(models.ids), len(CATEGORIES))
    shift_words = name_words(f"difficulty/{name}" for name in CATEGORIES)[skill % len(CATEGORIES)]
    common_word = name_words(["difficulty"])
    expected = _rate(policy, centre, _lost(centre))
    errors, lost, gained = np.empty((resamples, len(parts))), np.empty(resamples), np.empty(resamples)
    for start in range(0, resamples, _CHUNK):
        replicates = range(start, min(start + _CHUNK, resamples))
        drawn = _Abilities(
            large=centre.large + spread_large * normals(ability_words[used, large_category], replicates),
            small=centre.small + spread_small * normals(ability_words[route, small_category], replicates),
            difficulty=centre.difficulty
            + policy.assumptions.difficulty_sd * normals(shift_words, replicates)
            + policy.assumptions.difficulty_common_sd * normals(common_word, replicates),
        )
        p_lost, p_repeated = irt.p_loses_and_repeats(drawn.small, drawn.large, drawn.difficulty)
        loss = missed(p_lost - p_repeated, policy.cascade)
        off = _rate(policy, drawn, p_lost) - expected
        for number, replicate in enumerate(replicates):
            errors[replicate, 0] = (off[number] * cost[:, 0]).sum()
            errors[replicate, 1:] = (off[number][:, None] * cost).sum(axis=0)[1:]
            lost[replicate] = (np.maximum(loss[number], 0.0) * moved).sum()
            gained[replicate] = (np.maximum(-loss[number], 0.0) * moved).sum()
    return RiskReplicates(cost_error=errors, lost=lost, gained=gained)


def _sums(part: pl.DataFrame, curves: pl.DataFrame, name: str) -> Floats:
    """Return the sums of a part's cells at each curve."""
    sums = part.group_by(_CURVE).agg(pl.col(name).sum()).join(curves, on=_CURVE)
    values = np.zeros(curves.height)
    values[sums["curve"].to_numpy()] = sums[name].cast(pl.Float64).to_numpy()
    return values


def _lost(abilities: _Abilities) -> Floats:
    """Return P(the model used succeeds and the route fails)."""
    return irt.p_loses(abilities.small, abilities.large, abilities.difficulty)


def _rate(policy: Policy, abilities: _Abilities, p_lost: Floats) -> Floats:
    """Return how many times a moved request is expected to be repeated."""
    success = p_lost if policy.cascade is None else irt.p_success(abilities.small, abilities.difficulty)
    return escalation_rate(success, p_lost, cascade=policy.cascade, share=policy.assumptions.escalation.expected)
