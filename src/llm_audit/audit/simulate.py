"""Several policies on one reading of a ledger, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import msgspec

from llm_audit.arrays import exact_total
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.rows import Rows
from llm_audit.audit.sections.preference import preference_counts, preference_gap
from llm_audit.audit.sections.quality_loss import saved_per_lost_answer, unmoved_reason
from llm_audit.audit.sections.sensitivity import answers, frontier, frontier_sums, point_sums
from llm_audit.audit.sections.totals import share
from llm_audit.audit.what_if import Conditions, WhatIf, apply, kept_reason
from llm_audit.catalog import Catalog
from llm_audit.document.audit import FrontierPoint, PolicyResult
from llm_audit.errors import IncompleteError
from llm_audit.ledger import Ledger
from llm_audit.money import usd
from llm_audit.policy import ROUTING_COLUMNS, Plan, Policy, plan, read_traffic
from llm_audit.pricing import PRICED_BY, PriceBook

_ELSEWHERE = ("not_in_ladder", "not_chat", "unpriced")
"""Outcomes of requests that the ladders have no part in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Policies compared, in the order asked for, then what-ifs; and the frontier of the first over its targets."""

    actual: str
    requests: int
    policies: list[PolicyResult]
    frontier: list[FrontierPoint]


def simulate(
    ledger: Ledger,
    policies: Sequence[Policy],
    *,
    catalog: Catalog,
    book: PriceBook,
    options: AuditOptions,
    targets: Sequence[float] = (),
    what_ifs: Sequence[WhatIf] = (),
) -> Simulation:
    """Apply each policy to the ledger's requests.

    Args:
        ledger: Read once.
        policies: At least one; the first is marked as the one in use.
        catalog: Models.
        book: Prices.
        options: For the period.
        targets: Also sweep the first policy over these.
        what_ifs: Also make these moves, all under the same conditions, with the first policy's gates and assumptions.

    Raises:
        IncompleteError: No request is left to audit.
        UsageError: No request has a value that a condition asks for.
    """
    where = what_ifs[0].where if what_ifs else ()
    asked = replace(options, group_by=tuple(dict.fromkeys(condition.column for condition in where)))
    rows = Rows(ledger=ledger, options=asked, catalog=catalog, book=book)
    pieces = rows.priced((*PRICED_BY, *ROUTING_COLUMNS))
    first = next(pieces, None)
    if first is None:
        raise IncompleteError("There is nothing to simulate: no request lies in the period.")
    conditions = Conditions(where)
    traffic = read_traffic(conditions.reading(chain([first], pieces)), rows.columns, catalog)
    met = conditions.met()
    results, swept = [], []
    for number, policy in enumerate(policies):
        applied = plan(traffic, policy, catalog=catalog, book=book)
        results.append(result(applied, in_use=number == 0))
        if number == 0 and targets:
            own = point_sums(applied, applied.costs())
            swept = frontier(frontier_sums(applied, own, targets), in_use=applied.decision_value)
    for what_if in what_ifs:
        moved, about = apply(what_if, traffic, like=policies[0], met=met, catalog=catalog, book=book)
        results.append(msgspec.structs.replace(result(moved, in_use=False), reason=kept_reason(moved, about)))
    requests = traffic.requests
    return Simulation(actual=usd(exact_total(requests.cost)), requests=len(requests), policies=results, frontier=swept)


def result(applied: Plan, *, in_use: bool) -> PolicyResult:
    """One policy's figures."""
    actual = applied.total(applied.actual)
    expected = applied.costs()
    floor = applied.costs(applied.scenario("pessimistic"))
    cost = applied.total(expected.total)
    moved = applied.moved
    lost, gained = answers(point_sums(applied, expected))
    target = applied.decision_value
    return PolicyResult(
        name=applied.policy.name,
        target=None if target is None else round(target, 6),
        policy_cost=usd(cost),
        flagship_tax=usd(actual - cost),
        share=share(actual - cost, actual),
        ladder_share=share(actual - cost, _in_ladders(applied)),
        ceiling=usd(actual - applied.total(applied.ceiling())),
        floor=usd(actual - applied.total(floor.total)),
        moved_requests=int(moved.sum()),
        lost_answers=lost,
        gained_answers=gained,
        saved_per_lost_answer=saved_per_lost_answer(actual - cost, lost),
        preference=preference_gap(preference_counts(applied), applied.models),
        reason=None if moved.any() else unmoved_reason(applied),
        in_use=in_use,
    )


def _in_ladders(applied: Plan) -> int:
    """Return the actual cost of the requests whose models are in the policy's ladders."""
    return sum(cost for outcome, cost in applied.cost_by_outcome().items() if outcome not in _ELSEWHERE)
