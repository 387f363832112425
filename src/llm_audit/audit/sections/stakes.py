"""Spend by what a wrong answer could harm, and what a policy's stricter limits there cost."""

from __future__ import annotations

import numpy as np

from llm_audit.arrays import Floats, Ints, exact_total
from llm_audit.document.audit import Stakes, StakesRow
from llm_audit.money import usd
from llm_audit.policy import Costs, Plan, RoutedCosts
from llm_audit.vocabulary import Stakes as Kind

_KINDS = ("none", *(kind.value for kind in Kind))
_DIGITS = 3


def stakes(applied: RoutedCosts) -> Stakes | None:
    """Sum requests by their stakes, and what each kind would save without the policy's limits; None without stakes."""
    plan = applied.plan
    requests = plan.requests
    if not requests.stakes.any():
        return None
    held = np.zeros(len(requests), dtype=np.bool_)
    saving: Ints = np.zeros(len(requests), dtype=np.int64)
    lost: Floats = np.zeros(len(requests))
    other = plan.without_stakes()
    if other is not None:
        costs = other.costs()
        held = other.route != plan.route
        saving = np.where(requests.priced, applied.expected_pico - costs.total, 0)
        lost = _lost(other, costs) - _lost(plan, applied.expected)
    rows = []
    for code, name in enumerate(_KINDS):
        of_kind = requests.stakes == code
        if not of_kind.any():
            continue
        cost = exact_total(requests.cost[of_kind])
        row = StakesRow(
            stakes=name,
            requests=int(of_kind.sum()),
            cost=usd(cost) if requests.priced[of_kind].any() else None,
            moved_requests=int(plan.moved[of_kind].sum()),
            held_requests=int(held[of_kind].sum()),
            further_saving=usd(exact_total(saving[of_kind])),
            further_lost_answers=round(float(lost[of_kind].sum()), _DIGITS),
        )
        rows.append((-cost, row))
    return Stakes(
        held_requests=int(held.sum()),
        further_saving=usd(exact_total(saving)),
        further_lost_answers=round(float(lost.sum()), _DIGITS),
        rows=[row for _, row in sorted(rows, key=lambda pair: pair[0])],
    )


def _lost(plan: Plan, costs: Costs) -> Floats:
    """Return the answers that each request is expected to lose beyond a second run of the model used."""
    return np.asarray(np.where(plan.moved, np.maximum(costs.loss, 0.0), 0.0))
