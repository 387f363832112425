"""Routes that differ from settled ones in some requests: only these, and those tied to them, are settled again.

What a request's route costs depends on those of its conversation and its tool loop alone, once it is known what others
leave in caches. So where no request of such a group is given another first route, all stay as they were settled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from llm_audit.arrays import Bools, Index, Ints
from llm_audit.policy.counterfactual.estimates import Costs, Estimated, Runs
from llm_audit.policy.counterfactual.lengths import scenario
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.choice import Choice
from llm_audit.policy.inputs.requests import at
from llm_audit.policy.routing.decisions import positions
from llm_audit.policy.routing.plan import RoutePlan, assessor_of, at_places, places_of, settled, with_choice

Table = TypeVar("Table", Choice, Costs, Runs)


def replans(plan: RoutePlan, policies: Sequence[Policy]) -> Iterator[RoutePlan]:
    """Yield the same requests under policies that differ in their number only: routes alone, without the reasons."""
    assessors = [assessor_of(plan.inputs, policy, plan.ladder) for policy in policies]
    moved, before = plan, None
    for assessor, first in zip(assessors, positions(plan.assessor, [a.rule for a in assessors]), strict=True):
        policy = assessor.policy
        places = places_of(plan.inputs, policy, first)
        moved = replace(moved, policy=policy, assessor=assessor, threshold=assessor.rule.threshold, places=places)
        if before is None:
            moved = settled(with_choice(moved, at_places(moved, first)))
        else:
            moved = resettled(moved, first, first != before)
        yield moved
        before = first


def resettled(plan: RoutePlan, first: Index, changed: Bools) -> RoutePlan:
    """Return the plan with other first routes.

    Args:
        plan: The plan, settled from first routes under the same caches, costs and assumptions.
        first: The places of the ladder that requests go to at first.
        changed: Where these are other than those that the plan was settled from.
    """
    wanted = plan.inputs.tied(changed)
    rows = np.flatnonzero(wanted)
    if not len(rows):
        return plan
    inputs, values = plan.inputs.closed(wanted), scenario(plan.policy.assumptions)
    part = replace(
        plan,
        inputs=inputs,
        assessor=replace(plan.assessor, inputs=inputs),
        choice=_taken(plan.choice, rows),
        runs=_taken(plan.runs, rows),
        costs=None,
    )
    part = settled(with_choice(part, at_places(part, first[rows])))
    costs = _put(plan.estimate(values), rows, part.estimate(values))
    choice, runs = _put(plan.choice, rows, part.choice), _put(plan.runs, rows, part.runs)
    return replace(plan, choice=choice, runs=runs, costs=Estimated(choice=choice, runs=runs, costs=costs))


def _taken(table: Table, rows: Ints) -> Table:
    """Return columns at some rows."""
    return replace(table, **{name: at(getattr(table, name), rows) for name in table.__struct_fields__})


def _put(table: Table, rows: Ints, part: Table) -> Table:
    """Return columns with those of a part at its rows."""
    names = table.__struct_fields__
    return replace(table, **{name: _with(getattr(table, name), rows, getattr(part, name)) for name in names})


def _with(column: npt.NDArray[Any], rows: Ints, part: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if not column.strides[0] and not part.strides[0]:  # nothing, in no memory
        return column
    found = column.copy()
    found[rows] = part
    return found
