"""What a saving costs in answers, and what models that nobody measured might add to it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.interval import bounds
from llm_audit.audit.sections.tables.cells import share
from llm_audit.document.audit import Quality, Unmeasured
from llm_audit.money import usd
from llm_audit.policy import Costs, Models, Plan

THOUSAND = 1_000
_DIGITS = 3

_REASONS = {
    "not_in_ladder": "no request used a model of the policy's ladders",
    "no_capable_model": "no cheaper model meets the policy",
    "no_saving": "no move would save anything",
    "already_cheapest": "every request already uses the cheapest model",
    "not_offered": "the cheaper models were unavailable",
    "unmeasured": "nobody measured the cheaper models",
    "gated": "gates block every cheaper model",
    "abstained": "no prompt could be judged",
    "unpriced": "no request has a price",
    "not_chat": "no request is a chat call",
    "kept_by_policy": "the policy keeps every model",
}


def quality(
    *, moved: int, lost: float, gained: float, saved_pico: int, replicates: Floats, confidence: float
) -> Quality | None:
    """State the answers that moves are expected to lose and gain.

    None where nothing moves, and where a moved request's loss is unknown, because nobody measured the model used.

    Args:
        moved: Requests that move.
        lost: Answers expected to be lost beyond a second run of the model used.
        gained: Answers expected to be gained likewise.
        saved_pico: The expected tax.
        replicates: Lost answers with abilities and difficulties moved by their errors; NaN where unknown.
        confidence: Of the interval.
    """
    if not moved or np.isnan(replicates).any():
        return None
    found = bounds(replicates / moved * THOUSAND, confidence=confidence)
    point = lost / moved * THOUSAND
    low, high = (point, point) if found is None else (min(found.low, point), max(found.high, point))
    return Quality(
        lost_answers=round(lost, _DIGITS),
        gained_answers=round(gained, _DIGITS),
        lost_per_1000=round(point, _DIGITS),
        lost_per_1000_low=round(low, _DIGITS),
        lost_per_1000_high=round(high, _DIGITS),
        saved_per_lost_answer=saved_per_lost_answer(saved_pico, lost),
    )


def saved_per_lost_answer(saved_pico: int, lost: float | None) -> str | None:
    """Return the dollars saved for each lost answer; None where none is lost."""
    return usd(round(saved_pico / lost)) if lost else None


class UnmeasuredSums(msgspec.Struct, kw_only=True, frozen=True):
    """What models that nobody measured would add in a part of a log: pico-dollars, and requests that would move."""

    further: int
    requests: int
    models: frozenset[str]


def unmeasured_sums(plan: Plan, expected: Costs) -> UnmeasuredSums | None:
    """Route a part of a log as if all models had been measured; None where there are no others."""
    other = plan.with_unmeasured()
    if other is None:
        return None
    moved = other.moved & (other.route != plan.route)
    return UnmeasuredSums(
        further=plan.total(expected.total) - other.total(other.costs().total),
        requests=int(moved.sum()),
        models=frozenset(other.models.ids[model] for model in np.unique(other.route[moved])),
    )


def unmeasured(sums: UnmeasuredSums | None, models: Models) -> Unmeasured | None:
    """Return what models that nobody measured would add, were they as able as is guessed; None where none could."""
    if sums is None or not sums.requests:
        return None
    return Unmeasured(
        amount=usd(sums.further), requests=sums.requests, models=[name for name in models.ids if name in sums.models]
    )


def unmoved_reason(cost: Mapping[str, int]) -> str:
    """Say why a policy moves nothing, by what holds most of the cost: see ``Plan.cost_by_outcome``."""
    outcome, amount = max(cost.items(), key=lambda item: (item[1], item[0]))
    part = share(amount, sum(cost.values()))
    said = _REASONS[outcome]
    return said if part is None or part == 1 else f"{said} ({part:.0%} of the cost)"
