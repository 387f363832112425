"""A policy applied to a ledger, request by request, with all that a further question of it needs."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from llm_audit.arrays import Bools, Floats, Index, Ints, grouped_sum
from llm_audit.blocks import in_blocks, spans
from llm_audit.money import PICO_PER_USD
from llm_audit.policy.counterfactual.costs import RateTable
from llm_audit.policy.counterfactual.estimates import (
    Costs,
    Estimated,
    Runs,
    estimate,
    kept_reads,
    repeat_costs,
    run_costs,
)
from llm_audit.policy.counterfactual.inputs import CounterfactualInputs
from llm_audit.policy.counterfactual.lengths import Scenario, scenario
from llm_audit.policy.counterfactual.prompt_caches import left_shared
from llm_audit.policy.counterfactual.shared_caches import SharedCaches
from llm_audit.policy.counterfactual.whole import policy_key
from llm_audit.policy.file.model import Decision, Policy
from llm_audit.policy.inputs.choice import OUTCOMES, Choice, RouteOutcome, without
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.inputs.requests import take
from llm_audit.policy.routing.candidates import Assessor, candidates
from llm_audit.policy.routing.decision import DecisionRule, strong_wins
from llm_audit.policy.routing.decisions import decide

_NO_PLACES = np.zeros(0, dtype=np.int64)
_SAVING_PASSES = 3
"""Number of passes that check moves for a saving: one that is undone may leave another's cache cold."""


class FirstRoutes(msgspec.Struct, kw_only=True, frozen=True):
    """What a part's routing by itself leaves for its routing in the whole log: its routes, and all that was charged."""

    choice: Choice
    rates: RateTable


class RoutePlan(msgspec.Struct, kw_only=True, frozen=True):
    """A policy applied to a ledger: the routes, and all that a further question of it needs.

    ``ladder`` holds the candidates of each model used; ``runs`` what requests cost by themselves under the expected
    assumptions, and the cache reads that remain under the routes; ``caches`` what requests of a template
    leave for each other; ``places`` those of the ladder that requests of traces would go to by themselves; ``costs``
    the routes' costs under the expected assumptions, where they were worked out already.
    """

    policy: Policy
    inputs: CounterfactualInputs
    ladder: Index
    assessor: Assessor
    choice: Choice
    caches: SharedCaches
    places: Ints
    runs: Runs
    threshold: float | None
    costs: Estimated | None

    @property
    def warm(self) -> Ints:
        """Cache reads that remain."""
        return self.runs.warm

    def estimate(self, values: Scenario) -> Costs:
        """Return the routes' costs under other values of the assumptions."""
        runs = self.runs
        if values == scenario(self.policy.assumptions):
            known = self.costs
            if known is not None and known.runs is runs:
                return known.costs
            return estimate(self.inputs, self.choice, policy=self.policy, values=values, runs=runs, like=known)
        if values.of_runs() != scenario(self.policy.assumptions).of_runs():
            runs = run_costs(
                self.inputs, self.choice, policy=self.policy, values=values, warm=self.warm, repeat=runs.repeat
            )
        return estimate(self.inputs, self.choice, policy=self.policy, values=values, runs=runs)


def routed(inputs: CounterfactualInputs, ladder: Index, policy: Policy, first: Choice | None = None) -> RoutePlan:
    """Return the routes of requests by themselves, without moves that do not save.

    Args:
        inputs: What routes are chosen from, see ``prepare``.
        ladder: The candidates of each model used.
        policy: The policy.
        first: The first routes, where they are known.
    """
    known = inputs.whole.caches
    if known is not None:
        return settled(decided(inputs, ladder, policy, known[policy_key(policy)], first))
    plan = decided(inputs, ladder, policy, SharedCaches.none(), first)
    return settled(with_caches(plan, caches_of(plan)))


def replan(plan: RoutePlan, policy: Policy) -> RoutePlan:
    """Return the same requests under a policy that differs in its decision only, such as another target."""
    return settled(decided(plan.inputs, plan.ladder, policy, plan.caches))


def with_choice(plan: RoutePlan, choice: Choice) -> RoutePlan:
    """Return the plan with other routes."""
    runs = _expected_runs(plan.inputs, plan.policy, choice, plan.caches, like=plan.runs)
    return replace(plan, choice=choice, runs=runs)


