"""Lost answers and their repeats, which depend on abilities and difficulties that are themselves estimates.

In each replicate every model's ability in each category, the difficulties of each category, and all difficulties
together are moved by normal errors of their own standard deviations; the routes stay, and what changes is how many
answers are lost and repeated: see ``margins``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Floats, Ints
from llm_audit.audit.aggregate.margins import BIN, Estimates, Margins
from llm_audit.audit.billing import is_billed
from llm_audit.blocks import in_blocks
from llm_audit.classify.learning.posterior import Posterior
from llm_audit.policy import Models, Policy, escalation_rate, missed

_CHUNK = 32
"""Replicates worked out at once, at least."""

_FITS = 1 << 16
"""Curves times replicates that fit the processor's cache."""

_CURVE = ("model_id", "route_model_id", "skill", "difficulty_bin")

KEYS: tuple[str, ...] = ("template_hash", "app", "billed", *_CURVE)

_SUMS = ("repeat_pico", "moved")


class RiskReplicates(msgspec.Struct, kw_only=True, frozen=True):
    """What abilities and difficulties that are off do, in each replicate.

    Attributes:
        cost_error: Pico-dollars by which the expected policy cost of each part is off: resamples x parts.
        lost: Answers lost beyond a second run of the model used; NaN where unknown: resamples x parts.
        gained: Answers gained likewise.
    """

    cost_error: Floats
    lost: Floats
    gained: Floats


def risk_cells(routed: pl.DataFrame) -> pl.DataFrame:
    """Sum moved requests by template, app, used model, route, skill and difficulty, sorted.

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
            difficulty_bin=(pl.col("difficulty").cast(pl.Float64) / BIN).round().cast(pl.Int32),
        )
        .agg(pl.col("repeat_pico").cast(pl.Int128).sum(), moved=pl.len().cast(pl.Int64))
        .with_columns(pl.col(name).cast(pl.String) for name in names)
        .select(*KEYS, *_SUMS)
        .collect()
        .sort(KEYS, nulls_last=True)
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
    errors, lost, gained = (np.zeros((resamples, len(parts))) for _ in range(3))
    found = RiskReplicates(cost_error=errors, lost=lost, gained=gained)
    if not curves.height:
        return found
    cost, moved = (_ByPart.of(sums) for sums in _sums(parts, curves, key, ("repeat_pico", "moved")))
    estimates = Estimates.of(curves, policy=policy, models=models, posterior=posterior)
    expected = _rate(policy, estimates.expected())

    def draw(replicates: range) -> None:
        margins, span = estimates.drawn(replicates), slice(replicates.start, replicates.stop)
        p_lost, p_repeated = margins.lost_and_repeated()
        loss = missed(p_lost - p_repeated, policy.cascade)
        off = np.nan_to_num(_rate(policy, margins, p_lost) - expected)  # repeats of unknown number are not priced
        errors[span] = cost.times(off)
        lost[span] = moved.times(np.maximum(loss, 0.0))
        gained[span] = moved.times(np.maximum(-loss, 0.0))

    chunk = max(_CHUNK, _FITS // curves.height)
    in_blocks(draw, [range(start, min(start + chunk, resamples)) for start in range(0, resamples, chunk)])
    return found


class _ByPart(msgspec.Struct, kw_only=True, frozen=True):
    """Sums of parts at curves.

    Attributes:
        whole: At all curves, of the first part, which is the whole: curves x 1.
        others: Of each other part, the curves that it has, and its sums at these.
    """

    whole: Floats
    others: Sequence[tuple[Ints, Floats]]

    @classmethod
    def of(cls, sums: Floats) -> _ByPart:
        """Return those of a table of curves x parts."""
        columns = [np.ascontiguousarray(column)[:, None] for column in sums.T]
        curves = [np.flatnonzero(column) for column in columns]
        return cls(
            whole=columns[0], others=[(at, column[at]) for at, column in zip(curves[1:], columns[1:], strict=True)]
        )

    def times(self, rates: Floats) -> Floats:
        """Return each part's rates, curves x replicates, times its sums over all curves: replicates x parts."""
        found = np.empty((rates.shape[1], 1 + len(self.others)))
        for part, (curves, sums) in enumerate(self.others, start=1):
            weighted = rates[curves]
            weighted *= sums
            weighted.sum(axis=0, out=found[:, part])
        # The whole is added up by itself, so that its figures do not depend on how many parts there are.
        found[:, 0] = np.ascontiguousarray((rates * self.whole).T).sum(axis=1)
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


def _rate(policy: Policy, margins: Margins, p_lost: Floats | None = None) -> Floats:
    """Return how many times a moved request is expected to be repeated, given P(its answer is lost), where known."""
    if p_lost is None:
        p_lost, _ = margins.lost_and_repeated()
    success = p_lost if policy.cascade is None else margins.success()
    return escalation_rate(success, p_lost, cascade=policy.cascade, share=policy.assumptions.escalation.expected)
