"""Spend by what a wrong answer could harm, and what a policy's stricter limits there cost."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from llm_audit.arrays import Floats, Ints, exact_total
from llm_audit.audit.aggregate.addition import NANO, nano
from llm_audit.document.audit import Stakes, StakesRow
from llm_audit.money import usd
from llm_audit.policy import Costs, Plan, RoutedCosts
from llm_audit.vocabulary import Stakes as Kind

_KINDS = ("none", *(kind.value for kind in Kind))
_DIGITS = 3


class StakesSums(msgspec.Struct, kw_only=True, frozen=True):
    """Sums over the requests of one kind of stakes: pico-dollars, and lost answers in billionths."""

    requests: int
    cost: int
    priced: int
    moved: int
    held: int
    saving: int
    lost_nano: int


def stakes_sums(applied: RoutedCosts) -> dict[str, StakesSums]:
    """Sum a part's requests by their stakes, and what each kind would save without the policy's limits."""
    plan = applied.plan
    requests = plan.requests
    held = np.zeros(len(requests), dtype=np.bool_)
    saving: Ints = np.zeros(len(requests), dtype=np.int64)
    lost: Floats = np.zeros(len(requests))
    other = plan.without_stakes()
    if other is not None:
        costs = other.costs()
        held = other.route != plan.route
        saving = np.where(requests.priced, applied.expected_pico - costs.total, 0)
        lost = _lost(other, costs) - _lost(plan, applied.expected)
    found = {}
    for code, name in enumerate(_KINDS):
        rows = np.flatnonzero(requests.stakes == code)
        if len(rows):
            found[name] = StakesSums(
                requests=len(rows),
                cost=exact_total(requests.cost[rows]),
                priced=int(np.count_nonzero(requests.priced[rows])),
                moved=int(np.count_nonzero(plan.moved[rows])),
                held=int(np.count_nonzero(held[rows])),
                saving=exact_total(saving[rows]),
                lost_nano=nano(lost[rows]),
            )
    return found


def stakes(sums: Mapping[str, StakesSums]) -> Stakes | None:
    """Return the kinds of stakes, most dollars first; None without stakes."""
    if not sums.keys() - {_KINDS[0]}:
        return None
    kinds = [(name, sums[name]) for name in _KINDS if name in sums]
    return Stakes(
        held_requests=sum(kind.held for _, kind in kinds),
        further_saving=usd(sum(kind.saving for _, kind in kinds)),
        further_lost_answers=round(sum(kind.lost_nano for _, kind in kinds) / NANO, _DIGITS),
        rows=[
            StakesRow(
                stakes=name,
                requests=kind.requests,
                cost=usd(kind.cost) if kind.priced else None,
                moved_requests=kind.moved,
                held_requests=kind.held,
                further_saving=usd(kind.saving),
                further_lost_answers=round(kind.lost_nano / NANO, _DIGITS),
                unpriced_requests=kind.requests - kind.priced,
            )
            for name, kind in sorted(kinds, key=lambda pair: -pair[1].cost)
        ],
    )


def _lost(plan: Plan, costs: Costs) -> Floats:
    """Return the answers that each request is expected to lose beyond a second run of the model used."""
    return np.asarray(np.where(plan.moved, np.maximum(costs.loss, 0.0), 0.0))
