"""Sums over the requests of a partition under each policy, and the figures of a policy made from them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec.structs import replace

from llm_audit.arrays import Bools
from llm_audit.audit.aggregate.addition import add_all
from llm_audit.audit.parts import Job
from llm_audit.audit.sections.preference import Counts, preference_counts, preference_gap
from llm_audit.audit.sections.quality_loss import saved_per_lost_answer, unmoved_reason
from llm_audit.audit.sections.sensitivity import PointSums, answers, frontier_sums, point_sums
from llm_audit.audit.sections.tables.cells import share
from llm_audit.audit.simulation.asked import Known, read_asked
from llm_audit.audit.simulation.what_if import KeptSums, kept_reason, kept_sums
from llm_audit.audit.stages.space import Space
from llm_audit.document.audit import PolicyResult
from llm_audit.money import usd
from llm_audit.policy import Models, Plan, Policy, plan, routed_costs
from llm_audit.vocabulary import COVERED

_ELSEWHERE = ("not_in_ladder", "not_chat", "unpriced")
"""Outcomes of requests that the ladders have no part in."""


class PolicySums(msgspec.Struct, kw_only=True, frozen=True):
    """Sums over requests under one policy, in pico-dollars.

    Attributes:
        own: Under its expected assumptions.
        ceiling: Policy cost at the same tokens, or as expected where that is less.
        floor: Policy cost under the pessimistic assumptions, or as expected where that is more.
        by_outcome: Actual cost by why requests have their route.
        priced: Requests that have a price.
        certain: Those of them whose tax needs no judgement.
        preference: See ``preference.preference_counts``.
        kept: What keeps the requests of a what-if; None of a policy.
    """

    own: PointSums
    ceiling: int
    floor: int
    by_outcome: dict[str, int]
    priced: int
    certain: int
    preference: Counts
    kept: KeptSums | None


class Simulated(msgspec.Struct, kw_only=True, frozen=True):
    """The result of a partition, or of several.

    Attributes:
        policies: By place in ``Asked.policies``.
        frontier: Of the first policy, by the value that it decides by; empty where no targets are asked for.
        values: By place of the condition, the one that it asks for where a request has it, and else all that there are.
        decided_by: The number that each policy decides by, the same in every partition.
    """

    policies: dict[int, PolicySums]
    frontier: dict[float, PointSums]
    values: dict[int, frozenset[str]]
    decided_by: tuple[float | None, ...]


def simulated(job: Job, known: Known, _: Space | None, partition: int) -> Simulated | None:
    """Apply each policy to a partition; None where it has no request of the period."""
    read, asked = read_asked(job, known, partition), known.asked
    if read is None:
        return None
    traffic, conditions = read
    sums: dict[int, PolicySums] = {}
    swept: dict[float, PointSums] = {}
    decided_by = []
    for place, (policy, whole) in enumerate(zip(asked.policies, known.wholes, strict=True)):
        applied, about = plan(traffic, policy, catalog=job.catalog, book=job.book, whole=whole), None
        if (moves := asked.moves_of(place)) is not None:
            about = moves.about(traffic, conditions.met())
            applied = applied.limited_to(about)
        sums[place] = _sums(applied, about)
        decided_by.append(applied.decision_value)
        if place == 0 and asked.targets:
            swept = frontier_sums(applied, sums[0].own, asked.targets)
    return Simulated(policies=sums, frontier=swept, values=conditions.values(), decided_by=tuple(decided_by))


def add_simulated(_: Job, parts: Sequence[Simulated]) -> Simulated:
    """Return the result of several partitions."""
    return replace(
        parts[0],
        policies=add_all(part.policies for part in parts),
        frontier=add_all(part.frontier for part in parts),
        values=add_all(part.values for part in parts),
    )


def _sums(applied: Plan, about: Bools | None) -> PolicySums:
    costs, priced = routed_costs(applied), applied.requests.priced
    return PolicySums(
        own=point_sums(applied, costs.expected),
        ceiling=applied.total(costs.ceiling_pico),
        floor=applied.total(costs.floor_pico),
        by_outcome=applied.cost_by_outcome(),
        priced=int(np.count_nonzero(priced)),
        certain=int(np.count_nonzero(priced & applied.certain)),
        preference=preference_counts(applied),
        kept=None if about is None else kept_sums(applied, about),
    )


def policy_result(
    sums: PolicySums, policy: Policy, *, decided_by: float | None, models: Models, in_use: bool
) -> PolicyResult:
    """Return the figures of one policy."""
    own = sums.own
    saved, (lost, gained) = own.actual - own.cost, answers(own)
    in_ladders = sum(cost for outcome, cost in sums.by_outcome.items() if outcome not in _ELSEWHERE)
    unmoved = None if own.moved else unmoved_reason(sums.by_outcome)
    known = sums.kept is not None or _judged(sums)  # a what-if moves what it is told to
    return PolicyResult(
        name=policy.name,
        target=None if decided_by is None else round(decided_by, 6),
        policy_cost=usd(own.cost) if known else None,
        flagship_tax=usd(saved) if known else None,
        share=share(saved, own.actual) if known else None,
        ladder_share=share(saved, in_ladders) if known else None,
        ceiling=usd(own.actual - sums.ceiling) if known else None,
        floor=usd(own.actual - sums.floor) if known else None,
        moved_requests=own.moved,
        lost_answers=lost,
        gained_answers=gained,
        saved_per_lost_answer=saved_per_lost_answer(saved, lost),
        preference=preference_gap(sums.preference, models),
        reason=unmoved if sums.kept is None else kept_reason(sums.kept),
        in_use=in_use,
    )


def _judged(sums: PolicySums) -> bool:
    """Return whether the policy's cost is known: see ``rollups.judged``."""
    routed = not sums.by_outcome.keys().isdisjoint(COVERED) or sums.own.moved or sums.own.cost != sums.own.actual
    return sums.priced > 0 and bool(routed or sums.certain == sums.priced)
