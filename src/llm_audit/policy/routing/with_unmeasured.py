"""Routes as if a policy took models that nobody measured: what these might add."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from llm_audit.policy.file.model import Scope
from llm_audit.policy.inputs.choice import OUTCOMES, RouteOutcome
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.routing.decisions import positions
from llm_audit.policy.routing.plan import (
    RoutePlan,
    assessor_of,
    at_places,
    places_of,
    replan,
    settled,
    with_choice,
)
from llm_audit.policy.routing.traces import by_trace


def with_unmeasured(plan: RoutePlan) -> RoutePlan:
    """Return the plan with models that nobody measured among the candidates.

    Only requests whose ladder has such a model are decided again, with those whose moves were undone because they saved
    nothing: the cache that they share may now be another.
    """
    policy = replace(plan.policy, unmeasured=True)
    if policy.scope is Scope.TRACE:
        return by_trace(replan(plan, policy))
    requests, ladder = plan.inputs.requests, plan.ladder
    lacking = np.asarray(~plan.inputs.models.measured.all(axis=1))
    in_ladder = np.asarray(((ladder != NONE) & lacking[ladder]).any(axis=1))
    undone = plan.choice.outcome == OUTCOMES.index(RouteOutcome.NO_SAVING.value)
    rows = np.flatnonzero((requests.routable & in_ladder[requests.used]) | undone)
    assessor = assessor_of(plan.inputs, policy, ladder)
    position = plan.choice.position.copy()
    (position[rows],) = positions(assessor.part(rows), [assessor.rule])
    choice = at_places(plan, position, rows)
    places = places_of(plan.inputs, policy, position)
    other = replace(plan, policy=policy, assessor=assessor, threshold=assessor.rule.threshold, places=places)
    return settled(with_choice(other, choice))
