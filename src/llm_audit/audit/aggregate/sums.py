"""Exact sums over a plan's requests."""

from __future__ import annotations

from llm_audit.arrays import Ints, exact_total
from llm_audit.policy.plan import Plan


def priced_total(plan: Plan, amounts: Ints) -> int:
    """The exact sum of pico-dollars over the requests that have a price."""
    return exact_total(amounts[plan.world.requests.priced])