def places_of(inputs: CounterfactualInputs, policy: Policy, position: Index) -> Ints:
    """Return the places of the ladder that requests of traces go to: of the whole log, or else by their positions."""
    known = inputs.whole.places
    return known.get(policy_key(policy), _NO_PLACES) if known is not None else taken(position[inputs.graph.row])


def taken(position: Index) -> Ints:
    """Return the places of the ladder that are taken, ascending."""
    found: Ints = np.unique(position[position != NONE]).astype(np.int64)
    return found


def at_places(plan: RoutePlan, position: Index, rows: Ints | None = None, *, judged: Choice | None = None) -> Choice:
    """Return the choice with other places of the ladder, at some rows or at all.

    Args:
        plan: The plan.
        position: The places.
        rows: Where they may differ from the plan's; by default anywhere.
        judged: Routes whose probabilities are known; the plan's by default.
    """
    requests, known = plan.inputs.requests, judged or plan.choice
    moved, same = position != NONE, position == known.position
    there = candidates(plan.ladder, requests.used, np.maximum(position, 0))
    route = np.where(moved, there, requests.used).astype(np.int32)
    p, loss = np.where(same, known.p_suffices, np.nan), np.where(same, known.loss, np.nan)
    at, groups = np.flatnonzero(moved & ~same), plan.inputs.groups

    def judge(span: slice) -> None:
        some = at[span]
        asked = requests.used[some], route[some], groups.skill[groups.of[some]], requests.difficulty[some]
        p[some], loss[some] = plan.inputs.judge.compared(*asked)

    in_blocks(judge, spans(len(at)))
    outcome = plan.choice.outcome.copy()
    kept = OUTCOMES.index(RouteOutcome.NO_CAPABLE_MODEL.value)
    was_moved = plan.choice.outcome == OUTCOMES.index(RouteOutcome.MOVED.value)
    changed = np.full(len(position), rows is None)
    if rows is not None:
        changed[rows] = True
    outcome[changed & moved] = OUTCOMES.index(RouteOutcome.MOVED.value)
    outcome[changed & ~moved & was_moved] = kept
    return replace(
        plan.choice,
        route=route,
        p_suffices=p,
        loss=loss,
        outcome=outcome,
        position=position.astype(np.int32, copy=False),
    )


def assessor_of(inputs: CounterfactualInputs, policy: Policy, ladder: Index) -> Assessor:
    """Return what judges candidates by a policy."""
    rule = DecisionRule(policy=policy, judge=inputs.judge, threshold=_threshold(inputs, policy, ladder))
    return Assessor.of(inputs, policy, ladder, rule)


def caches_of(plan: RoutePlan) -> SharedCaches:
    """Return what the requests of the whole log leave for others of their template; ``plan`` has the first routes.

    It is what they leave on the routes that each conversation would take by itself, were the caches of others as warm
    as the log shows, once its moves that do not save are undone.
    """
    known = plan.inputs.whole.caches
    if known is not None:
        return known[policy_key(plan.policy)]
    return SharedCaches.of(left_alone(plan)) if (plan.inputs.caches.shared > 0).any() else SharedCaches.none()


def limited_to(plan: RoutePlan, rows: Bools) -> RoutePlan:
    """Return the plan where all requests but some keep their model, whatever the policy says of them."""
    used = plan.inputs.requests.used
    choice = without(plan.choice, ~rows, used=used, outcome=RouteOutcome.KEPT_BY_POLICY)
    limited = with_choice(replace(plan, places=places_of(plan.inputs, plan.policy, choice.position)), choice)
    return with_caches(limited, caches_of(limited))


def left_alone(plan: RoutePlan) -> pl.DataFrame:
    """Return the spans of ``caches_of`` that the requests of ``plan`` leave, see ``shared_caches.SPANS``."""
    return left_by(alone(plan))


def alone(plan: RoutePlan) -> RoutePlan:
    """Return the plan as each conversation would take it by itself, were the caches of others warm."""
    return settled(with_caches(plan, SharedCaches.none(always=True)))


def left_by(plan: RoutePlan) -> pl.DataFrame:
    """Return the spans in which requests leave caches for others on their routes, see ``shared_caches.SPANS``."""
    caches = plan.inputs.caches
    return left_shared(caches, plan.choice.route[caches.row])


