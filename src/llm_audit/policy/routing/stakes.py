"""A policy's stricter limits where a wrong answer could do harm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from llm_audit.arrays import Bools, Codes, Difficulties, Floats, Index
from llm_audit.policy.file.model import ANSWERS, StakesLimit
from llm_audit.policy.inputs.judge import Judge
from llm_audit.vocabulary import Stakes

Limits = Mapping[Stakes, StakesLimit]
_NO_LIMIT = StakesLimit(keep=False, max_quality_loss=None, min_success=None)


def limited(limits: Limits, stakes: Codes) -> Bools:
    """Return whether a policy asks more of each request because of its stakes: codes as in ``Requests``."""
    return np.array([limit != _NO_LIMIT for limit in _by_code(limits)])[stakes]


def within_limits(
    limits: Limits,
    stakes: Codes,
    *,
    candidate: Index,
    lost: Floats,
    skill: Index,
    difficulty: Difficulties,
    judge: Judge,
) -> Bools:
    """Return whether each candidate stays within the limits of what is at stake in its request.

    Args:
        limits: The policy's.
        stakes: What is at stake in each request, as in ``Requests``.
        candidate: A model for each.
        lost: The share of answers that it loses beyond a second run of the model used.
        skill: What each request asks of it.
        difficulty: Of each request.
        judge: Probabilities.
    """
    within = np.ones(len(stakes), dtype=np.bool_)
    at = np.flatnonzero(limited(limits, stakes)) if limits else np.empty(0, dtype=np.int64)
    if len(at):
        by_code = _by_code(limits)
        keep = np.array([limit.keep for limit in by_code])
        most = np.array([ANSWERS if limit.max_quality_loss is None else limit.max_quality_loss for limit in by_code])
        least = np.array([limit.min_success or 0.0 for limit in by_code])
        code = stakes[at]
        success = judge.success(candidate[at], skill[at], difficulty[at])
        within[at] = ~keep[code] & (lost[at] <= most[code] / ANSWERS) & (success >= least[code])
    return within


def _by_code(limits: Limits) -> list[StakesLimit]:
    """Return the limit of each code of stakes, of which the first is none."""
    return [_NO_LIMIT, *(limits.get(kind, _NO_LIMIT) for kind in Stakes)]
