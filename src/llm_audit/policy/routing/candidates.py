"""Judge the candidates of requests: what each costs, whether it suffices, and which gate blocks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from msgspec.structs import replace

from llm_audit.arrays import Bools, Codes, Index, Ints
from llm_audit.policy.counterfactual.costs import NEVER, same_tokens
from llm_audit.policy.counterfactual.inputs import RequestInputs
from llm_audit.policy.file.model import Decision, Order, Policy
from llm_audit.policy.inputs.models import NONE, NOTICE_DAYS, Models
from llm_audit.policy.inputs.requests import UNDATED, Rows
from llm_audit.policy.routing.decision import DecisionRule, Offers, meets_each
from llm_audit.policy.routing.gates import blocked
from llm_audit.policy.routing.preference import within_bound


class Assessed(msgspec.Struct, kw_only=True, frozen=True):
    """Offers as a policy sees them: ``block`` is an index into ``gates.REASONS``, 0 where one is not met anyway."""

    offers: Offers
    meets: Bools
    block: Codes


class Assessor(msgspec.Struct, kw_only=True, frozen=True):
    """Judges candidates.

    Attributes:
        inputs: The requests, and what their candidates cost and can do.
        policy: The policy.
        ladder: The candidates of each model used, cheapest first: models x places.
        last: The last candidate of each model used.
        rule: The policy's decision.
    """

    inputs: RequestInputs
    policy: Policy
    ladder: Index
    last: Index
    rule: DecisionRule

    @classmethod
    def of(cls, inputs: RequestInputs, policy: Policy, ladder: Index, rule: DecisionRule) -> Assessor:
        """Return what judges the candidates of a ladder."""
        last = ladder[np.arange(len(ladder)), (ladder != NONE).sum(axis=1) - 1]
        return cls(inputs=inputs, policy=policy, ladder=ladder, last=last, rule=rule)

    def part(self, rows: Rows) -> Assessor:
        """Return the same for some requests."""
        return replace(self, inputs=self.inputs.part(rows))

    def candidates(self, rows: Ints, place: int) -> Index:
        """Return the model at a place of the ladder of each request, ``NONE`` beyond its end."""
        return candidates(self.ladder, self.inputs.requests.used[rows], place)

    def turns(self) -> list[Index]:
        """Return the places at which groups of requests have candidates on offer, up to the model used or all.

        They are those of each group's first turn, of its second and so on; ``NONE`` where it has no more.
        """
        upgrade = self.policy.allow_upgrade or self.policy.order is not Order.LADDER
        return self._turns(lambda candidate: self._offered(candidate) & self._known(candidate), upgrade=upgrade)

    def unmeasured(self) -> list[Index]:
        """Return the turns of candidates that are out only because nobody measured them."""
        return self._turns(lambda candidate: self._offered(candidate) & ~self._known(candidate))

    def gone(self) -> list[Index]:
        """Return the turns of candidates that were not on offer then."""
        used = self.inputs.groups.used
        return self._turns(lambda candidate: (candidate != NONE) & (candidate != used) & ~self._offered(candidate))

    def _turns(self, has: Callable[[Index], Bools], *, upgrade: bool = True) -> list[Index]:
        """Return the turns of candidates that groups have; without ``upgrade`` those up to the model used."""
        used = self.inputs.groups.used
        candidate = candidates(self.ladder, used, np.arange(self.ladder.shape[1], dtype=np.int32)[:, None])
        there = has(candidate)
        if not upgrade:
            there[1:] &= ~np.logical_or.accumulate(candidate == used)[:-1]
        at, group = np.nonzero(there)
        found = np.full((int(there.sum(axis=0).max(initial=0)), len(used)), NONE, dtype=np.int32)
        found[np.cumsum(there, axis=0, dtype=np.int32)[at, group] - 1, group] = at
        return list(found)

    def asked(self, rows: Ints, turn: Index) -> Ints:
        """Return those of ``rows`` that have a candidate at a turn."""
        found: Ints = rows[turn[self.inputs.groups.of[rows]] != NONE]
        return found

    def offers(self, rows: Ints, turn: Index) -> Offers:
        """Return the candidates of requests that have one at a turn."""
        groups, requests = self.inputs.groups, self.inputs.requests
        cost = self._cost(rows, turn)
        wanted = self._wanted(rows, cost)
        rows, cost = rows[wanted], cost[wanted]
        group = groups.of[rows]
        candidate = candidates(self.ladder, groups.used, turn)
        p, loss = self.inputs.judge.compared(
            groups.used, candidate, groups.skill, requests.difficulty[rows], group=group
        )
        return Offers(
            rows=rows,
            place=turn[group],
            candidate=candidate[group],
            skill=groups.skill[group],
            last=self.last[groups.used][group],
            cost=cost,
            p=p,
            loss=loss,
            repeat=self.inputs.cold_repeat[rows],
        )

    def wanted(self, rows: Ints, turn: Index) -> Ints:
        """Return those of ``rows`` whose candidate at a turn would be an offer: see ``offers``."""
        found: Ints = rows[self._wanted(rows, self._cost(rows, turn))]
        return found

    def cheaper(self, rows: Ints, turn: Index) -> Ints:
        """Return those of ``rows`` whose candidate at a turn would cost less."""
        found: Ints = rows[self._cost(rows, turn) < self.inputs.requests.cost[rows]]
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
        candidate = candidates(self.ladder, self.inputs.groups.used, place)
        turn = np.where(self._offered(candidate) & self._known(candidate), place, NONE)
        offers = self.offers(self.asked(rows, turn), turn)
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
            return np.ones(candidate.shape, dtype=np.bool_)
        return self.inputs.models.measured_in(candidate, self.inputs.groups.skill)

    def _wanted(self, rows: Ints, cost: Ints) -> Bools:
        """Return whether each candidate has a price, and costs less than the model used, where it must."""
        return np.asarray((cost != NEVER) & ((cost < self.inputs.requests.cost[rows]) | self.policy.allow_upgrade))

    def _cost(self, rows: Ints, turn: Index) -> Ints:
        """Return what each request costs at its group's place, at the same tokens; ``NEVER`` without a price."""
        requests, table, groups = self.inputs.requests, self.inputs.rates, self.inputs.groups
        return same_tokens(requests, rows, table.rates, rates_of=table.rows[groups.key, turn], group=groups.of)


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
