"""The policy's decision on a candidate, computed here alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llm_audit.arrays import Bools, Floats, Index, Ints
from llm_audit.money import PICO_PER_USD
from llm_audit.policy.counterfactual.escalation import check_cost, escalation_rate, missed
from llm_audit.policy.file.model import ANSWERS, Decision, Policy
from llm_audit.policy.inputs.judge import Judge
from llm_audit.policy.inputs.requests import Requests
from llm_audit.policy.routing.stakes import within_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """One candidate for each of some requests that could take it: on offer, at a price, and cheaper than the one used.

    Attributes:
        rows: The requests.
        candidate: Their candidates.
        skill: What the requests ask of a model.
        last: The last model of each ladder.
        cost: At the same tokens, in pico-dollars.
        p: P(suffices).
        loss: Lost answers beyond a second run of the model used.
        repeat: What a repeat on the model used costs when its cache is cold, pico-dollars.
    """

    rows: Ints
    candidate: Index
    skill: Index
    last: Index
    cost: Ints
    p: Floats
    loss: Floats
    repeat: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRule:
    """A policy's decision; ``threshold`` replaces the policy's own for ``Decision.STRONG_WINS``."""

    policy: Policy
    judge: Judge
    threshold: float | None

    def meets(self, requests: Requests, offers: Offers) -> Bools:
        """Return whether each offer meets the policy, and its limits where something is at stake."""
        met = self._meets(requests, offers)
        if not self.policy.stakes:
            return met
        at = np.flatnonzero(met)
        rows = offers.rows[at]
        met[at] = within_limits(
            self.policy.stakes,
            requests.stakes[rows],
            candidate=offers.candidate[at],
            lost=missed(offers.loss[at], self.policy.cascade),
            skill=offers.skill[at],
            difficulty=requests.difficulty[rows],
            judge=self.judge,
        )
        return met

    def _meets(self, requests: Requests, offers: Offers) -> Bools:
        """Return whether each offer meets the decision.

        A move by quality must also pay: the candidate's cost at the same tokens, its check, the repeats of lost answers
        on the model used with a cold cache, and what lost answers cost by the policy stay below what was paid.
        """
        policy, rows, candidate, last = self.policy, offers.rows, offers.candidate, offers.last
        skill, difficulty = offers.skill, requests.difficulty[rows]
        match policy.decision:
            case Decision.ALWAYS:
                return np.ones(len(rows), dtype=bool)
            case Decision.NEVER:
                return np.zeros(len(rows), dtype=bool)
            case Decision.QUALITY_LOSS:
                limit = policy.quality_limits()[requests.category[rows]] / ANSWERS
                within = missed(offers.loss, policy.cascade) <= limit
                able = self.judge.success(candidate, skill, difficulty) >= policy.min_success
                return np.asarray(within & able & self.pays(requests, offers))
            case Decision.P_SUFFICES:
                suffices = 1 - missed(1 - offers.p, policy.cascade) >= _given(policy.target)
                return np.asarray(suffices & self.pays(requests, offers))
            case Decision.STRONG_WINS:
                score = 1 - self.judge.suffices(last, candidate, skill, difficulty)
                return np.asarray((score < _given(self.threshold)) | (candidate == last))
            case Decision.QUALITY_DIFFERENCE:
                small = self.judge.success(candidate, skill, difficulty)
                large = self.judge.success(last, skill, difficulty)
                return np.asarray((large - small <= _given(policy.quality_difference)) | (candidate == last))

    def pays(self, requests: Requests, offers: Offers) -> Bools:
        """Return whether each offer costs less than was paid, with its check, its repeats and its lost answers."""
        policy, rows = self.policy, offers.rows
        success = offers.p
        if policy.cascade is not None:
            success = self.judge.success(offers.candidate, offers.skill, requests.difficulty[rows])
        rate = escalation_rate(
            success, 1 - offers.p, cascade=policy.cascade, share=policy.assumptions.escalation.expected
        )
        lost = np.maximum(missed(offers.loss, policy.cascade), 0.0)
        check = 0 if policy.cascade is None else check_cost(policy.cascade)
        price = policy.lost_answer_usd * PICO_PER_USD
        return np.asarray(offers.cost + check + rate * offers.repeat + lost * price < requests.cost[rows])


def strong_wins(requests: Requests, *, weak: Index, strong: Index, judge: Judge) -> Floats:
    """RouteLLM's score: P(the strong model succeeds and the weak one does not)."""
    return 1 - judge.suffices(strong, weak, requests.skill, requests.difficulty)


def _given(value: float | None) -> float:
    """Return a number that the policy's validation guarantees."""
    assert value is not None
    return value
