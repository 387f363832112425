"""A policy applied to a ledger, request by request, with all that a further question of it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from llm_audit.catalog import Catalog
from llm_audit.catalog.ladder import ladders
from llm_audit.policy.cache import minimum_tokens
from llm_audit.policy.costs import cost
from llm_audit.policy.decide import Assessor, Choice, decide, without
from llm_audit.policy.estimate import Estimated, World, cache_log, estimate, kept_reads
from llm_audit.policy.judge import Judge
from llm_audit.policy.lengths import Scenario, read_lengths, scenario
from llm_audit.policy.model import Decision, Policy
from llm_audit.policy.models import NONE, Index, Ints, ladder_rows, read_models
from llm_audit.policy.rates import rate_table
from llm_audit.policy.requests import COLUMNS, PLACES, UNDATED, read_requests, take
from llm_audit.policy.rule import Rule, strong_wins
from llm_audit.pricing import PriceBook

_SAVING_PASSES = 3
"""How often moves are checked for a saving: one that is undone may leave another's cache cold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A policy applied to a ledger: the routes, and all that a further question of it needs.

    ``ladder`` holds the candidates of each model used; ``warm`` the cache reads that remain under the routes.
    """

    policy: Policy
    world: World
    ladder: Index
    assessor: Assessor
    choice: Choice
    warm: Ints
    threshold: float | None

    def estimate(self, values: Scenario) -> Estimated:
        """The routes' costs under other values of the assumptions."""
        return estimate(self.world, self.choice, policy=self.policy, values=values, warm=self.warm)


def plan_requests(priced: pl.DataFrame, policy: Policy, *, catalog: Catalog, book: PriceBook) -> Plan:
    """Route every request of a priced ledger by itself.

    Args:
        priced: Ledger rows with the columns that ``pricing.price`` adds and ``model_id`` (see ``with_models``).
        policy: The policy.
        catalog: Models, their capabilities and abilities.
        book: Prices.

    Raises:
        UsageError: The policy's ladder names an unknown model.
    """
    frame = priced.select(*COLUMNS, "model_id")
    models = read_models(catalog.frame)
    requests = read_requests(frame, models.index())
    days = requests.day[requests.day != UNDATED]
    period = (int(days.min()), int(days.max())) if len(days) else None
    ladder = ladder_rows(policy, models, ladders(catalog.frame), period=period)
    known = (int(used) for used in np.unique(requests.used) if used != NONE)
    pairs = {(used, int(step)) for used in known for step in ladder[used] if step != NONE}
    rates = rate_table(
        frame,
        models=models,
        ladder=ladder,
        book=book,
        other_providers=bool(policy.ladders) or policy.across_families,
    )
    places = priced.select(PLACES)
    world = World(
        requests=requests,
        places=places,
        models=models,
        lengths=read_lengths(models, pairs, policy.assumptions),
        rates=rates,
        caches=cache_log(requests, places, rates),
        least_cached=minimum_tokens(models),
        judge=Judge(models=models),
    )
    return _routed(world, policy, ladder)


def replan(plan: Plan, policy: Policy) -> Plan:
    """The same requests under a policy that differs in its decision only, such as another target."""
    return _routed(plan.world, policy, plan.ladder)


def with_choice(plan: Plan, choice: Choice) -> Plan:
    """The plan with other routes."""
    return replace(plan, choice=choice, warm=kept_reads(plan.world, choice))


def _routed(world: World, policy: Policy, ladder: Index) -> Plan:
    requests = world.requests
    candidates = np.where((requests.used == NONE)[:, None], NONE, ladder[np.maximum(requests.used, 0)])
    threshold = _threshold(world, policy, candidates)

    def costs(place: int, rows: Ints) -> Ints:
        rates = world.rates.rates[world.rates.rows[world.rates.key[rows], place]]
        tokens = {kind: counts[rows] for kind, counts in requests.tokens.items()}
        return cost(tokens, rates, per_call=requests.per_call_cost[rows])

    assessor = Assessor(
        requests=requests,
        policy=policy,
        models=world.models,
        ladder=candidates,
        last=(candidates != NONE).sum(axis=1) - 1,
        costs=costs,
        lengths=world.lengths,
        judge=world.judge,
        rule=Rule(policy=policy, judge=world.judge, threshold=threshold),
    )
    choice = decide(assessor)
    decided = Plan(
        policy=policy,
        world=world,
        ladder=ladder,
        assessor=assessor,
        choice=choice,
        warm=kept_reads(world, choice),
        threshold=threshold,
    )
    return _saving(decided) if policy.decision is Decision.P_SUFFICES else decided


def _saving(plan: Plan) -> Plan:
    """The plan without moves whose expected cost, by all the assumptions, is no less than what was paid.

    Requests of one conversation on one model share a cache, which the first to move fills for the others, so their
    costs are compared together.
    """
    requests, values, unit = plan.world.requests, scenario(plan.policy.assumptions), _cache_units(plan.world)
    change = np.zeros(int(unit.max(initial=0)) + 1, dtype=np.int64)
    for _ in range(_SAVING_PASSES):
        change[:] = 0
        np.add.at(change, unit, plan.estimate(values).total - requests.cost)
        dearer = (plan.choice.position != NONE) & (change[unit] >= 0)
        if not dearer.any():
            break
        plan = with_choice(plan, without(plan.choice, dearer, used=requests.used))
    return plan


def _cache_units(world: World) -> Ints:
    """A number for each request: shared by a conversation's requests to one model where the log shows cache reads."""
    unit = np.arange(len(world.requests))
    log = world.caches
    shared = np.unique(log.conversation * len(world.models.ids) + log.used, return_inverse=True)[1]
    unit[log.row] = len(unit) + shared
    return unit


def _threshold(world: World, policy: Policy, candidates: Index) -> float | None:
    """RouteLLM's threshold: the policy's, or the quantile of the log's scores that gives its share of strong calls."""
    if policy.decision is not Decision.STRONG_WINS:
        return None
    if policy.threshold is not None or policy.strong_share is None:
        return policy.threshold
    rows = np.flatnonzero(world.requests.routable & (candidates[:, 0] != NONE))
    if not len(rows):
        return 0.0
    sub = take(world.requests, rows)
    score = strong_wins(sub, weak=candidates[rows, 0], strong=candidates[rows, 1], judge=world.judge)
    return float(np.nanquantile(score, 1 - policy.strong_share, method="higher"))


def with_target(policy: Policy, value: float) -> Policy:
    """The policy at another value of what it decides by: target, threshold or quality difference."""
    match policy.decision:
        case Decision.P_SUFFICES:
            return replace(policy, target=value)
        case Decision.STRONG_WINS:
            return replace(policy, threshold=value, strong_share=None)
        case Decision.QUALITY_DIFFERENCE:
            return replace(policy, quality_difference=value)
        case _:
            return policy
