"""One trace as a tree: its routes, what depends on each request, and what a lost answer would cost."""

from __future__ import annotations

import contextlib

import msgspec
import numpy as np
import polars as pl
from xxhash import xxh3_64_intdigest

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.ledger import Ledger
from llm_audit.money import usd
from llm_audit.policy import ROOT, Plan, Policy, plan, traffic_of, with_models
from llm_audit.pricing import PriceBook, price


class TraceNode(msgspec.Struct, kw_only=True, frozen=True):
    """A request of the trace.

    ``depth`` and ``parent`` (a place in the list) are of the tree; ``edge`` says what the dependency is known by, and
    ``inferred`` that the log does not state it; ``decision`` numbers the requests that are routed as one;
    ``downstream_usd`` is its cost with all that depends on it; ``risk_usd`` its part of what a lost answer makes run
    again. Amounts are None where none of the requests that they are of has a price.
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
    cost_usd: str | None
    policy_cost_usd: str | None
    downstream_usd: str | None
    risk_usd: str | None
    p_suffices: float | None


class TraceView(msgspec.Struct, kw_only=True, frozen=True):
    """A trace's requests in order of time, and the totals of those with a price; None where there are none."""

    nodes: list[TraceNode]
    unpriced_requests: int
    cost_usd: str | None
    policy_cost_per_request_usd: str | None
    policy_cost_per_trace_usd: str | None


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
        raise UsageError(
            f"There is no trace {trace!r} with at least two requests. Give the log's trace or conversation id."
        )
    named = with_models(price(requests, book), catalog)
    return _view(named, plan(traffic_of(named, catalog), policy, catalog=catalog, book=book))


def _view(named: pl.DataFrame, applied: Plan) -> TraceView:
    per_request, per_trace = applied.by_request(), applied.by_trace()
    graph, actual = applied.graph, applied.actual
    costs = [per_request.costs().total, per_trace.costs().total]
    downstream, risk, depth = graph.downstream(actual), per_trace.risk(), graph.depths()
    priced = applied.requests.priced
    priced_below = graph.downstream(priced.astype(np.int64))
    edges, inferred = graph.nodes["edge"].to_list(), graph.inferred.to_list()
    nodes = []
    for node, place in enumerate(graph.row.tolist()):
        row = named.row(place, named=True)
        whole = per_trace.request(place)
        p = whole.p_suffices
        nodes.append(
            TraceNode(
                request=f"{row['request_key']:016x}",
                time=row["time"].isoformat() if row["time"] else None,
                step=row["step"],
                model=row["model_id"] or row["model"],
                route_per_request=per_request.request(place).route_id,
                route_per_trace=whole.route_id,
                outcome=whole.outcome,
                depth=int(depth[node]),
                parent=None if graph.parent[node] == ROOT else int(graph.parent[node]),
                edge=edges[node],
                inferred=bool(inferred[node]),
                decision=int(graph.unit[node]),
                cost_usd=_usd(actual[place], known=priced[place]),
                policy_cost_usd=_usd(costs[1][place], known=priced[place]),
                downstream_usd=_usd(downstream[node], known=priced_below[node]),
                risk_usd=_usd(risk[node], known=priced_below[node]),
                p_suffices=None if p is None else round(p, 6),
            )
        )
    known = priced[graph.row]
    totals = [_usd(amounts[graph.row].sum(), known=known.any()) for amounts in (actual, *costs)]
    return TraceView(
        nodes=nodes,
        unpriced_requests=int(np.count_nonzero(~known)),
        cost_usd=totals[0],
        policy_cost_per_request_usd=totals[1],
        policy_cost_per_trace_usd=totals[2],
    )


def _usd(pico: np.int64, *, known: np.bool_ | np.int64) -> str | None:
    return usd(int(pico)) if known else None
