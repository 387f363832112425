"""How the expected tax moves with the policy's target and with each assumption."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llm_audit.audit.aggregate.sums import priced_total
from llm_audit.audit.sections.totals import share
from llm_audit.document.audit import FrontierPoint, Sensitivity, TornadoBar
from llm_audit.money import usd
from llm_audit.policy.counterfactual.lengths import scenario
from llm_audit.policy.file.model import RANGES, Decision, Policy
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.plan import Plan, with_target
from llm_audit.policy.routes import reroutes

TARGETS: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
"""The targets that the cost-quality frontier is drawn through, besides the policy's own."""


def sensitivity(plan: Plan) -> Sensitivity:
    """The cost-quality frontier over targets, and the tornado over assumptions."""
    return Sensitivity(frontier=frontier(plan), tornado=tornado(plan))


def frontier(plan: Plan, targets: Sequence[float] = TARGETS) -> list[FrontierPoint]:
    """Expected cost against expected failures at each target, and at the one in use."""
    own = decided_by(plan.policy, plan.threshold)
    if own is None:
        return []
    others = sorted({*targets} - {own})
    plans = reroutes(plan, [with_target(plan.policy, target) for target in others])
    points = {target: point(other, target, in_use=False) for target, other in zip(others, plans, strict=True)}
    points[own] = point(plan, own, in_use=True)
    return [points[target] for target in sorted(points)]


def decided_by(policy: Policy, threshold: float | None) -> float | None:
    """The number that the policy decides by, None where it has none."""
    match policy.decision:
        case Decision.P_SUFFICES:
            return policy.target
        case Decision.STRONG_WINS:
            return threshold
        case Decision.QUALITY_DIFFERENCE:
            return policy.quality_difference
        case _:
            return None


def point(plan: Plan, target: float, *, in_use: bool) -> FrontierPoint:
    """One policy on the plane of expected cost and expected failures."""
    expected = plan.estimate(scenario(plan.policy.assumptions))
    actual, policy_cost = priced_total(plan, plan.world.requests.cost), priced_total(plan, expected.total)
    moved = plan.choice.position != NONE
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
    """The expected tax with each assumption at its favourable and at its pessimistic end, widest first."""
    assumptions = plan.policy.assumptions
    actual = priced_total(plan, plan.world.requests.cost)
    headline = actual - priced_total(plan, plan.estimate(scenario(assumptions)).total)
    bars = []
    for name in RANGES:
        ends = getattr(assumptions, name)
        if ends.favourable == ends.pessimistic:
            continue
        taxes = [
            headline
            if value == ends.expected
            else actual - priced_total(plan, plan.estimate(scenario(assumptions, **{name: value})).total)
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
