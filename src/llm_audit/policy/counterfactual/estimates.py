"""Costs of a set of routes under a scenario: runs, checks, extra steps and escalations."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from llm_audit.arrays import Floats, Index, Ints
from llm_audit.blocks import in_blocks, spans
from llm_audit.policy.counterfactual.costs import cost
from llm_audit.policy.counterfactual.escalation import check_cost, escalation_cost, escalation_rate, missed
from llm_audit.policy.counterfactual.inputs import CounterfactualInputs, RequestInputs, repeat_cost
from llm_audit.policy.counterfactual.lengths import Scenario
from llm_audit.policy.counterfactual.prompt_caches import repeat_reads, warm_reads
from llm_audit.policy.counterfactual.runs import spent
from llm_audit.policy.counterfactual.shared_caches import SharedCaches
from llm_audit.policy.counterfactual.steps import extra_step_cost
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.choice import Choice
from llm_audit.policy.inputs.models import NONE


class Runs(msgspec.Struct, kw_only=True, frozen=True):
    """Costs of requests by themselves on their routes, pico-dollars, with the routes and cache reads behind them."""

    position: Index
    warm: Ints
    cost: Ints
    repeat: Ints  # what each moved request costs on the model used, should it be repeated


class Costs(msgspec.Struct, kw_only=True, frozen=True):
    """Pico-dollars a request, by part; ``total`` is their sum, and equals the actual cost where nothing changed."""

    run: Ints  # the request itself on its route
    check: Ints  # a cascade's checks
    escalation: Ints  # asking the model used again
    extra_steps: Ints
    p_suffices: Floats  # under this scenario; NaN where kept
    loss: Floats  # lost answers beyond a second run of the model used, after any check; NaN where kept

    @property
    def total(self) -> Ints:
        """All parts."""
        return self.run + self.check + self.escalation + self.extra_steps


class Estimated(msgspec.Struct, kw_only=True, frozen=True):
    """Costs with what they were worked out from, under the expected assumptions."""

    choice: Choice
    runs: Runs
    costs: Costs


def ceiling(inputs: RequestInputs, choice: Choice) -> Ints:
    """Same tokens, the route's price: the actual cost where a request is kept."""
    total = inputs.requests.cost.copy()

    def of(rows: Ints) -> Ints:
        part = inputs.part(rows)
        return cost(part.requests.tokens, part.rates.at(choice.position[rows]), per_call=part.requests.per_call_cost)

    return _filled(total, np.flatnonzero(choice.position != NONE), of)


def kept_reads(inputs: CounterfactualInputs, choice: Choice, shared: SharedCaches) -> Ints:
    """Return the log's cache reads that remain under the routes."""
    return warm_reads(inputs.caches, read=inputs.requests.tokens["cache_read"], route=choice.route, shared=shared)


def repeat_costs(inputs: CounterfactualInputs, choice: Choice, shared: SharedCaches) -> Ints:
    """Return what each moved request costs on the model used after the move; others cost what they did."""
    requests = inputs.requests
    moved = choice.position != NONE
    read = requests.tokens["cache_read"]
    warm = repeat_reads(inputs.caches, read=read, route=choice.route, moved=moved, shared=shared)

    def of(rows: Ints) -> Ints:
        return repeat_cost(requests, inputs.rates, rows, warm=warm[rows])

    return _filled(requests.cost.copy(), np.flatnonzero(moved & (read > 0)), of)


def run_costs(
    inputs: CounterfactualInputs,
    choice: Choice,
    *,
    policy: Policy,
    values: Scenario,
    warm: Ints,
    repeat: Ints,
    like: Runs | None = None,
) -> Runs:
    """Cost every request by itself on its route.

    Args:
        inputs: Requests, prices, models.
        choice: The routes.
        policy: For its assumptions.
        values: The assumptions' values.
        warm: Cache reads that remain, from ``kept_reads``.
        repeat: From ``repeat_costs``.
        like: Costs under the same values, of which those are kept whose route and reads are the same.
    """
    requests = inputs.requests
    touched = ((choice.position != NONE) | (warm < requests.tokens["cache_read"])) & requests.priced
    if like is None:
        total = requests.cost.copy()
    else:
        changed = (choice.position != like.position) | (warm != like.warm)
        total = np.where(changed, requests.cost, like.cost)
        touched &= changed

    def of(rows: Ints) -> Ints:
        position, route = choice.position[rows], choice.route[rows]
        return spent(inputs, rows, position=position, route=route, warm=warm[rows], policy=policy, values=values)[0]

    return Runs(
        position=choice.position,
        warm=warm,
        cost=_filled(total, np.flatnonzero(touched), of),
        repeat=repeat,
    )


def estimate(
    inputs: CounterfactualInputs,
    choice: Choice,
    *,
    policy: Policy,
    values: Scenario,
    runs: Runs,
    like: Estimated | None = None,
) -> Costs:
    """Add to what each request costs by itself what its route brings with it.

    Args:
        inputs: Requests, prices, models.
        choice: The routes.
        policy: For its cascade.
        values: The assumptions' values.
        runs: From ``run_costs`` under the same values.
        like: Costs under the same values, of which those are kept whose route and repeat are the same.
    """
    requests = inputs.requests
    count = len(requests)
    moved = choice.position != NONE
    nothing = np.broadcast_to(np.int64(0), count)
    check = nothing if policy.cascade is None else np.where(moved, check_cost(policy.cascade), 0)
    if like is None:
        rows = np.flatnonzero(moved)
        p, loss, escalation = choice.p_suffices.copy(), choice.loss.copy(), np.zeros(count, dtype=np.int64)
    else:
        changed = (choice.position != like.choice.position) | (runs.repeat != like.runs.repeat)
        rows = np.flatnonzero(moved & changed)
        p = np.where(changed, choice.p_suffices, like.costs.p_suffices)
        loss = np.where(changed, choice.loss, like.costs.loss)
        escalation = np.where(changed, 0, like.costs.escalation)
    judge = inputs.judge.shifted(values.ability_shift)

    groups = inputs.groups

    def add_repeats(span: slice) -> None:
        some = rows[span]
        likely = success = p[some]
        if values.ability_shift or policy.cascade:
            used, route, skill = requests.used[some], choice.route[some], groups.skill[groups.of[some]]
            difficulty = requests.difficulty[some]
            if values.ability_shift:
                likely, loss[some] = judge.compared(used, route, skill, difficulty)
            if policy.cascade:
                success = judge.success(route, skill, difficulty)
                loss[some] = missed(loss[some], policy.cascade)
        fails = 1 - likely
        rate = escalation_rate(success, fails, cascade=policy.cascade, share=values.escalation)
        escalation[some] = escalation_cost(rate, runs.repeat[some])
        p[some] = 1 - missed(fails, policy.cascade)

    in_blocks(add_repeats, spans(len(rows)))
    extra = nothing
    if values.extra_steps:
        extra = np.zeros(count, dtype=np.int64)
        extra[inputs.steps.row] = extra_step_cost(
            inputs.steps, moved=moved, cost=runs.cost + check, extra_steps=values.extra_steps
        )
    return Costs(run=runs.cost, check=check, escalation=escalation, extra_steps=extra, p_suffices=p, loss=loss)


def _filled(total: Ints, rows: Ints, of: Callable[[Ints], Ints]) -> Ints:
    """``total`` with the values of some rows worked out, block by block."""

    def fill(span: slice) -> None:
        total[rows[span]] = of(rows[span])

    in_blocks(fill, spans(len(rows)))
    return total
