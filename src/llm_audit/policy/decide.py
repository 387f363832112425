"""Choose each request's route: gates first, then the first model of the ladder that meets the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from llm_audit.policy.blocks import in_blocks, spans
from llm_audit.policy.costs import NEVER, cost
from llm_audit.policy.gates import Codes, blocked
from llm_audit.policy.model import Decision, Order, Policy
from llm_audit.policy.models import NONE, NOTICE_DAYS, Bools, Floats, Index, Ints, Models
from llm_audit.policy.requests import UNDATED, Requests, Rows, take, wide
from llm_audit.policy.rule import Rule
from llm_audit.policy.world import Local


class Outcome(StrEnum):
    """What a policy could do with a request."""

    MOVED = "moved"
    SUFFICED_BY_NONE = "sufficed_by_none"
    NO_SAVING = "no_saving"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """One candidate for each of some requests that could take it: on offer, at a price, and cheaper than the one used.

    Attributes:
        rows: The requests.
        candidate: Their candidates.
        last: The last model of each ladder.
        cost: At the same tokens, in pico-dollars.
        p: P(suffices).
    """

    rows: Ints
    candidate: Index
    last: Index
    cost: Ints
    p: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """Offers as a policy sees them: ``block`` is an index into ``gates.REASONS``, 0 where one is not met anyway."""

    offers: Offers
    meets: Bools
    block: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessor:
    """Judges candidates.

    Attributes:
        world: The requests, and what their candidates cost and can do.
        policy: The policy.
        ladder: The candidates of each model used, cheapest first: models x places.
        rule: The policy's decision.
    """

    world: Local
    policy: Policy
    ladder: Index
    rule: Rule

    def part(self, rows: Rows) -> Assessor:
        """The same for some requests."""
        return replace(self, world=self.world.part(rows))

    def candidates(self, rows: Ints, place: int) -> Index:
        """The model at a place of the ladder of each request, ``NONE`` beyond its end."""
        return candidates(self.ladder, self.world.requests.used[rows], place)

    def offers(self, rows: Ints, place: int) -> Offers:
        """The candidates at one place of the ladders of the requests at ``rows``."""
        requests, candidate = self.world.requests, self.candidates(rows, place)
        there = (candidate != NONE) & (candidate != requests.used[rows]) & requests.routable[rows]
        rows, candidate = rows[there], candidate[there]
        cost = self._cost(rows, place)
        wanted = _offered(self.world.models, candidate, requests.day[rows]) & (cost != NEVER)
        wanted &= (cost < requests.cost[rows]) | self.policy.allow_upgrade
        rows, candidate, cost = rows[wanted], candidate[wanted], cost[wanted]
        used = requests.used[rows]
        last = (self.ladder != NONE).sum(axis=1) - 1
        return Offers(
            rows=rows,
            candidate=candidate,
            last=self.ladder[used, last[used]],
            cost=cost,
            p=self.world.judge.suffices(used, candidate, requests.category[rows], requests.difficulty[rows]),
        )

    def meets(self, offers: Offers, rule: Rule) -> Bools:
        """Whether each offer meets a policy's decision."""
        return rule.meets(
            self.world.requests,
            offers.rows,
            candidate=offers.candidate,
            last=offers.last,
            p=offers.p,
            cost=offers.cost,
        )

    def blocks(self, offers: Offers, asked: Bools) -> Codes:
        """The gate that blocks each offer asked about, as an index into ``gates.REASONS``; 0 for the others."""
        block = np.zeros(len(offers.rows), dtype=np.uint8)
        rows, candidate = offers.rows[asked], offers.candidate[asked]
        requests = take(self.world.requests, rows)
        block[asked] = blocked(
            requests,
            candidate,
            models=self.world.models,
            gates=self.policy.gates,
            tokenizer_ratio=self.world.lengths.tokenizer[requests.used, candidate, requests.category],
        )
        return block

    def assess(self, rows: Ints, place: int) -> Assessed:
        """Judge the candidates of the requests at ``rows`` at one place of their ladders."""
        offers = self.offers(rows, place)
        meets = self.meets(offers, self.rule)
        return Assessed(offers=offers, meets=meets, block=self.blocks(offers, meets))

    def _cost(self, rows: Ints, place: int) -> Ints:
        """What each request costs at a place of its ladder, at the same tokens; ``NEVER`` without a price."""
        requests, rates = self.world.requests, self.world.rates
        of_place = rates.rates[rates.rows[rates.key[rows], place]]
        tokens = {kind: wide(counts, rows) for kind, counts in requests.tokens.items()}
        return cost(tokens, of_place, per_call=wide(requests.per_call_cost, rows))


