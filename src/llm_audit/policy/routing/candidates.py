"""Judge the candidates of requests: what each costs, whether it suffices, and which gate blocks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from llm_audit.arrays import Bools, Codes, Index, Ints
from llm_audit.policy.counterfactual.costs import NEVER, cost
from llm_audit.policy.counterfactual.inputs import RequestInputs
from llm_audit.policy.file.model import Decision, Policy
from llm_audit.policy.inputs.models import NONE, NOTICE_DAYS, Models
from llm_audit.policy.inputs.requests import UNDATED, Rows, wide
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

    def kept_by(self, rows: Ints, place: int) -> Bools:
        """Return whether the model at a place of the ladder of each request is the one that it used."""
        kept: Bools = candidates(self.ladder, self.inputs.groups.used, place) == self.inputs.groups.used
        return kept[self.inputs.groups.of[rows]]

    def offers(self, rows: Ints, place: int) -> Offers:
        """Return the candidates at one place of the ladders of the requests at ``rows``."""
        groups, requests = self.inputs.groups, self.inputs.requests
        candidate = candidates(self.ladder, groups.used, place)
        rows = rows[(self._offered(candidate) & self._known(candidate))[groups.of[rows]]]
        cost = self._cost(rows, place)
        wanted = self._wanted(rows, cost)
        rows, cost = rows[wanted], cost[wanted]
        group = groups.of[rows]
        ladder = self.ladder[groups.used]
        last = ladder[np.arange(len(groups)), (ladder != NONE).sum(axis=1) - 1]
        p, loss = self.inputs.judge.compared(
            groups.used, candidate, groups.skill, requests.difficulty[rows], group=group
        )
        return Offers(
            rows=rows,
            candidate=candidate[group],
            skill=groups.skill[group],
            last=last[group],
            cost=cost,
            p=p,
            loss=loss,
            repeat=self.inputs.cold_repeat[rows],
        )

    def unmeasured(self, rows: Ints, place: int) -> Ints:
        """Return those of ``rows`` whose candidate at a place is out only because nobody measured it."""
        candidate = candidates(self.ladder, self.inputs.groups.used, place)
        rows = rows[(self._offered(candidate) & ~self._known(candidate))[self.inputs.groups.of[rows]]]
        found: Ints = rows[self._wanted(rows, self._cost(rows, place))]
        return found

    def gone(self, rows: Ints, place: int) -> Ints:
        """Return those of ``rows`` whose candidate at a place would cost less, but was not on offer then."""
        groups = self.inputs.groups
        candidate = candidates(self.ladder, groups.used, place)
        gone = (candidate != NONE) & (candidate != groups.used) & ~self._offered(candidate)
        rows = rows[gone[groups.of[rows]]]
        found: Ints = rows[self._cost(rows, place) < self.inputs.requests.cost[rows]]
        return found

    def meets(self, offers: Offers, rules: Sequence[DecisionRule]) -> list[Bools]:
        """Return whether each offer meets each of some rules and the policy's bound on the preference gap."""
        requests, models = self.inputs.requests, self.inputs.models
        liked = within_bound(self.policy, models, requests, offers.rows, offers.candidate)
        return [met & liked for met in meets_each(requests, offers, rules)]

    def blocks(self, offers: Offers, asked: Bools) -> Codes:
        """Return the gate that blocks each offer asked about, as an index into ``gates.REASONS``; 0 for the others."""
        block = np.zeros(len(offers.rows), dtype=np.uint8)
        rows, candidate = offers.rows[asked], offers.candidate[asked]
        requests, lengths = self.inputs.requests, self.inputs.lengths
        block[asked] = blocked(
            requests,
            rows,
            candidate,
            models=self.inputs.models,
            gates=self.policy.gates,
            tokenizer_ratio=lengths.tokenizer[lengths.row[requests.used[rows], candidate], requests.category[rows]],
        )
        return block

    def assess(self, rows: Ints, place: int) -> Assessed:
        """Judge the candidates of the requests at ``rows`` at one place of their ladders."""
        offers = self.offers(rows, place)
        (meets,) = self.meets(offers, [self.rule])
        return Assessed(offers=offers, meets=meets, block=self.blocks(offers, meets))

    def _offered(self, candidate: Index) -> Bools:
        """Return whether each group has a candidate, another than the model used, that was on offer then."""
        groups = self.inputs.groups
        there = (candidate != NONE) & (candidate != groups.used) & groups.routable
        return np.asarray(there & _offered(self.inputs.models, candidate, used=groups.used, day=groups.day))

    def _known(self, candidate: Index) -> Bools:
        """Return whether each group's candidate was measured in what is asked of it, where the decision needs it."""
        if self.policy.unmeasured or self.policy.decision is Decision.ALWAYS:
            return np.ones(len(candidate), dtype=np.bool_)
        return self.inputs.models.measured_in(candidate, self.inputs.groups.skill)

    def _wanted(self, rows: Ints, cost: Ints) -> Bools:
        """Return whether each candidate has a price, and costs less than the model used, where it must."""
        return np.asarray((cost != NEVER) & ((cost < self.inputs.requests.cost[rows]) | self.policy.allow_upgrade))

    def _cost(self, rows: Ints, place: int) -> Ints:
        """Return what each request costs at a place of its ladder, at the same tokens; ``NEVER`` without a price."""
        requests, table, groups = self.inputs.requests, self.inputs.rates, self.inputs.groups
        tokens = {kind: wide(counts, rows) for kind, counts in requests.tokens.items()}
        rates = table.rates[table.rows[groups.key, place]]
        return cost(tokens, rates, per_call=wide(requests.per_call_cost, rows), group=groups.of[rows])


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
