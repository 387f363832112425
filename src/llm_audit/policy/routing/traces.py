"""Routes chosen for a whole trace at once, by dynamic programming over its decisions.

A trace's decisions form a tree. Giving decision v the option r costs ``own[v, r]``: what its requests cost there, with
the risk of a lost answer, P(fail) times the cost of the smallest set that must run again, which is v with all that
depends on it. Where v's model is not its parent's, the reads its cache would have served are paid in full:
``switch[v, r]``. The least total over the tree is found exactly, from the leaves up, in time linear in its size.
"""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Floats, Index, Ints, grouped_sum
from llm_audit.blocks import in_blocks, spans
from llm_audit.policy.counterfactual.escalation import check_cost, escalation_cost, escalation_rate, missed
from llm_audit.policy.counterfactual.inputs import cold_premium
from llm_audit.policy.counterfactual.lengths import scenario
from llm_audit.policy.counterfactual.runs import spent
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.inputs.trace_graph import ROOT, Graph, depths, downstream
from llm_audit.policy.routing.candidates import candidates
from llm_audit.policy.routing.plan import RoutePlan, at_places, with_choice

try:
    from llm_audit.policy.inputs._arithmetic import trees as _trees_compiled
except ImportError:  # built where a C compiler is at hand; NumPy gives the same
    COMPILED = False
else:
    COMPILED = True

FORBIDDEN = float("inf")


def least_cost(own: Floats, switch: Floats, model: Index, parent: Ints) -> tuple[Ints, Floats]:
    """Return the options of least total cost.

    Args:
        own: Cost of each decision under each option, ``FORBIDDEN`` where it may not be taken: decisions x options.
        switch: Cost added where the parent's model is another one, or a decision has no parent.
        model: The model each option stands for.
        parent: The decision each depends on, ``ROOT`` for none; lower than its own number.

    Returns:
        The option of each decision (the first of equal ones), and the least total of each root's tree, 0 elsewhere.
    """
    if COMPILED:
        chosen, value = np.empty(len(own), dtype=np.int64), np.empty(len(own))
        tables = (np.ascontiguousarray(table) for table in (own, switch, model))
        if _trees_compiled(*tables, parent, chosen, value):
            return chosen, value
    # Options x decisions, of which the total has the best of everything below.
    total, switch, model = own.T.copy(), np.ascontiguousarray(switch.T), np.ascontiguousarray(model.T)
    options, count = total.shape
    choice_for = np.zeros((options, count), dtype=np.int16)  # by the parent's option
    depth = depths(parent)
    order = np.argsort(-depth, kind="stable")
    levels = np.split(order, np.flatnonzero(np.diff(depth[order], prepend=-1))[1:])
    for level in levels:
        below = level[parent[level] != ROOT]
        if not len(below):
            continue
        above = parent[below]
        cost, choice_for[:, below] = _best_below(total[:, below], switch[:, below], model[:, below], model[:, above])
        together = np.argsort(above, kind="stable")
        first = np.flatnonzero(np.diff(above[together], prepend=-1))
        total[:, above[together][first]] += np.add.reduceat(cost[:, together], first, axis=1)
    chosen = np.zeros(count, dtype=np.int64)
    value = np.zeros(count)
    for level in reversed(levels):
        roots = level[parent[level] == ROOT]
        entered = total[:, roots] + switch[:, roots]
        chosen[roots] = entered.argmin(axis=0)
        value[roots] = entered.min(axis=0)
        below = level[parent[level] != ROOT]
        chosen[below] = choice_for[chosen[parent[below]], below]
    return chosen, value


def _best_below(total: Floats, switch: Floats, model: Index, above: Index) -> tuple[Floats, Ints]:
    """Return the least cost of decisions by their parents' option, and their first option that has it.

    Args:
        total: Cost of each option with the best of everything below: options x decisions.
        switch: What is added where the parent's model is another one; not negative.
        model: The model of each option.
        above: The model of each of the parents' options.
    """
    entered = total + switch
    cost = np.repeat(entered.min(axis=0)[None], len(total), axis=0)
    chosen = np.repeat(entered.argmin(axis=0).astype(np.int16)[None], len(total), axis=0)
    if not switch.any():
        return cost, chosen
    costs, options = cost.reshape(-1), chosen.reshape(-1)
    for option in range(len(total)):
        at = np.flatnonzero(model[option] == above)  # of the parents' options x decisions
        kept, least = total[option, at % total.shape[1]], costs[at]
        better = (kept < least) | ((kept == least) & (option < options[at]))
        costs[at[better]], options[at[better]] = kept[better], option
    return cost, chosen


