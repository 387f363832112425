"""What a set of routes costs under a scenario: tokens, caches, checks, extra steps and escalations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.cache import CacheLog, cached_prefix, read_cache_log, too_short, warm_reads
from llm_audit.policy.costs import UNKNOWN, RateTable, cost, recache
from llm_audit.policy.decide import Choice
from llm_audit.policy.judge import Judge
from llm_audit.policy.lengths import CEILING, Lengths, Scenario, route_tokens
from llm_audit.policy.model import Policy
from llm_audit.policy.models import NONE, Floats, Ints, Models
from llm_audit.policy.requests import Requests
from llm_audit.policy.rule import cascaded, check_pico
from llm_audit.policy.steps import extra_step_cost

_INPUT, _WRITE = TOKEN_TYPES.index("input"), TOKEN_TYPES.index("cache_write_5m")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that a counterfactual is computed from, besides routes and assumptions.

    ``places`` has the ids that ``requests.PLACES`` names, a row a request; ``least_cached`` is the shortest prefix that
    each model caches, in tokens.
    """

    requests: Requests
    places: pl.DataFrame
    models: Models
    lengths: Lengths
    rates: RateTable
    caches: CacheLog
    least_cached: Ints
    judge: Judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """Pico-dollars a request, by part; ``total`` is their sum, and equals the actual cost where nothing changed."""

    total: Ints
    run: Ints  # the request itself on its route
    check: Ints  # a cascade's checks
    escalation: Ints  # asking the model used again
    extra_steps: Ints
    p_suffices: Floats  # under this scenario; NaN where kept
    tokens: dict[str, Ints]


def ceiling(world: World, choice: Choice) -> Ints:
    """Same tokens, the route's price: the actual cost where a request is kept."""
    moved = choice.position != NONE
    at_route = cost(world.requests.tokens, world.rates.at(choice.position), per_call=world.requests.per_call_cost)
    return np.where(moved, at_route, world.requests.cost)


def cache_log(requests: Requests, places: pl.DataFrame, rates: RateTable) -> CacheLog:
    """What the log shows of caches; a write that costs more than fresh input marks a cache that is asked for."""
    own = rates.at(np.full(len(requests), NONE, dtype=np.int32))
    prefix = cached_prefix(
        read=requests.tokens["cache_read"],
        write=requests.tokens["cache_write_5m"] + requests.tokens["cache_write_1h"],
        fresh=requests.tokens["input"],
        explicit=own[:, _WRITE] > own[:, _INPUT],
    )
    return read_cache_log(
        places.select("request_key", "conversation", "template_hash", "time", "turns").with_columns(
            used=requests.used,
            read=requests.tokens["cache_read"],
            prefix=prefix,
            hour=requests.tokens["cache_write_1h"] > 0,
        )
    )


def kept_reads(world: World, choice: Choice) -> Ints:
    """The log's cache reads that remain under the routes."""
    return warm_reads(world.caches, read=world.requests.tokens["cache_read"], route=choice.route)


def estimate(world: World, choice: Choice, *, policy: Policy, values: Scenario, warm: Ints) -> Estimated:
    """Cost every request on its route.

    Args:
        world: Requests, prices, models.
        choice: The routes.
        policy: For its cascade.
        values: The assumptions' values.
        warm: Cache reads that remain, from ``kept_reads``.
    """
    requests, route = world.requests, choice.route
    moved = choice.position != NONE
    touched = moved | (warm < requests.tokens["cache_read"])
    if values == CEILING:
        run = ceiling(world, choice)
        nothing = np.zeros(len(run), dtype=np.int64)
        return Estimated(
            total=run,
            run=run,
            check=nothing,
            escalation=nothing,
            extra_steps=nothing,
            p_suffices=choice.p_suffices,
            tokens=requests.tokens,
        )
    tokens, run = _run(world, choice, policy, values, warm)
    run = np.where(touched & requests.priced, run, requests.cost)
    p = choice.p_suffices
    if values.ability_shift:
        shifted = Judge(models=world.models, shift=values.ability_shift)
        p = p.copy()
        rows = np.flatnonzero(moved)
        p[rows] = shifted.suffices(requests.used[rows], route[rows], requests.category[rows], requests.difficulty[rows])
    check = np.zeros(len(run), dtype=np.int64)
    again = np.where(moved, (1 - p) * values.escalation, 0.0)
    if policy.cascade is not None:
        rows = np.flatnonzero(moved)
        judge = Judge(models=world.models, shift=values.ability_shift)
        success = judge.success(route[rows], requests.category[rows], requests.difficulty[rows])
        p = p.copy()
        p[rows], escalated = cascaded(policy.cascade, success, p[rows])
        again[rows] = escalated + (1 - p[rows]) * values.escalation
        check[rows] = check_pico(policy.cascade)
    escalation = np.rint(np.nan_to_num(again) * requests.cost).astype(np.int64)
    group = world.places.select(pl.coalesce("trace", "conversation")).to_series()
    extra = extra_step_cost(
        group, agent_step=requests.agent_step, moved=moved, cost=run + check, extra_steps=values.extra_steps
    )
    return Estimated(
        total=run + check + escalation + extra,
        run=run,
        check=check,
        escalation=escalation,
        extra_steps=extra,
        p_suffices=p,
        tokens=tokens,
    )


def _run(world: World, choice: Choice, policy: Policy, values: Scenario, warm: Ints) -> tuple[dict[str, Ints], Ints]:
    requests, route = world.requests, choice.route
    read = requests.tokens["cache_read"]
    kept = np.rint(warm * values.cache_kept).astype(np.int64)
    kept = np.where(choice.position == NONE, warm, kept)
    tokens = route_tokens(
        requests, route, models=world.models, lengths=world.lengths, values=values, assumptions=policy.assumptions
    )
    share = np.divide(kept, read, out=np.zeros(len(read)), where=read > 0)
    rates = world.rates.at(choice.position)
    tokens = recache(
        tokens,
        kept=np.rint(tokens["cache_read"] * share).astype(np.int64),
        hour=requests.tokens["cache_write_1h"] > 0,
        writes=rates[:, _WRITE] != UNKNOWN,
        too_short=(choice.position != NONE)
        & too_short(
            requests.tokens["cache_read"] + requests.tokens["cache_write_5m"] + requests.tokens["cache_write_1h"],
            route,
            world.least_cached,
        ),
    )
    return tokens, cost(tokens, rates, per_call=requests.per_call_cost)
