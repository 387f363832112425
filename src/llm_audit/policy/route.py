"""From a priced ledger and a policy to routes and what they would have cost."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from llm_audit.catalog import Catalog
from llm_audit.catalog.ladder import ladders
from llm_audit.policy.costs import cost
from llm_audit.policy.decide import OUTCOMES, Choice, decide
from llm_audit.policy.estimate import Estimated, World, cache_log, ceiling, estimate, kept_reads
from llm_audit.policy.gates import REASONS
from llm_audit.policy.judge import Judge
from llm_audit.policy.lengths import Scenario, read_lengths, scenario
from llm_audit.policy.model import Decision, Policy
from llm_audit.policy.models import NONE, Index, Ints, ladder_rows, read_models
from llm_audit.policy.rates import rate_table
from llm_audit.policy.requests import COLUMNS, PLACES, UNDATED, read_requests, take
from llm_audit.policy.rule import strong_wins
from llm_audit.pricing import PriceBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A policy applied to a ledger: the routes, and all that a further question of it needs.

    ``ladder`` holds the candidates of each model used; ``warm`` the cache reads that remain under the routes.
    """

    policy: Policy
    world: World
    ladder: Index
    choice: Choice
    warm: Ints
    threshold: float | None

    def estimate(self, values: Scenario) -> Estimated:
        """The routes' costs under other values of the assumptions."""
        return estimate(self.world, self.choice, policy=self.policy, values=values, warm=self.warm)


def plan(priced: pl.DataFrame, policy: Policy, *, catalog: Catalog, book: PriceBook) -> Plan:
    """Route every request of a priced ledger.

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
    period = (int(days.min()), int(days.max())) if len(days) else (UNDATED, UNDATED)
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
        judge=Judge(models=models),
    )
    return _routed(world, policy, ladder)


def reroute(plan: Plan, policy: Policy) -> Plan:
    """The same requests under a policy that differs in its decision only, such as another target."""
    return _routed(plan.world, policy, plan.ladder)


def _routed(world: World, policy: Policy, ladder: Index) -> Plan:
    requests = world.requests
    candidates = np.where((requests.used == NONE)[:, None], NONE, ladder[np.maximum(requests.used, 0)])
    threshold = _threshold(world, policy, candidates)

    def costs(place: int, rows: Ints) -> Ints:
        rates = world.rates.rates[world.rates.rows[world.rates.key[rows], place]]
        tokens = {kind: counts[rows] for kind, counts in requests.tokens.items()}
        return cost(tokens, rates, per_call=requests.per_call_cost[rows])

    choice = decide(
        requests,
        policy=policy,
        models=world.models,
        ladder=candidates,
        costs=costs,
        lengths=world.lengths,
        judge=world.judge,
        threshold=threshold,
    )
    return Plan(
        policy=policy, world=world, ladder=ladder, choice=choice, warm=kept_reads(world, choice), threshold=threshold
    )


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


def route(priced: pl.DataFrame, policy: Policy, *, catalog: Catalog, book: PriceBook) -> pl.DataFrame:
    """Add to a priced ledger what the policy would have done with each request.

    Args:
        priced: Ledger rows with the columns of ``pricing.price``.
        policy: The policy.
        catalog: Models, their capabilities and abilities.
        book: Prices, for the models a request could have gone to.

    Returns:
        ``priced`` with ``model_id``, ``tier``, ``route_model_id``, ``route_provider``, ``outcome``, ``gate``,
        ``p_suffices``, ``kept_back_pico``, and ``ceiling_pico``, ``expected_pico`` and ``floor_pico``: what the policy
        would have paid under each estimate, null where the request has no price. ``check_pico``, ``escalation_pico``
        and ``extra_steps_pico`` are parts of ``expected_pico``. A request that keeps its model costs what it did,
        unless requests that moved would have kept its cache warm.

    Raises:
        UsageError: The policy's ladder names an unknown model.
    """
    named = with_models(priced, catalog)
    return routed_frame(named, plan(named, policy, catalog=catalog, book=book))


def with_models(priced: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Add ``model_id`` and ``tier`` (``unknown`` where the catalog lacks the model), resolving each name once."""
    names = priced.select("provider", "model").unique()
    resolved = names.with_columns(
        model_id=pl.Series(
            [catalog.resolve(*row) if row[1] is not None else None for row in names.cast(pl.String).iter_rows()],
            dtype=pl.String,
        )
    ).join(catalog.frame.select("model_id", pl.col("tier").cast(pl.String)), on="model_id", how="left")
    return priced.join(
        resolved.with_columns(pl.col("tier").fill_null("unknown")),
        on=["provider", "model"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )


def routed_frame(named: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The columns of ``route``, of a plan for the same rows."""
    world, choice, assumptions = plan.world, plan.choice, plan.policy.assumptions
    expected = plan.estimate(scenario(assumptions))
    floor = plan.estimate(scenario(assumptions, "pessimistic"))
    priced = pl.Series(world.requests.priced)

    def amounts(values: Ints) -> pl.Series:
        return pl.select(pl.when(priced).then(pl.Series(values))).to_series()

    moved = pl.Series(choice.position != NONE)
    width = len(world.rates.provider[0]) if world.rates.provider else 1
    sellers = pl.Series([name for names in world.rates.provider for name in names], dtype=pl.String)
    seller = sellers.gather(world.rates.key.astype(np.int64) * width + choice.position % width)
    ids = pl.Series([*world.models.ids, None], dtype=pl.String)
    return named.with_columns(
        route_model_id=ids.gather(choice.route.astype(np.int64) % len(ids)),
        route_provider=pl.select(pl.when(moved).then(seller).otherwise(named["provider"].cast(pl.String))).to_series(),
        outcome=pl.Series(choice.outcome).replace_strict(dict(enumerate(OUTCOMES)), return_dtype=pl.Enum(OUTCOMES)),
        gate=pl.Series(choice.gate).replace_strict(dict(enumerate(REASONS)), return_dtype=pl.String),
        p_suffices=pl.Series(expected.p_suffices).fill_nan(None),
        kept_back_pico=amounts(choice.kept_back),
        ceiling_pico=amounts(ceiling(world, choice)),
        expected_pico=amounts(expected.total),
        floor_pico=amounts(floor.total),
        check_pico=amounts(expected.check),
        escalation_pico=amounts(expected.escalation),
        extra_steps_pico=amounts(expected.extra_steps),
    )


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
