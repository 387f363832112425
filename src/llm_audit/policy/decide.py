"""Choose each request's route: gates first, then the first model of the ladder that meets the policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from llm_audit.policy.gates import Codes, blocked
from llm_audit.policy.judge import Judge
from llm_audit.policy.lengths import Lengths
from llm_audit.policy.model import Decision, Order, Policy
from llm_audit.policy.models import NONE, NOTICE_DAYS, Bools, Floats, Index, Ints, Models
from llm_audit.policy.requests import UNDATED, Requests, take
from llm_audit.policy.rule import Rule

NEVER = np.iinfo(np.int64).max
"""The cost of what cannot be bought."""


class Outcome(StrEnum):
    """What a policy could do with a request."""

    MOVED = "moved"
    SUFFICED_BY_NONE = "sufficed_by_none"
    NO_SAVING = "no_saving"
    ALREADY_CHEAPEST = "already_cheapest"
    NOT_OFFERED = "not_offered"
    GATED = "gated"
    ABSTAINED = "abstained"
    UNPRICED = "unpriced"
    NOT_IN_LADDER = "not_in_ladder"
    NOT_CHAT = "not_chat"
    KEPT_BY_POLICY = "kept_by_policy"


OUTCOMES: tuple[str, ...] = tuple(outcome.value for outcome in Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A route for each request.

    Attributes:
        route: The model, as an index into the catalog; the one used where the request is kept.
        outcome: Index into ``OUTCOMES``.
        gate: Index into ``gates.REASONS``: the gate that changed the route, or 0.
        p_suffices: Of the route; NaN where the request is kept.
        kept_back: The saving the gate forgoes at same tokens, in pico-dollars.
        position: The route's place in the ladder, -1 where kept.
    """

    route: Index
    outcome: Codes
    gate: Codes
    p_suffices: Floats
    kept_back: Ints
    position: npt.NDArray[np.int32]


Costs = Callable[[int, Ints], Ints]
"""The cost at the same tokens of the requests at some rows, on the model at a place of their ladder, or ``NEVER``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One candidate for each of some requests that could take it: on offer, at a price, and cheaper than the one used.

    ``block`` is an index into ``gates.REASONS``, 0 where the policy is not met anyway; ``cost`` is at the same tokens,
    in pico-dollars.
    """

    rows: Ints
    cost: Ints
    p: Floats
    meets: Bools
    block: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessor:
    """Judges candidates.

    Attributes:
        requests: The requests.
        policy: The policy.
        models: The catalog.
        ladder: The candidates of each request, cheapest first: requests x places.
        last: The place of each request's last candidate.
        costs: Costs at the same tokens.
        lengths: Tokenizer ratios, for the gates on length.
        judge: Probabilities.
        rule: The policy's decision.
    """

    requests: Requests
    policy: Policy
    models: Models
    ladder: Index
    last: Ints
    costs: Costs
    lengths: Lengths
    judge: Judge
    rule: Rule

    def assess(self, rows: Ints, place: int) -> Assessed:
        """Judge the candidates of the requests at ``rows`` at one place of their ladders."""
        requests, candidate = self.requests, self.ladder[rows, place]
        there = (candidate != NONE) & (candidate != requests.used[rows]) & requests.routable[rows]
        rows, candidate = rows[there], candidate[there]
        cost = self.costs(place, rows)
        wanted = _offered(self.models, candidate, requests.day[rows]) & (cost != NEVER)
        wanted &= (cost < requests.cost[rows]) | self.policy.allow_upgrade
        rows, candidate, cost = rows[wanted], candidate[wanted], cost[wanted]
        used, category = requests.used[rows], requests.category[rows]
        p = self.judge.suffices(used, candidate, category, requests.difficulty[rows])
        last = self.ladder[rows, self.last[rows]]
        meets = self.rule.meets(requests, rows, candidate=candidate, last=last, p=p, cost=cost)
        block = np.zeros(len(rows), dtype=np.uint8)
        ratio = self.lengths.tokenizer[used[meets], candidate[meets], category[meets]]
        block[meets] = blocked(
            take(requests, rows[meets]),
            candidate[meets],
            models=self.models,
            gates=self.policy.gates,
            tokenizer_ratio=ratio,
        )
        return Assessed(rows=rows, cost=cost, p=p, meets=meets, block=block)