def by_trace(plan: RoutePlan) -> RoutePlan:
    """Route each trace as a whole; requests outside traces keep the route they had.

    A decision may take a model that every one of its requests may take and that meets the policy for each. The
    program knows a cache as the parent left it. An older one may still be warm, so each trace takes the cheaper of two
    solutions, with and without the cost of switching, when its caches are followed request by request.
    """
    graph = plan.inputs.graph
    row = graph.row
    if not len(row):
        return plan
    places = np.concatenate([np.array([NONE]), plan.places])
    risks = _Risks.of(plan, graph)
    able = [None, *_able(plan, row)]
    options = [_option(plan, risks, int(place), may) for place, may in zip(places, able, strict=True)]
    own, switch, models = (np.column_stack(columns) for columns in zip(*options, strict=True))
    switch = _switches(switch, models, graph.unit_parent)
    solutions = [
        _solution(plan, graph, places[least_cost(own, weight * switch, models, graph.unit_parent)[0]])
        for weight in (1.0, 0.0)
    ]
    first, second = (_trace_costs(solution, risks) for solution in solutions)
    position = plan.choice.position.copy()
    position[row] = np.where(first <= second, solutions[0].choice.position[row], solutions[1].choice.position[row])
    return with_choice(plan, at_places(plan, position, row))


def _solution(plan: RoutePlan, graph: Graph, places: Ints) -> RoutePlan:
    """Return the plan with a place for each decision."""
    position = plan.choice.position.copy()
    position[graph.row] = places[graph.unit]
    return with_choice(plan, at_places(plan, position, graph.row))


def trace_risk(plan: RoutePlan, graph: Graph) -> Ints:
    """Pico-dollars of each node's part in its decision's risk: P(fail) x what must run again x share asked again."""
    return _Risks.of(plan, graph).at(plan.choice.p_suffices[graph.row])


class _Risks(msgspec.Struct, kw_only=True, frozen=True):
    """The risk of lost answers in traces.

    Attributes:
        graph: The decisions.
        policy: For its cascade and assumptions.
        row: The place of each node in the ledger.
        size: Nodes of each decision.
        rerun: What must run again with each decision, pico-dollars.
    """

    graph: Graph
    policy: Policy
    row: Ints
    size: Ints
    rerun: Ints

    @classmethod
    def of(cls, plan: RoutePlan, graph: Graph) -> _Risks:
        """Prepare the risks of a plan's requests, whatever their routes."""
        count, row = len(graph.unit_parent), graph.row
        rerun = downstream(graph.unit_parent, grouped_sum(graph.unit, plan.inputs.requests.cost[row], count))
        size = np.bincount(graph.unit, minlength=count)
        return cls(graph=graph, policy=plan.policy, row=row, size=size, rerun=rerun)

    def at(self, p_suffices: Floats) -> Ints:
        """Return the part of each node in its decision's risk; NaN stands for the model used."""
        share, cascade, unit = self.policy.assumptions.escalation.expected, self.policy.cascade, self.graph.unit
        # What a cascade's check finds is escalated and not lost.
        lost = missed(1 - np.nan_to_num(p_suffices, nan=1.0), cascade)
        risk: Floats = np.rint(lost / self.size[unit] * self.rerun[unit] * share)
        return np.asarray(risk, dtype=np.int64)


def _trace_costs(plan: RoutePlan, risks: _Risks) -> Ints:
    """Return the cost with risk of the whole trace of each node, caches followed request by request."""
    values = scenario(plan.policy.assumptions, escalation=0.0, extra_steps=0.0)
    row = risks.row
    cost = plan.estimate(values).total[row] + risks.at(plan.choice.p_suffices[row])
    trace = risks.graph.nodes["trace"].rle_id().cast(pl.Int64).to_numpy()
    total: Ints = grouped_sum(trace, cost, int(trace[-1]) + 1)[trace]
    return total


