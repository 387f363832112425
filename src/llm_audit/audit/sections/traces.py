"""Routing by trace against routing by request, and the break-even of the assumptions."""

from __future__ import annotations

import msgspec
import numpy as np

from llm_audit.document.audit import BreakEven, TraceRouting
from llm_audit.money import usd
from llm_audit.policy import Costs, Plan, Policy, break_even_escalation

_DETAILS = {
    "extra_steps": "Steps that an agent adds for each step moved",
    "escalation": "Times that a lost answer is repeated on the model used",
}


class TraceSums(msgspec.Struct, kw_only=True, frozen=True):
    """Sums over a part of a log that compare the two ways of routing: counts, and pico-dollars saved and at risk."""

    traces: int
    requests: int
    decisions: int
    inferred_edges: int
    saved_per_request: int
    saved_per_trace: int
    risk_per_request: int
    risk_per_trace: int


def trace_sums(plan: Plan) -> TraceSums:
    """Route a part of a log both ways; requests outside traces keep their routes."""
    graph = plan.graph
    actual = plan.total(plan.actual)
    values = plan.scenario(escalation=0.0)
    outside = np.ones(len(plan.requests), dtype=np.bool_)
    outside[graph.row] = False
    results = []
    for candidate in (plan.by_request(), plan.by_trace()):
        risk = int(candidate.risk().sum())
        escalation = np.where(outside, candidate.costs().escalation, 0)
        cost = plan.total(candidate.costs(values).total + escalation) + risk
        results.append((actual - cost, risk))
    return TraceSums(
        traces=graph.nodes["trace"].n_unique(),
        requests=graph.nodes.height,
        decisions=len(graph.unit_parent),
        inferred_edges=int(graph.inferred.sum()),
        saved_per_request=results[0][0],
        saved_per_trace=results[1][0],
        risk_per_request=results[0][1],
        risk_per_trace=results[1][1],
    )


def trace_routing(sums: TraceSums) -> TraceRouting | None:
    """Compare the two ways of routing; None where no trace has two requests."""
    if not sums.requests:
        return None
    return TraceRouting(
        traces=sums.traces,
        requests=sums.requests,
        decisions=sums.decisions,
        inferred_edges=sums.inferred_edges,
        per_request=usd(sums.saved_per_request),
        per_trace=usd(sums.saved_per_trace),
        risk_per_request=usd(sums.risk_per_request),
        risk_per_trace=usd(sums.risk_per_trace),
    )


class BreakEvenSums(msgspec.Struct, kw_only=True, frozen=True):
    """Pico-dollars that the break-even is worked out from.

    Attributes:
        actual: What was paid.
        total: What the policy would pay.
        now: Parts of ``total``: ``extra_steps`` and ``escalation``.
        each: The same with one extra step for each step moved, and every lost answer repeated once.
        moved: Of the moved requests: what was paid (``large``), and what ``run``, ``check`` and ``escalation`` cost.
    """

    actual: int
    total: int
    now: dict[str, int]
    each: dict[str, int]
    moved: dict[str, int]


def break_even_sums(plan: Plan, expected: Costs) -> BreakEvenSums:
    """Sum a part of a log, given its costs under the policy."""
    once, moved = plan.costs(plan.scenario(extra_steps=1.0, escalation=1.0)), plan.moved

    def parts(costs: Costs) -> dict[str, int]:
        return {"extra_steps": plan.total(costs.extra_steps), "escalation": plan.total(costs.escalation)}

    return BreakEvenSums(
        actual=plan.total(plan.actual),
        total=plan.total(expected.total),
        now=parts(expected),
        each=parts(once),
        moved={
            "requests": int(np.count_nonzero(moved)),
            "large": int(plan.actual[moved].sum()),
            "run": int(expected.run[moved].sum()),
            "check": int(expected.check[moved].sum()),
            "escalation": int(expected.escalation[moved].sum()),
        },
    )


def break_even(sums: BreakEvenSums, policy: Policy) -> list[BreakEven]:
    """Return the extra steps and escalations at which the tax is used up.

    The tax is linear in both, tax(e) = tax(0) - e c with c what one more costs, so it is zero at tax(0) / c. What
    limits a cascade is the rate of its second payments.
    """
    found = []
    for name in ("extra_steps",) if policy.cascade else ("extra_steps", "escalation"):
        slope = sums.each[name]
        without = sums.actual - (sums.total - sums.now[name])
        if slope:
            assumed = getattr(policy.assumptions, name).expected
            even = round(without / slope, 4)
            found.append(BreakEven(assumption=name, assumed=assumed, break_even=even, detail=_DETAILS[name]))
    moved = sums.moved
    if policy.cascade is not None and moved["requests"]:
        large = moved["large"]
        limit = break_even_escalation(moved["run"], moved["check"], large)
        found.append(
            BreakEven(
                assumption="escalation_rate",
                assumed=round(moved["escalation"] / large, 4) if large else 0.0,
                break_even=None if limit is None else round(limit, 4),
                detail="Share of the large model's cost that the cascade pays a second time",
            )
        )
    return found