def decide(assessor: Assessor) -> Choice:
    """Route each request by itself: to the first model of its ladder that passes the gates and meets the policy.

    Where a gate blocks a model that would have met the policy, the next is tried, and the gate is noted.
    """
    requests, policy, ladder = assessor.requests, assessor.policy, assessor.ladder
    count, width = ladder.shape
    best, ungated = np.full(count, NEVER), np.full(count, NEVER)
    position = np.full(count, NONE, dtype=np.int32)
    p_route = np.full(count, np.nan)
    gate = np.zeros(count, dtype=np.uint8)
    any_candidate = np.zeros(count, dtype=bool)
    open_rows = np.flatnonzero(requests.routable & (policy.decision is not Decision.NEVER))
    for place in range(width):
        found = assessor.assess(open_rows, place)
        rows, cost, meets, block = found.rows, found.cost, found.meets, found.block
        any_candidate[rows] = True
        ungated[rows] = np.where(meets, np.minimum(ungated[rows], cost), ungated[rows])
        gate[rows] = np.where(meets & (block != 0) & (gate[rows] == 0), block, gate[rows])
        chosen = meets & (block == 0) & (cost < best[rows])
        won = rows[chosen]
        best[won], position[won], p_route[won] = cost[chosen], place, found.p[chosen]
        if policy.order is Order.LADDER:
            closed = position[open_rows] != NONE
            if not policy.allow_upgrade:
                closed |= ladder[open_rows, place] == requests.used[open_rows]
            open_rows = open_rows[~closed]
    moved = position != NONE
    route = np.where(moved, ladder[np.arange(count), np.maximum(position, 0)], requests.used).astype(np.int32)
    forgone = np.where(gate != 0, np.where(moved, best, requests.cost) - ungated, 0)
    gate = np.where(forgone > 0, gate, 0).astype(np.uint8)
    outcome = _outcomes(
        requests, policy, in_ladder=ladder[:, 0] != NONE, moved=moved, gate=gate, any_candidate=any_candidate
    )
    return Choice(
        route=route,
        outcome=_not_offered(assessor, outcome),
        gate=gate,
        p_suffices=p_route,
        kept_back=np.maximum(forgone, 0),
        position=position,
    )


def without(choice: Choice, rows: Bools, *, used: Index) -> Choice:
    """The choice without the moves of some requests, which are not expected to save: these keep the model used."""
    return replace(
        choice,
        route=np.where(rows, used, choice.route).astype(np.int32),
        outcome=np.where(rows, OUTCOMES.index(Outcome.NO_SAVING.value), choice.outcome).astype(np.uint8),
        gate=np.where(rows, 0, choice.gate).astype(np.uint8),
        p_suffices=np.where(rows, np.nan, choice.p_suffices),
        kept_back=np.where(rows, 0, choice.kept_back),
        position=np.where(rows, NONE, choice.position).astype(np.int32),
    )


def _offered(models: Models, candidate: Index, day: Ints) -> Bools:
    """Whether each candidate was worth moving to on a day; a request without one could have had the latest."""
    retired = (models.retired[candidate] <= day + NOTICE_DAYS) & (day != UNDATED)
    return np.asarray((models.released[candidate] <= day) & ~retired)


def _not_offered(assessor: Assessor, outcome: Codes) -> Codes:
    """Tell those on the cheapest model from those whose cheaper models were not on offer then, or about to go."""
    requests, found = assessor.requests, outcome.copy()
    rows = np.flatnonzero(outcome == OUTCOMES.index(Outcome.ALREADY_CHEAPEST.value))
    for place in range(assessor.ladder.shape[1]):
        model = assessor.ladder[rows, place]
        gone = (model != NONE) & (model != requests.used[rows]) & ~_offered(assessor.models, model, requests.day[rows])
        at = rows[gone]
        found[at[assessor.costs(place, at) < requests.cost[at]]] = OUTCOMES.index(Outcome.NOT_OFFERED.value)
    return found


def _outcomes(
    requests: Requests, policy: Policy, *, in_ladder: Bools, moved: Bools, gate: Codes, any_candidate: Bools
) -> Codes:
    conditions = [
        (~requests.chat, Outcome.NOT_CHAT),
        (~requests.priced, Outcome.UNPRICED),
        (~requests.judged, Outcome.ABSTAINED),
        (np.full(len(requests), policy.decision is Decision.NEVER), Outcome.KEPT_BY_POLICY),
        (~in_ladder | (requests.used == NONE), Outcome.NOT_IN_LADDER),
        (moved, Outcome.MOVED),
        (~any_candidate, Outcome.ALREADY_CHEAPEST),
        (gate != 0, Outcome.GATED),
    ]
    codes = [OUTCOMES.index(outcome.value) for _, outcome in conditions]
    default = OUTCOMES.index(Outcome.SUFFICED_BY_NONE.value)
    return np.select([condition for condition, _ in conditions], codes, default=default).astype(np.uint8)
