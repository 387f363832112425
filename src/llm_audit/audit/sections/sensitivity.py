"""Sensitivity of the expected tax to the policy's target and to each assumption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from llm_audit.arrays import Bools, exact_total
from llm_audit.audit.aggregate.addition import NANO, nano
from llm_audit.audit.sections.tables.cells import share
from llm_audit.document.audit import FrontierPoint, Sensitivity, TornadoBar
from llm_audit.money import usd
from llm_audit.policy import RANGES, Costs, Decision, Plan, Policy

TARGETS: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
"""The targets that the cost-quality frontier is drawn through, besides the policy's own."""

LOSSES: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 25.0)
"""The same for a policy that decides by quality loss, in answers of 100."""


class AssumptionEffect(msgspec.Struct, kw_only=True, frozen=True):
    """What one assumption at its ends adds to the expected tax, in pico-dollars.

    ``weight`` is the probability that it lies on the favourable side of its expected value: the share of its range.
    """

    assumption: str
    favourable: int
    pessimistic: int
    weight: float


class PointSums(msgspec.Struct, kw_only=True, frozen=True):
    """Sums over the requests of a part under one policy: pico-dollars, requests that move, and answers in billionths.

    ``unknown`` counts the moved requests whose loss is unknown, because nobody measured the model used.
    """

    actual: int
    cost: int
    moved: int
    lost_nano: int
    gained_nano: int
    unknown: int


class SensitivitySums(msgspec.Struct, kw_only=True, frozen=True):
    """What the requests of a part cost at other values of what the policy decides by, and of its assumptions.

    Attributes:
        points: By the value; none where the policy decides by no number.
        ends: Policy cost with an assumption at its favourable and at its pessimistic end, by its name.
        own: Under the policy as it is.
        billed: As ``ends``, of the requests billed by use, and with their cost under the policy as it is, ``own``.
    """

    points: dict[float, PointSums]
    ends: dict[str, dict[str, int]]
    own: PointSums
    billed: dict[str, dict[str, int]]


def sensitivity_sums(plan: Plan, expected: Costs, *, billed: Bools) -> SensitivitySums:
    """Sum the requests of a part of the log, given their costs under the policy as it is and which are billed."""
    own = point_sums(plan, expected)
    part = billed & plan.requests.priced
    ends, of_billed = _ends(plan, own.cost, part, exact_total(expected.total[part]))
    return SensitivitySums(points=frontier_sums(plan, own), ends=ends, own=own, billed=of_billed)


def frontier_values(policy: Policy) -> tuple[float, ...]:
    """Return the values that a policy's frontier is drawn through, besides its own."""
    if policy.decision in {Decision.ALWAYS, Decision.NEVER}:
        return ()
    return LOSSES if policy.decision is Decision.QUALITY_LOSS else TARGETS


def frontier_sums(plan: Plan, own: PointSums, values: Sequence[float] | None = None) -> dict[float, PointSums]:
    """Return sums at each value of what the policy decides by, its own included."""
    if plan.decision_value is None:
        return {}
    others = sorted({*(frontier_values(plan.policy) if values is None else values)} - {plan.decision_value})
    plans = plan.at_values(others)
    return {value: point_sums(other, other.costs()) for value, other in zip(others, plans, strict=True)} | {
        plan.decision_value: own
    }


def point_sums(plan: Plan, costs: Costs) -> PointSums:
    """Sum the requests of a part under a plan, given their costs."""
    loss = costs.loss[plan.moved]
    known = loss[~np.isnan(loss)]
    return PointSums(
        actual=plan.total(plan.actual),
        cost=plan.total(costs.total),
        moved=len(loss),
        lost_nano=nano(np.maximum(known, 0.0)),
        gained_nano=nano(np.maximum(-known, 0.0)),
        unknown=len(loss) - len(known),
    )


def sensitivity(
    sums: SensitivitySums, policy: Policy, *, in_use: float | None
) -> tuple[list[AssumptionEffect], Sensitivity]:
    """Return what assumptions do to the expected tax, and the document's frontier and tornado."""
    found = effects(sums, policy)
    return found, Sensitivity(frontier=frontier(sums.points, in_use=in_use), tornado=tornado(sums.own, found, policy))


def frontier(points: Mapping[float, PointSums], *, in_use: float | None) -> list[FrontierPoint]:
    """Return expected cost against lost answers at each value of what the policy decides by."""
    return [_point(points[target], target, in_use=target == in_use) for target in sorted(points)]


def _point(sums: PointSums, target: float, *, in_use: bool) -> FrontierPoint:
    """Return one policy on the plane of expected cost and lost answers."""
    lost, gained = answers(sums)
    return FrontierPoint(
        target=round(target, 6),
        policy_cost=usd(sums.cost),
        flagship_tax=usd(sums.actual - sums.cost),
        share=share(sums.actual - sums.cost, sums.actual),
        moved_requests=sums.moved,
        lost_answers=lost,
        gained_answers=gained,
        in_use=in_use,
    )


def answers(sums: PointSums) -> tuple[float | None, float | None]:
    """Return the answers expected to be lost and gained beyond a second run of the model used.

    None without moves, and where a moved request's loss is unknown.
    """
    if not sums.moved or sums.unknown:
        return None, None
    return round(sums.lost_nano / NANO, 3), round(sums.gained_nano / NANO, 3)


def _ends(
    plan: Plan, headline: int, part: Bools, of_part: int
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """Return the policy's cost with each assumption at its ends, all others at their expected values.

    It is of all requests and, for each assumption also as it is, of a part of them.
    """
    whole: dict[str, dict[str, int]] = {}
    parts: dict[str, dict[str, int]] = {}
    for name in RANGES:
        ends = getattr(plan.policy.assumptions, name)
        if ends.favourable == ends.pessimistic:
            continue
        whole[name], parts[name] = {}, {"own": of_part}
        for end in ("favourable", "pessimistic"):
            value = getattr(ends, end)
            if value == ends.expected:
                whole[name][end], parts[name][end] = headline, of_part
            else:
                changed: dict[str, Any] = {name: value}
                costs = plan.costs(plan.scenario(**changed)).total
                whole[name][end], parts[name][end] = plan.total(costs), exact_total(costs[part])
    return whole, parts


def effects(sums: SensitivitySums, policy: Policy) -> list[AssumptionEffect]:
    """Work out what each assumption does to the expected tax at its two ends."""
    return _effects({name: ends | {"own": sums.own.cost} for name, ends in sums.ends.items()}, policy)


def billed_effects(sums: SensitivitySums, policy: Policy) -> list[AssumptionEffect]:
    """Work out the same for the tax on the requests that are billed by use."""
    return _effects(sums.billed, policy)


def _effects(costs: Mapping[str, Mapping[str, int]], policy: Policy) -> list[AssumptionEffect]:
    found = []
    for name in RANGES:
        if name in costs:
            ends, cost = getattr(policy.assumptions, name), costs[name]
            weight = (ends.expected - ends.favourable) / (ends.pessimistic - ends.favourable)
            favourable, pessimistic = (cost["own"] - cost[end] for end in ("favourable", "pessimistic"))
            found.append(
                AssumptionEffect(assumption=name, favourable=favourable, pessimistic=pessimistic, weight=weight)
            )
    return found


def tornado(own: PointSums, found: Sequence[AssumptionEffect], policy: Policy) -> list[TornadoBar]:
    """Show the expected tax with each assumption at its favourable and at its pessimistic end, widest first."""
    headline = own.actual - own.cost
    bars = []
    for effect in found:
        ends = getattr(policy.assumptions, effect.assumption)
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
