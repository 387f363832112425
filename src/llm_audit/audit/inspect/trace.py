"""One trace as a tree: its routes, what depends on each request, and what a lost answer would cost."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from xxhash import xxh3_64_intdigest

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.ledger import Ledger
from llm_audit.money import usd
from llm_audit.policy.counterfactual.lengths import scenario
from llm_audit.policy.counterfactual.traffic import traffic_of
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.inputs.trace_graph import INFERRED, ROOT, depths, downstream
from llm_audit.policy.plan import Plan, plan_requests
from llm_audit.policy.routes import with_models
from llm_audit.policy.routing.decisions import OUTCOMES
from llm_audit.policy.routing.traces import by_trace, trace_risk
from llm_audit.pricing import PriceBook, price


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceNode:
    """A request of the trace.

    ``depth`` and ``parent`` (a place in the list) are of the tree; ``edge`` says what the dependency is known by, and
    ``inferred`` that the log does not state it; ``decision`` numbers the requests that are routed as one;
    ``downstream_usd`` is its cost with all that depends on it; ``risk_usd`` its part of what a lost answer makes run
    again.
    """

    request: str
    time: str | None
    step: str | None
    model: str | None
    route_per_request: str | None
    route_per_trace: str | None
    outcome: str
    depth: int
    parent: int | None
    edge: str | None
    inferred: bool
    decision: int
    cost_usd: str
    policy_cost_usd: str
    downstream_usd: str
    risk_usd: str
    p_suffices: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView:
    """A trace's requests in order of time, and its totals."""

    nodes: list[TraceNode]
    cost_usd: str
    policy_cost_per_request_usd: str
    policy_cost_per_trace_usd: str


def view_trace(ledger: Ledger, trace: str, *, policy: Policy, catalog: Catalog, book: PriceBook) -> TraceView:
    """Lay out a trace, or a conversation of a log without traces.

    Args:
        ledger: The ledger it is in.
        trace: The trace's or conversation's id as the log has it, or its hash in hexadecimal.
        policy: The policy.
        catalog: Models.
        book: Prices.

    Raises:
        UsageError: No trace with two requests is called that.
    """
    keys = [xxh3_64_intdigest(trace.encode())]
    with contextlib.suppress(ValueError):
        keys.append(int(trace, 16) % 2**64)
    wanted = pl.Series(keys, dtype=pl.UInt64)
    frame = ledger.scan().filter(
        pl.col("trace").is_in(wanted.implode()) | pl.col("conversation").is_in(wanted.implode())
    )
    requests = frame.collect()
    if requests.height < 2:
        raise UsageError(f"No trace of at least two requests is called {trace!r}.")
    named = with_models(price(requests, book), catalog)
    return _view(named, plan_requests(traffic_of(named, catalog), policy, catalog=catalog, book=book))


def _view(named: pl.DataFrame, alone: Plan) -> TraceView:
    whole = by_trace(alone)
    graph = alone.world.graph
    models, actual = alone.world.models, alone.world.requests.cost
    costs = [applied.estimate(scenario(applied.policy.assumptions)).total for applied in (alone, whole)]
    below = downstream(graph.parent, actual[graph.row])
    risk, depth = trace_risk(whole, graph), depths(graph.parent)
    edges = graph.nodes["edge"].to_list()
    nodes = []
    for node, place in enumerate(graph.row.tolist()):
        row = named.row(place, named=True)
        p = float(whole.choice.p_suffices[place])
        nodes.append(
            TraceNode(
                request=f"{row['request_key']:016x}",
                time=row["time"].isoformat() if row["time"] else None,
                step=row["step"],
                model=row["model_id"] or row["model"],
                route_per_request=_model(models.ids, alone.choice.route[place]),
                route_per_trace=_model(models.ids, whole.choice.route[place]),
                outcome=OUTCOMES[whole.choice.outcome[place]],
                depth=int(depth[node]),
                parent=None if graph.parent[node] == ROOT else int(graph.parent[node]),
                edge=edges[node],
                inferred=edges[node] in INFERRED,
                decision=int(graph.unit[node]),
                cost_usd=usd(int(actual[place])),
                policy_cost_usd=usd(int(costs[1][place])),
                downstream_usd=usd(int(below[node])),
                risk_usd=usd(int(risk[node])),
                p_suffices=None if np.isnan(p) else round(p, 6),
            )
        )
    totals = [usd(int(amounts[graph.row].sum())) for amounts in (actual, *costs)]
    return TraceView(
        nodes=nodes, cost_usd=totals[0], policy_cost_per_request_usd=totals[1], policy_cost_per_trace_usd=totals[2]
    )


def _model(ids: tuple[str, ...], model: int) -> str | None:
    return ids[model] if model != NONE else None
