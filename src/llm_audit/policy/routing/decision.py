"""The policy's decision on a candidate, computed here alone."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from llm_audit.arrays import Bools, Floats, Index, Ints
from llm_audit.money import PICO_PER_USD
from llm_audit.policy.counterfactual.escalation import check_cost, escalation_rate, missed
from llm_audit.policy.file.model import ANSWERS, Decision, Policy
from llm_audit.policy.inputs.judge import Judge
from llm_audit.policy.inputs.requests import Requests
from llm_audit.policy.routing.stakes import within_limits


class Offers(msgspec.Struct, kw_only=True, frozen=True):
    """One candidate for each of some requests that could take it: on offer, at a price, and cheaper than the one used.

    Attributes:
        rows: The requests.
        place: Places of the candidates in the requests' ladders.
        candidate: The candidates.
        skill: What the requests ask of a model.
        last: The last model of each ladder.
        cost: At the same tokens, in pico-dollars.
        p: P(suffices).
        loss: Lost answers beyond a second run of the model used.
        repeat: What a repeat on the model used costs when its cache is cold, pico-dollars.
    """

    rows: Ints
    place: Index
    candidate: Index
    skill: Index
    last: Index
    cost: Ints
    p: Floats
    loss: Floats
    repeat: Ints


class DecisionRule(msgspec.Struct, kw_only=True, frozen=True):
    """A policy's decision; ``threshold`` replaces the policy's own for ``Decision.STRONG_WINS``."""

    policy: Policy
    judge: Judge
    threshold: float | None

    @property
    def tolerance(self) -> float:
        """The number by which policies that differ in nothing else are in order of what they allow."""
        policy = self.policy
        match policy.decision:
            case Decision.QUALITY_LOSS:
                return sum(policy.max_quality_loss.values())
            case Decision.P_SUFFICES:
                return -_given(policy.target)
            case Decision.STRONG_WINS:
                return _given(self.threshold)
            case Decision.QUALITY_DIFFERENCE:
                return _given(policy.quality_difference)
            case _:
                return 0.0

    def measure(self, requests: Requests, offers: Offers) -> Floats:
        """Return what the decision compares with its number."""
        skill, difficulty = offers.skill, requests.difficulty[offers.rows]
        match self.policy.decision:
            case Decision.QUALITY_LOSS:
                return missed(offers.loss, self.policy.cascade)
            case Decision.P_SUFFICES:
                return 1 - missed(1 - offers.p, self.policy.cascade)
            case Decision.STRONG_WINS:
                return 1 - self.judge.suffices(offers.last, offers.candidate, skill, difficulty)
            case Decision.QUALITY_DIFFERENCE:
                small = self.judge.success(offers.candidate, skill, difficulty)
                return self.judge.success(offers.last, skill, difficulty) - small
            case _:
                return np.zeros(len(offers.rows))

    def within(self, measure: Floats, requests: Requests, offers: Offers) -> Bools:
        """Return whether what the decision compares is within its number."""
        policy = self.policy
        match policy.decision:
            case Decision.ALWAYS:
                return np.ones(len(measure), dtype=bool)
            case Decision.NEVER:
                return np.zeros(len(measure), dtype=bool)
            case Decision.QUALITY_LOSS:
                return np.asarray(measure <= (policy.quality_limits() / ANSWERS)[requests.category[offers.rows]])
            case Decision.P_SUFFICES:
                return np.asarray(measure >= _given(policy.target))
            case Decision.STRONG_WINS:
                return np.asarray((measure < _given(self.threshold)) | (offers.candidate == offers.last))
            case Decision.QUALITY_DIFFERENCE:
                return np.asarray((measure <= _given(policy.quality_difference)) | (offers.candidate == offers.last))

    def worth(self, requests: Requests, offers: Offers) -> Bools:
        """Return whether each offer meets what a decision asks beside its number: a move by quality must also pay.

        The candidate's cost at the same tokens, its check, the repeats of lost answers on the model used with a cold
        cache, and what lost answers cost by the policy stay below what was paid.
        """
        if self.policy.decision not in {Decision.QUALITY_LOSS, Decision.P_SUFFICES}:
            return np.ones(len(offers.rows), dtype=bool)
        pays = self.pays(requests, offers)
        if self.policy.decision is Decision.P_SUFFICES:
            return pays
        difficulty = requests.difficulty[offers.rows]
        able = self.judge.success(offers.candidate, offers.skill, difficulty) >= self.policy.min_success
        return np.asarray(able & pays)

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


def meets_each(requests: Requests, offers: Offers, rules: Sequence[DecisionRule]) -> list[Bools]:
    """Return whether each offer meets each of some rules, which differ in their numbers only."""
    rule = rules[0]
    measure, worth = rule.measure(requests, offers), rule.worth(requests, offers)
    met = [each.within(measure, requests, offers) & worth for each in rules]
    if not rule.policy.stakes:
        return met
    at = np.flatnonzero(np.logical_or.reduce(met))
    rows = offers.rows[at]
    allowed = within_limits(
        rule.policy.stakes,
        requests.stakes[rows],
        candidate=offers.candidate[at],
        lost=missed(offers.loss[at], rule.policy.cascade),
        skill=offers.skill[at],
        difficulty=requests.difficulty[rows],
        judge=rule.judge,
    )
    for found in met:
        found[at] &= allowed
    return met


def strong_wins(requests: Requests, *, weak: Index, strong: Index, judge: Judge) -> Floats:
    """RouteLLM's score: P(the strong model succeeds and the weak one does not)."""
    return 1 - judge.suffices(strong, weak, requests.skill, requests.difficulty)


def _given(value: float | None) -> float:
    """Return a number that the policy's validation guarantees."""
    assert value is not None
    return value
