"""Sensitivity of the expected tax to the policy's target and to each assumption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llm_audit.audit.sections.totals import share
from llm_audit.document.audit import FrontierPoint, Sensitivity, TornadoBar
from llm_audit.money import usd
from llm_audit.policy import RANGES, Costs, Decision, Plan

TARGETS: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
"""The targets that the cost-quality frontier is drawn through, besides the policy's own."""

LOSSES: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 25.0)
"""The same for a policy that decides by quality loss, in answers of 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumptionEffect:
    """What one assumption at its ends adds to the expected tax, in pico-dollars.

    ``weight`` is the probability that it lies on the favourable side of its expected value: the share of its range.
    """

    assumption: str
    favourable: int
    pessimistic: int
    weight: float


def assumption_sensitivity(plan: Plan) -> tuple[list[AssumptionEffect], Sensitivity]:
    """Return what assumptions do to the expected tax, and the document's frontier and tornado."""
    found = effects(plan)
    return found, Sensitivity(frontier=frontier(plan), tornado=tornado(plan, found))


def frontier(plan: Plan, targets: Sequence[float] | None = None) -> list[FrontierPoint]:
    """Return expected cost against lost answers at each value of what the policy decides by, its own included."""
    own = plan.decision_value
    if own is None:
        return []
    if targets is None:
        targets = LOSSES if plan.policy.decision is Decision.QUALITY_LOSS else TARGETS
    others = sorted({*targets} - {own})
    plans = plan.at_values(others)
    points = {target: point(other, target, in_use=False) for target, other in zip(others, plans, strict=True)}
    points[own] = point(plan, own, in_use=True)
    return [points[target] for target in sorted(points)]


def point(plan: Plan, target: float, *, in_use: bool) -> FrontierPoint:
    """Return one policy on the plane of expected cost and lost answers."""
    expected = plan.costs()
    actual, policy_cost = plan.total(plan.actual), plan.total(expected.total)
    moved = plan.moved
    lost, gained = answers(plan, expected)
    return FrontierPoint(
        target=round(target, 6),
        policy_cost=usd(policy_cost),
        flagship_tax=usd(actual - policy_cost),
        share=share(actual - policy_cost, actual),
        moved_requests=int(moved.sum()),
        lost_answers=lost,
        gained_answers=gained,
        in_use=in_use,
    )


def answers(plan: Plan, costs: Costs) -> tuple[float | None, float | None]:
    """Return the answers expected to be lost and gained beyond a second run of the model used.

    None without moves, and where a moved request's loss is unknown, because nobody measured the model used.
    """
    loss = costs.loss[plan.moved]
    if not loss.size or np.isnan(loss).any():
        return None, None
    return round(float(np.maximum(loss, 0.0).sum()), 3), round(float(np.maximum(-loss, 0.0).sum()), 3)


def effects(plan: Plan) -> list[AssumptionEffect]:
    """Work out what each assumption does to the expected tax at its two ends, all others at their expected values."""
    headline = plan.total(plan.costs().total)
    found = []
    for name in RANGES:
        ends = getattr(plan.policy.assumptions, name)
        if ends.favourable == ends.pessimistic:
            continue
        favourable, pessimistic = (
            0 if value == ends.expected else headline - plan.total(plan.costs(plan.scenario(**{name: value})).total)
            for value in (ends.favourable, ends.pessimistic)
        )
        weight = (ends.expected - ends.favourable) / (ends.pessimistic - ends.favourable)
        found.append(AssumptionEffect(assumption=name, favourable=favourable, pessimistic=pessimistic, weight=weight))
    return found


def tornado(plan: Plan, found: Sequence[AssumptionEffect]) -> list[TornadoBar]:
    """Show the expected tax with each assumption at its favourable and at its pessimistic end, widest first."""
    headline = plan.total(plan.actual) - plan.total(plan.costs().total)
    bars = []
    for effect in found:
        ends = getattr(plan.policy.assumptions, effect.assumption)
        low, high = sorted((headline + effect.favourable, headline + effect.pessimistic))
        pessimistic_low = headline + effect.pessimistic == low
        bar = TornadoBar(
            assumption=effect.assumption,
            low_value=f"{ends.pessimistic if pessimistic_low else ends.favourable:g}",
            high_value=f"{ends.favourable if pessimistic_low else ends.pessimistic:g}",
            tax_at_low=usd(low),
            tax_at_high=usd(high),
        )
        bars.append((high - low, bar))
    return [bar for _, bar in sorted(bars, key=lambda bar: (-bar[0], bar[1].assumption))]
