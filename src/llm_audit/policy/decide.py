"""Choose each request's route: gates first, then the first model of the ladder that meets the policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from llm_audit.policy.gates import Codes, blocked
from llm_audit.policy.judge import Judge
from llm_audit.policy.lengths import Lengths
from llm_audit.policy.model import Decision, Order, Policy
from llm_audit.policy.models import NONE, Bools, Floats, Index, Ints, Models
from llm_audit.policy.requests import UNDATED, Requests, take
from llm_audit.policy.rule import Rule

NEVER = np.iinfo(np.int64).max
"""The cost of what cannot be bought."""


class Outcome(StrEnum):
    """What a policy could do with a request."""

    MOVED = "moved"
    SUFFICED_BY_NONE = "sufficed_by_none"
    ALREADY_CHEAPEST = "already_cheapest"
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


Costs = Callable[[int], Ints]
"""The cost of each request at the same tokens on the ladder's model at a position; ``NEVER`` where it has no price."""


def decide(
    requests: Requests,
    *,
    policy: Policy,
    models: Models,
    ladder: Index,
    costs: Costs,
    lengths: Lengths,
    judge: Judge,
    threshold: float | None = None,
) -> Choice:
    """Route each request by itself.

    A candidate must be released, have a price, and cost less than the model used for the same tokens, unless the policy
    allows upgrades. Where a gate blocks one that would have met the policy, the next is tried.

    Args:
        requests: The requests.
        policy: The policy.
        models: The catalog.
        ladder: The candidates of each request, cheapest first: requests x positions.
        costs: Costs at same tokens by position.
        lengths: Tokenizer ratios, for the gates on length.
        judge: Probabilities.
        threshold: For ``Decision.STRONG_WINS``, the threshold to use in place of the policy's.
    """
    rule = Rule(policy=policy, judge=judge, threshold=threshold)
    count, width = ladder.shape
    routable = requests.routable
    best = np.full(count, NEVER)
    ungated = np.full(count, NEVER)
    position = np.full(count, NONE, dtype=np.int32)
    p_route = np.full(count, np.nan)
    gate = np.zeros(count, dtype=np.uint8)
    any_candidate, closed = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    ladder_end = (ladder != NONE).sum(axis=1) - 1
    for place in range(width):
        candidate = np.maximum(ladder[:, place], 0)
        cost = costs(place)
        offered = (models.released[candidate] <= requests.day) & (
            (models.retired[candidate] > requests.day) | (requests.day == UNDATED)
        )
        there = routable & (ladder[:, place] != NONE) & offered & (cost != NEVER)
        itself = there & (ladder[:, place] == requests.used)
        open_ = there & ~itself & ~closed & ((cost < requests.cost) | policy.allow_upgrade)
        any_candidate |= open_ | (there & ~itself & (cost < requests.cost))
        rows = np.flatnonzero(open_ & (True if policy.order is Order.COST else position == NONE))
        if policy.decision is not Decision.NEVER and len(rows):
            sub = take(requests, rows)
            used, names = sub.used, candidate[rows]
            p = judge.suffices(used, names, sub.category, sub.difficulty)
            last = ladder[rows, ladder_end[rows]]
            meets = rule.meets(sub, candidate=names, last=last, p=p, cost=cost[rows])
            ratio = lengths.tokenizer[used, names, sub.category]
            block = blocked(sub, names, models=models, gates=policy.gates, tokenizer_ratio=ratio)
            ungated[rows] = np.where(meets, np.minimum(ungated[rows], cost[rows]), ungated[rows])
            first_block = meets & (block != 0) & (gate[rows] == 0)
            gate[rows] = np.where(first_block, block, gate[rows])
            take_it = meets & (block == 0) & (cost[rows] < best[rows])
            won = rows[take_it]
            best[won], position[won], p_route[won] = cost[won], place, p[take_it]
        if policy.order is Order.LADDER:
            closed |= itself & ~np.bool_(policy.allow_upgrade)
    moved = position != NONE
    route = np.where(moved, ladder[np.arange(count), np.maximum(position, 0)], requests.used).astype(np.int32)
    forgone = np.where(gate != 0, np.where(moved, best, requests.cost) - ungated, 0)
    gate = np.where(forgone > 0, gate, 0).astype(np.uint8)
    outcome = _outcomes(
        requests, policy, in_ladder=ladder[:, 0] != NONE, moved=moved, gate=gate, any_candidate=any_candidate
    )
    return Choice(
        route=route,
        outcome=outcome,
        gate=gate,
        p_suffices=p_route,
        kept_back=np.maximum(forgone, 0),
        position=position,
    )


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
