"""Lost answers and their repeats, which depend on abilities and difficulties that are themselves estimates.

In each replicate every model's ability in each category, the difficulties of each category, and all difficulties
together are moved by normal errors of their own standard deviations; the routes stay, and what changes is how many
answers are lost and repeated. Errors are drawn from a hash of the model, the category and the replicate, so that they
are the same in any run. A calibration by verdicts replaces them by draws from its joint posterior.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.normal import name_words, normals
from llm_audit.audit.billing import is_billed
from llm_audit.classify import irt
from llm_audit.classify.learning.posterior import COMMON, Posterior, ability_name, category_name, template_name
from llm_audit.policy import CATEGORIES, SKILLS, Models, Policy, escalation_rate, missed

_BIN = 0.25

_CHUNK = 64
"""Replicates worked out at once."""

_CURVE = ("model_id", "route_model_id", "skill", "difficulty_bin")

KEYS: tuple[str, ...] = ("template_hash", "app", "billed", *_CURVE)

_SUMS = ("repeat_pico", "moved")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReplicates:
    """What abilities and difficulties that are off do, in each replicate.

    Attributes:
        cost_error: Pico-dollars by which the expected policy cost of each part is off: resamples x parts.
        lost: Answers lost beyond a second run of the model used; NaN where unknown: resamples x parts.
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
            billed=is_billed(),
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


def risk_replicates(
    parts: Sequence[pl.DataFrame],
    *,
    policy: Policy,
    models: Models,
    resamples: int,
    posterior: Posterior | None = None,
) -> RiskReplicates:
    """Draw errors of abilities and difficulties, and work out what they change.

    Parts share the errors, so those of a part are what it adds to those of the whole.

    Args:
        parts: Rows of ``risk_cells``: of all requests, and of sets of them, which may overlap.
        policy: For its escalation and cascade.
        models: Abilities with their standard deviations; an unknown one is taken as known exactly.
        resamples: Number of replicates.
        posterior: Of abilities and difficulties, from verdicts; without it their errors are independent.
    """
    key = _CURVE if posterior is None else (*_CURVE, "template_hash")
    curves = pl.concat(parts).select(key).unique().sort(key, nulls_last=True).with_row_index("curve")
    if not curves.height:
        none = np.zeros((resamples, len(parts)))
        return RiskReplicates(cost_error=none, lost=none, gained=none)
    cost, moved = _sums(parts, curves, key, ("repeat_pico", "moved"))
    index = models.index()
    position_of = {name: position for position, name in enumerate(models.skills)}
    skill = np.array([position_of[name] for name in curves["skill"]])
    in_english = skill % len(SKILLS)
    used = np.array([index[name] for name in curves["model_id"]])
    route = np.array([index[name] for name in curves["route_model_id"]])
    limiting = models.limiting_category()
    large_category, small_category = limiting[used, in_english], limiting[route, in_english]
    ability = models.skill_ability()
    centre = _Abilities(
        large=ability[used, skill],
        small=ability[route, skill],
        difficulty=curves["difficulty_bin"].to_numpy() * _BIN,
    )
    sd = np.nan_to_num(models.skill_ability_sd())
    errors_of = _Errors(posterior)
    large_error = errors_of.term(
        [ability_name(models.ids[model], CATEGORIES[at]) for model, at in zip(used, large_category, strict=True)],
        sd[used, skill],
    )
    small_error = errors_of.term(
        [ability_name(models.ids[model], CATEGORIES[at]) for model, at in zip(route, small_category, strict=True)],
        sd[route, skill],
    )
    assumed = policy.assumptions
    categories = [category_name(CATEGORIES[at]) for at in skill % len(CATEGORIES)]
    difficulty_errors = [
        errors_of.term(categories, np.full(len(skill), assumed.difficulty_sd)),
        errors_of.term([COMMON], np.array([assumed.difficulty_common_sd])),
    ]
    if posterior is not None:
        templates = curves["template_hash"].to_list()
        difficulty_errors.append(
            errors_of.term(
                ["" if template is None else template_name(template) for template in templates],
                np.array([0.0 if template is None else posterior.template_sd for template in templates]),
            )
        )
    expected = _rate(policy, centre, _lost(centre))
    errors, lost, gained = (np.empty((resamples, len(parts))) for _ in range(3))
    for start in range(0, resamples, _CHUNK):
        replicates = range(start, min(start + _CHUNK, resamples))
        joint = errors_of.joint(replicates)
        drawn = _Abilities(
            large=centre.large + large_error(replicates, joint),
            small=centre.small + small_error(replicates, joint),
            difficulty=centre.difficulty + sum(error(replicates, joint) for error in difficulty_errors),
        )
        p_lost, p_repeated = irt.p_loses_and_repeats(drawn.small, drawn.large, drawn.difficulty)
        loss = missed(p_lost - p_repeated, policy.cascade)
        off = np.nan_to_num(_rate(policy, drawn, p_lost) - expected)  # repeats of unknown number are not priced
        span = slice(start, replicates.stop)
        errors[span] = _in_parts(off, cost)
        lost[span] = _in_parts(np.maximum(loss, 0.0), moved)
        gained[span] = _in_parts(np.maximum(-loss, 0.0), moved)
    return RiskReplicates(cost_error=errors, lost=lost, gained=gained)


