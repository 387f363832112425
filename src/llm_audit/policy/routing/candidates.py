"""Judge the candidates of requests: what each costs, whether it suffices, and which gate blocks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from llm_audit.arrays import Bools, Codes, Index, Ints
from llm_audit.policy.counterfactual.costs import NEVER, cost
from llm_audit.policy.counterfactual.inputs import RequestInputs
from llm_audit.policy.file.model import Decision, Policy
from llm_audit.policy.inputs.models import NONE, NOTICE_DAYS, SKILLS, Models
from llm_audit.policy.inputs.requests import UNDATED, Rows, take, wide
from llm_audit.policy.routing.decision import DecisionRule, Offers, meets_each
from llm_audit.policy.routing.gates import blocked
from llm_audit.policy.routing.preference import within_bound


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
        inputs: The requests, and what their candidates cost and can do.
        policy: The policy.
        ladder: The candidates of each model used, cheapest first: models x places.
        rule: The policy's decision.
    """

    inputs: RequestInputs
    policy: Policy
    ladder: Index
    rule: DecisionRule

    def part(self, rows: Rows) -> Assessor:
        """Return the same for some requests."""
        return replace(self, inputs=self.inputs.part(rows))

    def candidates(self, rows: Ints, place: int) -> Index:
        """Return the model at a place of the ladder of each request, ``NONE`` beyond its end."""
        return candidates(self.ladder, self.inputs.requests.used[rows], place)

    def offers(self, rows: Ints, place: int) -> Offers:
        """Return the candidates at one place of the ladders of the requests at ``rows``."""
        requests, candidate = self.inputs.requests, self.candidates(rows, place)
        there = (candidate != NONE) & (candidate != requests.used[rows]) & requests.routable[rows]
        rows, candidate = rows[there], candidate[there]
        cost, skill = self._cost(rows, place), requests.skill[rows]
        wanted = self._wanted(rows, candidate, cost) & self._known(candidate, skill)
        rows, candidate, cost, skill = rows[wanted], candidate[wanted], cost[wanted], skill[wanted]
        used, difficulty = requests.used[rows], requests.difficulty[rows]
        last = (self.ladder != NONE).sum(axis=1) - 1
        p, loss = self.inputs.judge.compared(used, candidate, skill, difficulty)
        return Offers(
            rows=rows,
            candidate=candidate,
            skill=skill,
            last=self.ladder[used, last[used]],
            cost=cost,
            p=p,
            loss=loss,
            repeat=self.inputs.cold_repeat[rows],
        )

    def unmeasured(self, rows: Ints, place: int) -> Ints:
        """Return those of ``rows`` whose candidate at a place is out only because nobody measured it."""
        requests, candidate = self.inputs.requests, self.candidates(rows, place)
        there = (candidate != NONE) & (candidate != requests.used[rows]) & requests.routable[rows]
        rows, candidate = rows[there], candidate[there]
        known = self._known(candidate, requests.skill[rows])
        found: Ints = rows[self._wanted(rows, candidate, self._cost(rows, place)) & ~known]
        return found

    def gone(self, rows: Ints, place: int) -> Ints:
        """Return those of ``rows`` whose candidate at a place would cost less, but was not on offer then."""
        requests, candidate = self.inputs.requests, self.candidates(rows, place)
        gone = (candidate != NONE) & (candidate != requests.used[rows])
        offered = _offered(self.inputs.models, candidate, used=requests.used[rows], day=requests.day[rows])
        rows = rows[gone & ~offered]
        return rows[self._cost(rows, place) < requests.cost[rows]]

    def meets(self, offers: Offers, rules: Sequence[DecisionRule]) -> list[Bools]:
        """Return whether each offer meets each of some rules and the policy's bound on the preference gap."""
        requests, models = self.inputs.requests, self.inputs.models
        liked = within_bound(self.policy, models, requests, offers.rows, offers.candidate)
        return [met & liked for met in meets_each(requests, offers, rules)]

    def blocks(self, offers: Offers, asked: Bools) -> Codes:
        """Return the gate that blocks each offer asked about, as an index into ``gates.REASONS``; 0 for the others."""
        block = np.zeros(len(offers.rows), dtype=np.uint8)
        rows, candidate = offers.rows[asked], offers.candidate[asked]
        requests = take(self.inputs.requests, rows)
        lengths = self.inputs.lengths
        block[asked] = blocked(
            requests,
            candidate,
            models=self.inputs.models,
            gates=self.policy.gates,
            tokenizer_ratio=lengths.tokenizer[lengths.row[requests.used, candidate], requests.category],
        )
        return block

    def assess(self, rows: Ints, place: int) -> Assessed:
        """Judge the candidates of the requests at ``rows`` at one place of their ladders."""
        offers = self.offers(rows, place)
        (meets,) = self.meets(offers, [self.rule])
        return Assessed(offers=offers, meets=meets, block=self.blocks(offers, meets))

    def _known(self, candidate: Index, skill: Index) -> Bools:
        """Return whether each candidate was measured in what a request asks, where the decision needs it."""
        if self.policy.unmeasured or self.policy.decision is Decision.ALWAYS:
            return np.ones(len(candidate), dtype=np.bool_)
        measured: Bools = self.inputs.models.measured_skills()[candidate, skill % len(SKILLS)]
        return measured

    def _wanted(self, rows: Ints, candidate: Index, cost: Ints) -> Bools:
        """Return whether each candidate is on offer, has a price, and costs less than the model used, where it must."""
        requests = self.inputs.requests
        used, day = requests.used[rows], requests.day[rows]
        wanted = _offered(self.inputs.models, candidate, used=used, day=day) & (cost != NEVER)
        return np.asarray(wanted & ((cost < requests.cost[rows]) | self.policy.allow_upgrade))

    def _cost(self, rows: Ints, place: int) -> Ints:
        """Return what each request costs at a place of its ladder, at the same tokens; ``NEVER`` without a price."""
        requests, rates = self.inputs.requests, self.inputs.rates
        of_place = rates.rates[rates.rows[rates.key[rows], place]]
        tokens = {kind: wide(counts, rows) for kind, counts in requests.tokens.items()}
        return cost(tokens, of_place, per_call=wide(requests.per_call_cost, rows))


def candidates(ladder: Index, used: Index, place: int | Index) -> Index:
    """Return the model at a place of the ladder of each model used, ``NONE`` where there is none."""
    return np.where(used == NONE, NONE, ladder[used, place]).astype(np.int32)


def _offered(models: Models, candidate: Index, *, used: Index, day: Ints) -> Bools:
    """Return whether each candidate was worth moving to on a day; a request without one could have had the latest.

    A model that goes soon is no place to move to, unless the model used goes no later.
    """
    retired = models.retired[candidate]
    soon = (retired <= day + NOTICE_DAYS) & (retired < models.retired[np.maximum(used, 0)])
    return np.asarray((models.released[candidate] <= day) & ~((soon | (retired <= day)) & (day != UNDATED)))
