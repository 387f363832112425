"""The policy's decision on a candidate, computed here alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llm_audit.arrays import Bools, Floats, Index, Ints
from llm_audit.policy.counterfactual.escalation import check_cost, escalation
from llm_audit.policy.file.model import Decision, Policy
from llm_audit.policy.inputs.judge import Judge
from llm_audit.policy.inputs.requests import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRule:
    """A policy's decision; ``threshold`` replaces the policy's own for ``Decision.STRONG_WINS``."""

    policy: Policy
    judge: Judge
    threshold: float | None

    def meets(self, requests: Requests, rows: Ints, *, candidate: Index, last: Index, p: Floats, cost: Ints) -> Bools:
        """Return whether each candidate meets the policy.

        A move to a model that suffices must also pay: its cost at the same tokens, and that of asking the model used
        again where an answer is expected to be lost, stay below what was paid.

        Args:
            requests: All requests.
            rows: Those that the rest is about.
            candidate: A model for each.
            last: The last model of the candidate's ladder.
            p: The candidate's P(suffices).
            cost: Its cost at the same tokens, pico-dollars.
        """
        policy, category, difficulty = self.policy, requests.category[rows], requests.difficulty[rows]
        match policy.decision:
            case Decision.ALWAYS:
                return np.ones(len(rows), dtype=bool)
            case Decision.NEVER:
                return np.zeros(len(rows), dtype=bool)
            case Decision.P_SUFFICES:
                success = self.judge.success(candidate, category, difficulty) if policy.cascade else p
                return self._suffices(success, p, cost=cost, used_cost=requests.cost[rows])
            case Decision.STRONG_WINS:
                score = 1 - self.judge.suffices(last, candidate, category, difficulty)
                return np.asarray((score < _given(self.threshold)) | (candidate == last))
            case Decision.QUALITY_DIFFERENCE:
                small = self.judge.success(candidate, category, difficulty)
                large = self.judge.success(last, category, difficulty)
                return np.asarray((large - small <= _given(policy.quality_difference)) | (candidate == last))

    def _suffices(self, success: Floats, p: Floats, *, cost: Ints, used_cost: Ints) -> Bools:
        least, cascade = _given(self.policy.target), self.policy.cascade
        share = self.policy.assumptions.escalation.expected
        repeats = escalation(success, p, cascade=cascade, share=share)
        check = 0 if cascade is None else check_cost(cascade)
        return np.asarray((repeats.p_suffices >= least) & (cost + check + repeats.rate * used_cost < used_cost))


def strong_wins(requests: Requests, *, weak: Index, strong: Index, judge: Judge) -> Floats:
    """RouteLLM's score: P(the strong model succeeds and the weak one does not)."""
    return 1 - judge.suffices(strong, weak, requests.category, requests.difficulty)


def _given(value: float | None) -> float:
    """Return a number that the policy's validation guarantees."""
    assert value is not None
    return value