def with_caches(plan: RoutePlan, caches: SharedCaches) -> RoutePlan:
    """Return the plan where others leave other caches."""
    return with_choice(replace(plan, caches=caches), plan.choice)


def decided(
    inputs: CounterfactualInputs, ladder: Index, policy: Policy, caches: SharedCaches, first: Choice | None = None
) -> RoutePlan:
    """Return the first routes of requests, before any move is undone; ``first`` where they are known."""
    assessor = assessor_of(inputs, policy, ladder)
    choice = first or decide(assessor)
    return RoutePlan(
        policy=policy,
        inputs=inputs,
        ladder=ladder,
        assessor=assessor,
        choice=choice,
        caches=caches,
        places=places_of(inputs, policy, choice.position),
        runs=_expected_runs(inputs, policy, choice, caches),
        threshold=assessor.rule.threshold,
        costs=None,
    )


def _expected_runs(
    inputs: CounterfactualInputs, policy: Policy, choice: Choice, caches: SharedCaches, like: Runs | None = None
) -> Runs:
    values, warm = scenario(policy.assumptions), kept_reads(inputs, choice, caches)
    repeat = repeat_costs(inputs, choice, caches)
    return run_costs(inputs, choice, policy=policy, values=values, warm=warm, repeat=repeat, like=like)


def settled(plan: RoutePlan) -> RoutePlan:
    """Return the plan without moves whose expected cost, by all the assumptions, is no less than what was paid.

    Requests of one conversation on one model share a cache, which the first to move fills for the others, so their
    costs are compared together. Other decisions than by quality take a route whatever it costs.
    """
    if plan.policy.decision not in {Decision.P_SUFFICES, Decision.QUALITY_LOSS}:
        return plan
    requests, caches, values = plan.inputs.requests, plan.inputs.caches, scenario(plan.policy.assumptions)
    for _ in range(_SAVING_PASSES):
        costs = plan.estimate(values)
        plan = replace(plan, costs=Estimated(choice=plan.choice, runs=plan.runs, costs=costs))
        moved = np.flatnonzero(plan.choice.position != NONE)
        change = costs.total - requests.cost
        lost = np.nan_to_num(np.maximum(costs.loss[moved], 0.0)) * plan.policy.lost_answer_usd * PICO_PER_USD
        change[moved] += np.rint(lost).astype(np.int64)
        change[caches.row] = grouped_sum(caches.unit, change[caches.row], caches.units)[caches.unit]
        costlier = (plan.choice.position != NONE) & (change >= 0)
        if not costlier.any():
            break
        plan = with_choice(plan, without(plan.choice, costlier, used=requests.used))
    return plan


def _threshold(inputs: CounterfactualInputs, policy: Policy, ladder: Index) -> float | None:
    """RouteLLM's threshold: the policy's, or the quantile of the log's scores that gives its share of strong calls."""
    if policy.decision is not Decision.STRONG_WINS:
        return None
    if policy.threshold is not None or policy.strong_share is None:
        return policy.threshold
    if inputs.whole.threshold is not None:
        return inputs.whole.threshold
    score = strong_scores(inputs, ladder)
    return float(np.quantile(score, 1 - policy.strong_share, method="higher")) if len(score) else 0.0


def strong_scores(inputs: CounterfactualInputs, ladder: Index) -> Floats:
    """Return RouteLLM's scores of the requests that a policy can decide, where they are known."""
    requests = inputs.requests
    rows = np.flatnonzero(requests.routable & (candidates(ladder, requests.used, 0) != NONE))
    found = []
    for span in spans(len(rows)):
        sub = take(requests, rows[span])
        score = strong_wins(sub, weak=ladder[sub.used, 0], strong=ladder[sub.used, 1], judge=inputs.judge)
        found.append(score[~np.isnan(score)])
    return np.concatenate(found) if found else np.zeros(0)


def with_target(policy: Policy, value: float) -> Policy:
    """Return the policy at another value of what it decides by: target, threshold or quality difference."""
    match policy.decision:
        case Decision.QUALITY_LOSS:
            return replace(policy, max_quality_loss=dict.fromkeys(policy.max_quality_loss, value))
        case Decision.P_SUFFICES:
            return replace(policy, target=value)
        case Decision.STRONG_WINS:
            return replace(policy, threshold=value, strong_share=None)
        case Decision.QUALITY_DIFFERENCE:
            return replace(policy, quality_difference=value)
        case _:
            return policy