@dataclass(frozen=True, slots=True)
class _Errors:
    """Errors of named parameters: from the posterior where it has them, else independent of each other."""

    posterior: Posterior | None

    def joint(self, replicates: range) -> Floats:
        """Draw the errors of all that the posterior has: replicates x its parameters, none without one."""
        known = self.posterior
        if known is None:
            return np.zeros((len(replicates), 0))
        return normals(name_words(known.names), replicates) @ known.factor.T

    def term(self, names: Sequence[str], sd: Floats) -> Callable[[range, Floats], Floats]:
        """Return what draws the errors of parameters from replicates and their joint draw: replicates x names.

        Args:
            names: The parameters.
            sd: Their standard deviations where the posterior does not have them.
        """
        words = name_words(names)
        known = () if self.posterior is None else self.posterior.names
        place = {name: at for at, name in enumerate(known)}
        at = np.array([place.get(name, -1) for name in names])

        def draw(replicates: range, joint: Floats) -> Floats:
            errors = sd * normals(words, replicates)
            return np.where(at >= 0, joint[:, at], errors) if place else errors

        return draw


def _in_parts(rates: Floats, sums: Floats) -> Floats:
    """Return each part's rates times its sums over all curves: replicates x parts.

    A curve that a part lacks leaves it as it is.
    """
    of_curve = np.ascontiguousarray(rates.T)
    found = np.empty((len(rates), sums.shape[1]))
    for part in range(1, sums.shape[1]):
        curves = np.flatnonzero(sums[:, part])
        found[:, part] = (of_curve[curves] * sums[curves, part, None]).sum(axis=0)
    # The whole is added up by itself, so that its figures do not depend on how many parts there are.
    found[:, 0] = (rates * sums[:, 0]).sum(axis=1)
    return found


def _sums(
    parts: Sequence[pl.DataFrame], curves: pl.DataFrame, key: Sequence[str], names: Sequence[str]
) -> list[Floats]:
    """Return the sums of each part's cells at each curve, by name: curves x parts."""
    numbered = pl.concat(part.lazy().select(*key, *names, part=pl.lit(at)) for at, part in enumerate(parts))
    sums = (
        numbered.group_by(*key, "part")
        .agg(pl.col(*names).sum())
        .join(curves.lazy(), on=key, nulls_equal=True)
        .select("curve", "part", pl.col(*names).cast(pl.Float64))
        .collect()
    )
    at = sums["curve"].to_numpy(), sums["part"].to_numpy()
    found = []
    for name in names:
        values = np.zeros((curves.height, len(parts)))
        values[at] = sums[name].to_numpy()
        found.append(values)
    return found


def _lost(abilities: _Abilities) -> Floats:
    """Return P(the model used succeeds and the route fails)."""
    return irt.p_loses(abilities.small, abilities.large, abilities.difficulty)


def _rate(policy: Policy, abilities: _Abilities, p_lost: Floats) -> Floats:
    """Return how many times a moved request is expected to be repeated."""
    success = p_lost if policy.cascade is None else irt.p_success(abilities.small, abilities.difficulty)
    return escalation_rate(success, p_lost, cascade=policy.cascade, share=policy.assumptions.escalation.expected)
