"""Routes of single requests: gates first, then the first model of the ladder that meets the policy."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from llm_audit.arrays import Bools, Codes, Floats, Index, Ints
from llm_audit.blocks import in_blocks, spans
from llm_audit.policy.counterfactual.costs import NEVER
from llm_audit.policy.file.model import Decision, Order, Policy
from llm_audit.policy.inputs.choice import OUTCOMES, Choice, RouteOutcome
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.inputs.requests import Requests
from llm_audit.policy.routing.candidates import Assessor, candidates
from llm_audit.policy.routing.decision import DecisionRule, Offers


class _Search(msgspec.Struct):
    """State of the search for routes, for some requests under one rule: see ``Choice``."""

    best: Ints
    ungated: Ints
    position: Index
    p: Floats
    loss: Floats
    gate: Codes
    open: Bools

    def take(self, offers: Offers, meets: Bools, block: Codes) -> None:
        """Take the offers that meet the rule and are better than what was found before."""
        rows, price = offers.rows, offers.cost
        self.ungated[rows] = np.where(meets, np.minimum(self.ungated[rows], price), self.ungated[rows])
        self.gate[rows] = np.where(meets & (block != 0) & (self.gate[rows] == 0), block, self.gate[rows])
        chosen = meets & (block == 0) & (price < self.best[rows])
        won = rows[chosen]
        self.best[won], self.position[won] = price[chosen], offers.place[chosen]
        self.p[won], self.loss[won] = offers.p[chosen], offers.loss[chosen]


def _search(assessor: Assessor, rules: Sequence[DecisionRule], turns: Sequence[Index]) -> tuple[list[_Search], Bools]:
    """Look through the ladders under each rule; also whether a request had any candidate under the first."""
    requests, policy = assessor.inputs.requests, assessor.policy
    count = len(requests)
    start = requests.routable & (policy.decision is not Decision.NEVER)
    found = [
        _Search(
            best=np.full(count, NEVER),
            ungated=np.full(count, NEVER),
            position=np.full(count, NONE, dtype=np.int32),
            p=np.full(count, np.nan),
            loss=np.full(count, np.nan),
            gate=np.zeros(count, dtype=np.uint8),
            open=start.copy(),
        )
        for _ in rules
    ]
    any_candidate = np.zeros(count, dtype=bool)
    for turn in turns:
        rows = assessor.asked(np.flatnonzero(np.logical_or.reduce([search.open for search in found])), turn)
        if not len(rows):
            break
        offers = assessor.offers(rows, turn)
        any_candidate[offers.rows] |= found[0].open[offers.rows]
        met = [
            search.open[offers.rows] & meets for search, meets in zip(found, assessor.meets(offers, rules), strict=True)
        ]
        block = assessor.blocks(offers, np.logical_or.reduce(met))
        for search, meets in zip(found, met, strict=True):
            search.take(offers, meets, block)
            if policy.order is Order.LADDER:
                search.open[rows] &= search.position[rows] == NONE
    return found, any_candidate


def decide(assessor: Assessor) -> Choice:
    """Route each request by itself: to the first model of its ladder that passes the gates and meets the policy.

    Where a gate blocks a model that would have met the policy, the next is tried, and the gate is noted.
    """
    turns = assessor.turns()
    reasons = _Reasons(unmeasured=assessor.unmeasured(), gone=assessor.gone())
    blocks = spans(len(assessor.inputs.requests))
    parts = in_blocks(lambda span: _decided(assessor.part(span), turns, reasons), blocks)
    return Choice(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in Choice.__struct_fields__}
    )


def positions(assessor: Assessor, rules: Sequence[DecisionRule]) -> list[Index]:
    """Return the places that each of several rules would choose: of two, all that one allows the other allows too."""
    turns = assessor.turns()

    def found(span: slice) -> list[Index]:
        part = assessor.part(span)
        if assessor.policy.order is Order.LADDER:
            return _first_places(part, rules, turns)
        return [search.position.astype(np.int16) for search in _search(part, rules, turns)[0]]

    parts = in_blocks(found, spans(len(assessor.inputs.requests)) or [slice(0)])
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def _first_places(assessor: Assessor, rules: Sequence[DecisionRule], turns: Sequence[Index]) -> list[Index]:
    """Return the first place of each ladder that passes the gates and meets each rule.

    Where the rules are in order of what they allow, those that have found no place yet are the first so many.
    """
    requests, policy = assessor.inputs.requests, assessor.policy
    order = sorted(range(len(rules)), key=lambda at: rules[at].tolerance)
    strictest_first = [rules[at] for at in order]
    position = np.full((len(rules), len(requests)), NONE, dtype=np.int16)
    searching = np.where(requests.routable & (policy.decision is not Decision.NEVER), len(rules), 0).astype(np.int16)
    rows = np.flatnonzero(searching)
    for turn in turns:
        rows = assessor.asked(rows, turn)
        if not len(rows):
            break
        offers = assessor.offers(rows, turn)
        found = assessor.meets(offers, strictest_first)
        refusing = np.full(len(offers.rows), len(rules), dtype=np.int16)
        for met in found:
            refusing -= met
        asked = refusing < searching[offers.rows]
        passed = asked & (assessor.blocks(offers, asked) == 0)
        taken, first, place = offers.rows[passed], refusing[passed], offers.place[passed]
        for at in range(len(rules)):
            some = (first <= at) & (at < searching[taken])
            position[order[at], taken[some]] = place[some]
        searching[taken] = first
        rows = rows[searching[rows] > 0]
    return list(position)


class _Reasons(msgspec.Struct, kw_only=True, frozen=True):
    """Turns of the candidates that a request might have had: see ``Assessor``."""

    unmeasured: list[Index]
    gone: list[Index]


def _decided(assessor: Assessor, turns: Sequence[Index], reasons: _Reasons) -> Choice:
    requests, policy = assessor.inputs.requests, assessor.policy
    (search,), any_candidate = _search(assessor, [assessor.rule], turns)
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
        outcome=_why_none(assessor, outcome, reasons),
        gate=gate,
        p_suffices=search.p,
        loss=search.loss,
        kept_back=np.maximum(forgone, 0),
        position=position,
    )


def _why_none(assessor: Assessor, outcome: Codes, reasons: _Reasons) -> Codes:
    """Tell requests on the cheapest model from those whose cheaper models were unavailable, or never measured."""
    found = outcome.copy()
    cheapest = OUTCOMES.index(RouteOutcome.ALREADY_CHEAPEST.value)
    for reason, turns, of in (
        (RouteOutcome.UNMEASURED, reasons.unmeasured, assessor.wanted),
        (RouteOutcome.NOT_OFFERED, reasons.gone, assessor.cheaper),
    ):
        rows = np.flatnonzero(found == cheapest)
        for turn in turns:
            rows = assessor.asked(rows, turn)
            if not len(rows):
                break
            found[of(rows, turn)] = OUTCOMES.index(reason.value)
            rows = rows[found[rows] == cheapest]
    return found


def _outcomes(
    requests: Requests, policy: Policy, *, in_ladder: Bools, moved: Bools, gate: Codes, any_candidate: Bools
) -> Codes:
    conditions = [
        (~requests.chat, RouteOutcome.NOT_CHAT),
        (~requests.priced, RouteOutcome.UNPRICED),
        (~requests.judged, RouteOutcome.ABSTAINED),
        (np.full(len(requests), policy.decision is Decision.NEVER), RouteOutcome.KEPT_BY_POLICY),
        (~in_ladder | (requests.used == NONE), RouteOutcome.NOT_IN_LADDER),
        (moved, RouteOutcome.MOVED),
        (~any_candidate, RouteOutcome.ALREADY_CHEAPEST),
        (gate != 0, RouteOutcome.GATED),
    ]
    codes = [OUTCOMES.index(outcome.value) for _, outcome in conditions]
    default = OUTCOMES.index(RouteOutcome.NO_CAPABLE_MODEL.value)
    return np.select([condition for condition, _ in conditions], codes, default=default).astype(np.uint8)
