"""Exact sums over a plan's requests."""

from __future__ import annotations

from llm_audit.policy.models import Ints
from llm_audit.policy.plan import Plan

_SAFE = 2**62


def priced_total(plan: Plan, amounts: Ints) -> int:
    """The exact sum of pico-dollars over the requests that have a price."""
    kept = amounts[plan.world.requests.priced]
    if len(kept) and max(int(kept.max()), -int(kept.min())) > _SAFE // len(kept):
        return sum(int(amount) for amount in kept)
    return int(kept.sum())