def candidates(ladder: Index, used: Index, place: int | Index) -> Index:
    """The model at a place of the ladder of each model used, ``NONE`` where there is none."""
    return np.where(used == NONE, NONE, ladder[used, place]).astype(np.int32)


@dataclass(slots=True)
class _Search:
    """How far the search for a route is, for some requests under one rule: see ``Choice``."""

    best: Ints
    ungated: Ints
    position: Index
    p: Floats
    gate: Codes
    open: Bools

    def take(self, offers: Offers, place: int, meets: Bools, block: Codes) -> None:
        """Take the offers at a place that meet the rule and are better than what was found before."""
        rows, price = offers.rows, offers.cost
        self.ungated[rows] = np.where(meets, np.minimum(self.ungated[rows], price), self.ungated[rows])
        self.gate[rows] = np.where(meets & (block != 0) & (self.gate[rows] == 0), block, self.gate[rows])
        chosen = meets & (block == 0) & (price < self.best[rows])
        won = rows[chosen]
        self.best[won], self.position[won], self.p[won] = price[chosen], place, offers.p[chosen]


def _search(assessor: Assessor, rules: Sequence[Rule]) -> tuple[list[_Search], Bools]:
    """Look through the ladders under each rule; also whether a request had any candidate under the first."""
    requests, policy = assessor.world.requests, assessor.policy
    count = len(requests)
    start = requests.routable & (policy.decision is not Decision.NEVER)
    found = [
        _Search(
            best=np.full(count, NEVER),
            ungated=np.full(count, NEVER),
            position=np.full(count, NONE, dtype=np.int32),
            p=np.full(count, np.nan),
            gate=np.zeros(count, dtype=np.uint8),
            open=start.copy(),
        )
        for _ in rules
    ]
    any_candidate = np.zeros(count, dtype=bool)
    for place in range(assessor.ladder.shape[1]):
        rows = np.flatnonzero(np.logical_or.reduce([search.open for search in found]))
        if not len(rows):
            break
        offers = assessor.offers(rows, place)
        any_candidate[offers.rows] |= found[0].open[offers.rows]
        met = [
            search.open[offers.rows] & assessor.meets(offers, rule) for search, rule in zip(found, rules, strict=True)
        ]
        block = assessor.blocks(offers, np.logical_or.reduce(met))
        own = assessor.candidates(rows, place) == requests.used[rows]
        for search, meets in zip(found, met, strict=True):
            search.take(offers, place, meets, block)
            if policy.order is Order.LADDER:
                search.open[rows] &= (search.position[rows] == NONE) & ~(own & (not policy.allow_upgrade))
    return found, any_candidate


def decide(assessor: Assessor) -> Choice:
    """Route each request by itself: to the first model of its ladder that passes the gates and meets the policy.

    Where a gate blocks a model that would have met the policy, the next is tried, and the gate is noted.
    """
    parts = in_blocks(lambda span: _decided(assessor.part(span)), spans(len(assessor.world.requests)))
    return Choice(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Choice.__slots__})


def positions(assessor: Assessor, rules: Sequence[Rule]) -> list[Index]:
    """The places that each of several rules would choose, which differ in their numbers only."""

    def found(span: slice) -> list[Index]:
        return [search.position.astype(np.int16) for search in _search(assessor.part(span), rules)[0]]

    parts = in_blocks(found, spans(len(assessor.world.requests)))
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def _decided(assessor: Assessor) -> Choice:
    requests, policy = assessor.world.requests, assessor.policy
    (search,), any_candidate = _search(assessor, [assessor.rule])
    position = search.position
    moved = position != NONE
    route = np.where(moved, candidates(assessor.ladder, requests.used, np.maximum(position, 0)), requests.used)
    forgone = np.where(search.gate != 0, np.where(moved, search.best, requests.cost) - search.ungated, 0)
    gate = np.where(forgone > 0, search.gate, 0).astype(np.uint8)
    outcome = _outcomes(
        requests,
        policy,
        in_ladder=candidates(assessor.ladder, requests.used, 0) != NONE,
        moved=moved,
        gate=gate,
        any_candidate=any_candidate,
    )
    return Choice(
        route=route.astype(np.int32),
        outcome=outcome,
        gate=gate,
        p_suffices=search.p,
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
