"""Routing by trace against routing by request, and the break-even of the assumptions."""

from __future__ import annotations

import numpy as np

from llm_audit.document.audit import BreakEven, TraceRouting
from llm_audit.money import usd
from llm_audit.policy import Plan, break_even_escalation

_DETAILS = {
    "extra_steps": "Steps that an agent adds for each step moved",
    "escalation": "Times that a lost answer is repeated on the model used",
}


def trace_routing(plan: Plan) -> TraceRouting | None:
    """Compare the two ways of routing; None where no trace has two requests."""
    graph = plan.graph
    if not graph.nodes.height:
        return None
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
    return TraceRouting(
        traces=graph.nodes["trace"].n_unique(),
        requests=graph.nodes.height,
        decisions=len(graph.unit_parent),
        inferred_edges=int(graph.inferred.sum()),
        per_request=usd(results[0][0]),
        per_trace=usd(results[1][0]),
        risk_per_request=usd(results[0][1]),
        risk_per_trace=usd(results[1][1]),
    )


def break_even(plan: Plan) -> list[BreakEven]:
    """Return the extra steps and escalations at which the tax is used up.

    The tax is linear in both, tax(e) = tax(0) - e c with c what one more costs, so it is zero at tax(0) / c. What
    limits a cascade is the rate of its second payments.
    """
    assumptions = plan.policy.assumptions
    expected = plan.costs()
    actual, total = plan.total(plan.actual), plan.total(expected.total)
    once = plan.costs(plan.scenario(extra_steps=1.0, escalation=1.0))
    found = []
    parts = [("extra_steps", expected.extra_steps, once.extra_steps)]
    if plan.policy.cascade is None:
        parts.append(("escalation", expected.escalation, once.escalation))
    for name, now, each in parts:
        slope = plan.total(each)
        without = actual - (total - plan.total(now))
        if slope:
            assumed = getattr(assumptions, name).expected
            even = round(without / slope, 4)
            found.append(BreakEven(assumption=name, assumed=assumed, break_even=even, detail=_DETAILS[name]))
    cascade = plan.policy.cascade
    moved = plan.moved
    if cascade is not None and moved.any():
        large = int(plan.actual[moved].sum())
        limit = break_even_escalation(int(expected.run[moved].sum()), int(expected.check[moved].sum()), large)
        found.append(
            BreakEven(
                assumption="escalation_rate",
                assumed=round(int(expected.escalation[moved].sum()) / large, 4) if large else 0.0,
                break_even=None if limit is None else round(limit, 4),
                detail="Share of the large model's cost that the cascade pays a second time",
            )
        )
    return found