def _option(plan: RoutePlan, risks: _Risks, place: int, able: Bools | None) -> tuple[Floats, Floats, Index]:
    """Return what a place in the ladder costs each decision, what a cold cache adds, and the model.

    Args:
        plan: The routes by request.
        risks: The decisions, and the risk of each.
        place: A place of the ladder; ``NONE`` for the models used.
        able: Whether each request may take it; None where all may.
    """
    requests, row, unit = plan.inputs.requests, risks.row, risks.graph.unit
    count = len(risks.size)
    used = requests.used[row]
    model = used if place == NONE else candidates(plan.ladder, used, place)
    head = np.full(count, NONE, dtype=np.int32)
    head[unit[::-1]] = model[::-1]
    total, read = requests.cost[row], requests.tokens["cache_read"][row].astype(np.int64)
    p = np.full(len(row), np.nan)
    allowed = np.ones(count, dtype=bool)
    if able is not None:
        allowed = np.bincount(unit[able], minlength=count) == risks.size
        some = np.flatnonzero(allowed[unit])

        def fill(span: slice) -> None:
            at = some[span]
            total[at], read[at], p[at] = _on(plan, row[at], place, model[at])

        in_blocks(fill, spans(len(some)))
    own = grouped_sum(unit, total + risks.at(p), count).astype(np.float64)
    switch = grouped_sum(unit, read * _premium(plan, row, place), count).astype(np.float64)
    return np.where(allowed, own, FORBIDDEN), switch, head


def _on(plan: RoutePlan, rows: Ints, place: int, route: Index) -> tuple[Ints, Ints, Floats]:
    """Return the cost of requests at a ladder place with a warm cache, the tokens read from it, and P(suffices).

    Neither the escalation of lost answers nor extra steps are in the cost.
    """
    inputs, policy = plan.inputs, plan.policy
    requests, values = inputs.requests, scenario(policy.assumptions, escalation=0.0)
    position = np.full(len(rows), place, dtype=np.int32)
    warm = requests.tokens["cache_read"][rows]
    cost, read = spent(inputs, rows, position=position, route=route, warm=warm, policy=policy, values=values)
    skill, difficulty = inputs.groups.skill[inputs.groups.of[rows]], requests.difficulty[rows]
    p = inputs.judge.suffices(requests.used[rows], route, skill, difficulty)
    if policy.cascade is not None:
        success = inputs.judge.success(route, skill, difficulty)
        rate = escalation_rate(success, 1 - p, cascade=policy.cascade, share=0.0)
        cost += escalation_cost(rate, inputs.cold_repeat[rows]) + check_cost(policy.cascade)
    return cost, read, p


def _able(plan: RoutePlan, rows: Ints) -> list[Bools]:
    """Return whether each request may take the model at each of the plan's places, by the policy."""

    def able_to(span: slice) -> Bools:
        part = plan.assessor.part(rows[span])
        everyone = np.arange(len(part.inputs.requests))
        able: Bools = np.zeros((len(plan.places), len(everyone)), dtype=np.bool_)
        for at, place in enumerate(plan.places.tolist()):
            found = part.assess(everyone, place)
            able[at, found.offers.rows[found.meets & (found.block == 0)]] = True
        return able

    return list(np.concatenate(in_blocks(able_to, spans(len(rows))), axis=1))


def _premium(plan: RoutePlan, row: Ints, place: int) -> Ints:
    """Return the pico-dollars a token that a cold cache costs more than a warm one at a place of the ladder."""
    rates = plan.inputs.rates
    by_key = cold_premium(rates.rates[rates.rows[:, place]], hour=np.zeros(len(rates.rows), dtype=np.bool_))
    return by_key[rates.key[row]]


def _switches(switch: Floats, models: Index, parent: Ints) -> Floats:
    """Return what a cold cache adds; nothing for keeping a model whose cache the log's parent did not warm either."""
    used = models[:, 0]
    unrelated = (parent == ROOT) | (used[np.maximum(parent, 0)] != used)
    kept = np.where(unrelated, 0.0, switch[:, 0])
    return np.column_stack([kept, switch[:, 1:]])
