from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audit.build import START, assumed, catalog, many, rows

from llm_audit.catalog import Catalog
from llm_audit.policy import Policy, load, route, with_models
from llm_audit.policy.counterfactual.traffic import traffic_of
from llm_audit.policy.inputs.requests import TRACE_COLUMNS
from llm_audit.policy.inputs.trace_graph import ROOT, build_graph, depths, downstream
from llm_audit.policy.routing.plan import RoutePlan, routed
from llm_audit.policy.routing.prepare import prepare
from llm_audit.policy.routing.traces import by_trace, least_cost, trace_risk
from llm_audit.pricing import PriceBook, price


def routes(named: pl.DataFrame, policy: Policy, known: Catalog, book: PriceBook) -> RoutePlan:
    return routed(*prepare(traffic_of(named, known), policy, catalog=known, book=book), policy)


def total(own, switch, model, parent, options):
    """The cost of one assignment, added up decision by decision."""
    cost = 0.0
    for node, option in enumerate(options):
        cost += own[node, option]
        above = parent[node]
        if above == ROOT or model[above, options[above]] != model[node, option]:
            cost += switch[node, option]
    return cost


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_the_routes_of_a_trace_are_the_best_of_all(seed, count, options):
    random = np.random.default_rng(seed)
    own = random.integers(0, 20, (count, options)).astype(float)
    own[random.random((count, options)) < 0.2] = np.inf
    own[:, 0] = random.integers(0, 20, count)
    switch = random.integers(0, 15, (count, options)).astype(float)
    model = random.integers(0, 3, (count, options))
    parent = np.array([random.integers(-1, node) if node else ROOT for node in range(count)])
    chosen, value = least_cost(own, switch, model, parent)
    best = min(total(own, switch, model, parent, choice) for choice in itertools.product(range(options), repeat=count))
    assert total(own, switch, model, parent, chosen) == best
    assert value.sum() == best


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
@settings(deadline=None)
def test_downstream_is_a_node_with_all_below_it(seed, count):
    random = np.random.default_rng(seed)
    parent = np.array([random.integers(-1, node) if node else ROOT for node in range(count)])
    cost = random.integers(0, 100, count)
    below = [{node} for node in range(count)]
    for node in range(count - 1, -1, -1):
        if parent[node] != ROOT:
            below[parent[node]] |= below[node]
    assert downstream(parent, cost).tolist() == [sum(int(cost[node]) for node in nodes) for nodes in below]
    expected = []
    for node in range(count):
        expected.append(0 if parent[node] == ROOT else expected[parent[node]] + 1)
    assert depths(parent).tolist() == expected


def graph(*given):
    frame = rows(*({"time": START + dt.timedelta(seconds=number), **row} for number, row in enumerate(given)), trace=1)
    return build_graph(frame.lazy().select(TRACE_COLUMNS))


def test_edges_are_told_by_tool_results_prompts_spans_and_order():
    found = graph(
        {"span": 10, "tool_call_hash": 50, "prompt_hash": 70},
        {"span": 11, "tool_result_hash": 50, "answers_tools": True, "prompt_hash": 71, "parent_prompt_hash": 70},
        {"span": 12, "parent_prompt_hash": 71},
        {"span": 13, "parent_span": 10},
        {"conversation": 3},
        {"conversation": 3},
    )
    assert found.nodes["edge"].to_list() == [None, "tool_result", "prompt_prefix", "parent_span", None, "previous"]
    assert found.parent.tolist() == [ROOT, 0, 1, 0, ROOT, 4]
    assert found.edges.height == 5  # the tool's result is also a continued prompt


def test_a_tool_loop_is_one_decision_and_so_are_siblings():
    loop = graph(
        {"conversation": 3, "tool_call_hash": 50},
        {"conversation": 3, "tool_result_hash": 50, "answers_tools": True, "tool_call_hash": 51},
        {"conversation": 3, "tool_result_hash": 51, "answers_tools": True},
        {"conversation": 3},
    )
    assert loop.unit.tolist() == [0, 0, 0, 1]
    assert loop.unit_parent.tolist() == [ROOT, 0]
    fan = graph(
        {"span": 10, "template_hash": 1},
        {"parent_span": 10, "template_hash": 2},
        {"parent_span": 10, "template_hash": 2},
        {"parent_span": 10, "template_hash": 3},
    )
    assert fan.unit.tolist() == [0, 1, 1, 2]
    assert fan.unit_parent.tolist() == [ROOT, 0, 0]


def test_a_request_never_depends_on_a_later_one():
    found = graph({"parent_span": 11, "span": 10}, {"span": 11})
    assert found.parent.tolist() == [ROOT, ROOT]


def test_lone_requests_are_in_no_trace():
    frame = rows({"trace": 1}, {"trace": 2}, {})
    assert build_graph(frame.lazy().select(TRACE_COLUMNS)).nodes.height == 0


def test_an_older_turn_keeps_the_cache_warm_for_the_next_on_its_model():
    turns = [
        {"difficulty": level, "input_tokens": 100, "cache_read_tokens": 40_000, "turns": number + 1}
        for number, level in enumerate([6.0, -6.0, 6.0])
    ]
    frame = rows(
        *({**turn, "time": START + dt.timedelta(seconds=number)} for number, turn in enumerate(turns)), conversation=1
    )
    models, book = catalog({"gpt-4o": 6.0, "gpt-4.1-mini": 1.0, "gpt-4o-mini": 0.5}), PriceBook()
    alone = route(price(frame, book), assumed("target = 0.8"), catalog=models, book=book)
    whole = route(
        price(frame, book), assumed('target = 0.8\nscope = "trace"\ndecision = "p_suffices"'), catalog=models, book=book
    )
    assert alone["outcome"].to_list() == ["no_capable_model", "moved", "no_capable_model"]
    assert whole["expected_pico"].sum() <= alone["expected_pico"].sum() < alone["cost_pico"].sum()


def test_routing_whole_traces_moves_tool_loops_together():
    frame = many(800, conversations=120)
    book, known = PriceBook(), Catalog.load()
    named = with_models(price(frame, book), known)
    alone = routes(named, load("small-by-default"), known, book)
    whole = by_trace(alone)
    tree = alone.inputs.graph
    route_of = pl.DataFrame({"unit": tree.unit, "position": whole.choice.position[tree.row]})
    assert route_of.group_by("unit").agg(pl.col("position").n_unique())["position"].max() == 1
    outside = np.setdiff1d(np.arange(frame.height), tree.row)
    assert (whole.choice.route[outside] == alone.choice.route[outside]).all()


def test_what_a_cascades_check_finds_is_no_risk():
    """A request and one that depends on it, $0.0045 each: the first's loss runs both again; the check misses 0.3."""
    frame = rows(
        {"prompt_hash": 70, "difficulty": -1.0},
        {"parent_prompt_hash": 70, "difficulty": -1.0, "time": START + dt.timedelta(seconds=9)},
        trace=1,
    )
    book, known = PriceBook(), catalog()
    named = with_models(price(frame, book), known)
    cascade = "target = 0.1\n[cascade]\ncheck_usd = 0\nrecall = 0.7\nfalse_alarm = 0"
    plain, checked = (routes(named, assumed(toml, escalation=1.0), known, book) for toml in ("target = 0.1", cascade))
    tree = plain.inputs.graph
    lost = 1 - plain.choice.p_suffices
    rerun = np.array([9_000_000_000, 4_500_000_000])
    assert trace_risk(plain, tree).tolist() == np.rint(lost * rerun).tolist()
    assert trace_risk(checked, tree) == pytest.approx(0.3 * lost * rerun, abs=1)
