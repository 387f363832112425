"""Sensitivity of the expected tax to the policy's target and to each assumption."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llm_audit.audit.sections.totals import share
from llm_audit.document.audit import FrontierPoint, Sensitivity, TornadoBar
from llm_audit.money import usd
from llm_audit.policy import RANGES, Plan

TARGETS: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
"""The targets that the cost-quality frontier is drawn through, besides the policy's own."""


def sensitivity(plan: Plan) -> Sensitivity:
    """Return the cost-quality frontier over targets, and the tornado over assumptions."""
    return Sensitivity(frontier=frontier(plan), tornado=tornado(plan))


def frontier(plan: Plan, targets: Sequence[float] = TARGETS) -> list[FrontierPoint]:
    """Expected cost against expected failures at each target, and at the one in use."""
    own = plan.decision_value
    if own is None:
        return []
    others = sorted({*targets} - {own})
    plans = plan.at_values(others)
    points = {target: point(other, target, in_use=False) for target, other in zip(others, plans, strict=True)}
    points[own] = point(plan, own, in_use=True)
    return [points[target] for target in sorted(points)]


def point(plan: Plan, target: float, *, in_use: bool) -> FrontierPoint:
    """One policy on the plane of expected cost and expected failures."""
    expected = plan.costs()
    actual, policy_cost = plan.total(plan.actual), plan.total(expected.total)
    moved = plan.moved
    return FrontierPoint(
        target=round(target, 6),
        policy_cost=usd(policy_cost),
        flagship_tax=usd(actual - policy_cost),
        share=share(actual - policy_cost, actual),
        moved_requests=int(moved.sum()),
        expected_failures=round(float(np.nansum(np.where(moved, 1 - expected.p_suffices, 0.0))), 3)
        if moved.any()
        else None,
        in_use=in_use,
    )


def tornado(plan: Plan) -> list[TornadoBar]:
    """Return the expected tax with each assumption at its favourable and at its pessimistic end, widest first."""
    assumptions = plan.policy.assumptions
    actual = plan.total(plan.actual)
    headline = actual - plan.total(plan.costs().total)
    bars = []
    for name in RANGES:
        ends = getattr(assumptions, name)
        if ends.favourable == ends.pessimistic:
            continue
        taxes = [
            headline
            if value == ends.expected
            else actual - plan.total(plan.costs(plan.scenario(**{name: value})).total)
            for value in (ends.favourable, ends.pessimistic)
        ]
        low, high = sorted(taxes)
        bars.append(
            (
                high - low,
                TornadoBar(
                    assumption=name,
                    low_value=f"{ends.pessimistic:g}" if taxes[1] == low else f"{ends.favourable:g}",
                    high_value=f"{ends.favourable:g}" if taxes[1] == low else f"{ends.pessimistic:g}",
                    tax_at_low=usd(low),
                    tax_at_high=usd(high),
                ),
            )
        )
    return [bar for _, bar in sorted(bars, key=lambda bar: (-bar[0], bar[1].assumption))]
