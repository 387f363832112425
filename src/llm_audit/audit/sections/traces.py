"""What routing whole traces changes, and where the policy stops paying."""

from __future__ import annotations

import numpy as np

from llm_audit.audit.aggregate.sums import priced_total
from llm_audit.document.audit import BreakEven, TraceRouting
from llm_audit.money import usd
from llm_audit.policy.counterfactual.lengths import scenario
from llm_audit.policy.file.model import Scope
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.inputs.trace_graph import INFERRED
from llm_audit.policy.plan import Plan, replan
from llm_audit.policy.routing.decision import break_even_escalation
from llm_audit.policy.routing.traces import by_trace, trace_risk

_DETAILS = {
    "extra_steps": "Steps that an agent adds for each step moved",
    "escalation": "Times that an answer expected to be lost is asked again of the model used",
}


def trace_routing(plan: Plan) -> TraceRouting | None:
    """Compare the two ways of routing; None where no trace has two requests."""
    graph = plan.world.graph
    if not graph.nodes.height:
        return None
    by_traces = plan.policy.scope is Scope.TRACE
    per_request = replan(plan, plan.policy) if by_traces else plan
    per_trace = plan if by_traces else by_trace(plan)
    actual = priced_total(plan, plan.world.requests.cost)
    values = scenario(plan.policy.assumptions, escalation=0.0)
    outside = np.ones(len(plan.world.requests), dtype=bool)
    outside[graph.row] = False
    results = []
    for candidate in (per_request, per_trace):
        risk = trace_risk(candidate, graph)
        again = np.where(outside, candidate.estimate(scenario(candidate.policy.assumptions)).escalation, 0)
        cost = priced_total(plan, candidate.estimate(values).total + again) + int(risk.sum())
        results.append((actual - cost, int(risk.sum())))
    return TraceRouting(
        traces=graph.nodes["trace"].n_unique(),
        requests=graph.nodes.height,
        decisions=len(graph.unit_parent),
        inferred_edges=int(graph.nodes["edge"].is_in(INFERRED).sum()),
        per_request=usd(results[0][0]),
        per_trace=usd(results[1][0]),
        risk_per_request=usd(results[0][1]),
        risk_per_trace=usd(results[1][1]),
    )


def break_even(plan: Plan) -> list[BreakEven]:
    """Where extra steps and escalations eat up the tax.

    The tax is linear in both, tax(e) = tax(0) - e c with c what one more costs, so it is zero at tax(0) / c. What
    limits a cascade is the rate of its second payments.
    """
    assumptions = plan.policy.assumptions
    expected = plan.estimate(scenario(assumptions))
    actual, total = priced_total(plan, plan.world.requests.cost), priced_total(plan, expected.total)
    once = plan.estimate(scenario(assumptions, extra_steps=1.0, escalation=1.0))
    found = []
    parts = [("extra_steps", expected.extra_steps, once.extra_steps)]
    if plan.policy.cascade is None:
        parts.append(("escalation", expected.escalation, once.escalation))
    for name, now, each in parts:
        slope = priced_total(plan, each)
        without = actual - (total - priced_total(plan, now))
        if slope:
            assumed = getattr(assumptions, name).expected
            even = round(without / slope, 4)
            found.append(BreakEven(assumption=name, assumed=assumed, break_even=even, detail=_DETAILS[name]))
    cascade = plan.policy.cascade
    moved = plan.choice.position != NONE
    if cascade is not None and moved.any():
        large = int(plan.world.requests.cost[moved].sum())
        limit = break_even_escalation(int(expected.run[moved].sum()), int(expected.check[moved].sum()), large)
        found.append(
            BreakEven(
                assumption="escalation_rate",
                assumed=round(int(expected.escalation[moved].sum()) / large, 4) if large else 0.0,
                break_even=None if limit is None else round(limit, 4),
                detail="Share of the cascade's cost on the large model that is paid again",
            )
        )
    return found
