"""Exact sums over a plan's requests."""

from __future__ import annotations

from llm_audit.policy.inputs.models import Ints
from llm_audit.policy.plan import Plan

_SAFE = 2**62


def priced_total(plan: Plan, amounts: Ints) -> int:
    """The exact sum of pico-dollars over the requests that have a price."""
    return exact_total(amounts[plan.world.requests.priced])


def exact_total(amounts: Ints) -> int:
    """The exact sum of pico-dollars."""
    if len(amounts) and max(int(amounts.max()), -int(amounts.min())) > _SAFE // len(amounts):
        return sum(int(amount) for amount in amounts)
    return int(amounts.sum())
