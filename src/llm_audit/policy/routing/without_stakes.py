"""Routes as if a policy had no ``[stakes]``: what its stricter limits hold back."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from llm_audit.arrays import Index, Ints
from llm_audit.policy.file.model import Scope
from llm_audit.policy.inputs.choice import OUTCOMES, RouteOutcome
from llm_audit.policy.routing.decisions import positions
from llm_audit.policy.routing.plan import RoutePlan, at_places, caches_of, routed, settled, with_caches, with_choice
from llm_audit.policy.routing.stakes import limited
from llm_audit.policy.routing.traces import by_trace


def without_stakes(plan: RoutePlan) -> RoutePlan | None:
    """Return the plan of the policy without its ``[stakes]``; None where they limit no request.

    Only requests that they limit are decided again, with those whose moves were undone because they saved nothing: the
    cache that they share with a limited request may now be another.
    """
    requests = plan.inputs.requests
    held = requests.routable & limited(plan.policy.stakes, requests.stakes)
    limits = plan.inputs.whole.limited
    if not (held.any() if limits is None else limits):
        return None
    policy = replace(plan.policy, stakes={})
    if policy.scope is Scope.TRACE:
        return by_trace(routed(plan.inputs, plan.ladder, policy))
    rows = np.flatnonzero(held | (plan.choice.outcome == OUTCOMES.index(RouteOutcome.NO_SAVING.value)))
    plain = freed(plan, rows)
    return settled(with_caches(plain, caches_of(plain)))


def freed(plan: RoutePlan, rows: Ints) -> RoutePlan:
    """Return the plan of the policy without its ``[stakes]`` where some requests are decided again."""
    plain, first = freed_places(plan, rows)
    return with_choice(plain, at_places(plain, first, rows))


def freed_places(plan: RoutePlan, rows: Ints) -> tuple[RoutePlan, Index]:
    """Return the same plan before it takes them, and the places of the ladder that requests then go to."""
    policy = replace(plan.policy, stakes={})
    rule = replace(plan.assessor.rule, policy=policy)
    assessor = replace(plan.assessor, policy=policy, rule=rule)
    first = plan.choice.position.copy()
    (first[rows],) = positions(assessor.part(rows), [rule])
    return replace(plan, policy=policy, assessor=assessor), first
