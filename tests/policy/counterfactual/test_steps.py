from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from llm_audit.policy import break_even_escalation
from llm_audit.policy.counterfactual.steps import extra_step_cost, read_steps

STEPS = 28
OPUS_USD, ROUTED_USD, ROUTED_STEPS = 54.73, 55.61, 50
"""TwinRouterBench: all calls on Opus; SR-KNN, which moved 80 % of the calls, with the steps a case each took."""


def routed_trace(extra_steps):
    """A trace of the benchmark's mean: what SR-KNN paid, a step at a time, and what steps add to it."""
    per_step = round(ROUTED_USD / ROUTED_STEPS * 1e12)
    moved = np.arange(STEPS) < round(0.8 * STEPS)
    extra = extra_step_cost(
        read_steps(pl.Series([1] * STEPS), np.ones(STEPS, dtype=bool)),
        moved=moved,
        cost=np.full(STEPS, per_step),
        extra_steps=extra_steps,
    )
    return (per_step * STEPS + int(extra.sum())) / 1e12


def test_the_benchmarks_router_saves_much_without_its_step_inflation_and_nothing_with_it():
    inflation = (ROUTED_STEPS - STEPS) / round(0.8 * STEPS)
    assert routed_trace(0.0) == pytest.approx(OPUS_USD * 0.569, rel=0.01)
    assert routed_trace(inflation) == pytest.approx(ROUTED_USD, rel=1e-9)
    assert routed_trace(inflation) > OPUS_USD


def test_extra_steps_are_laid_on_moved_agent_steps_only():
    steps = read_steps(pl.Series([1, 1, 1, 2, None]), np.array([True, True, False, True, True]))
    extra = extra_step_cost(
        steps,
        moved=np.array([True, False, True, False, True]),
        cost=np.array([100, 300, 1_000, 50, 70]),
        extra_steps=0.5,
    )
    assert dict(zip(steps.row.tolist(), extra.tolist(), strict=True)) == {0: 100, 1: 0, 3: 0, 4: 35}


def test_a_cascade_breaks_even_where_both_payments_reach_the_large_model():
    assert break_even_escalation(20, 5, 100) == 0.75
    assert break_even_escalation(90, 20, 100) == pytest.approx(-0.1)
    assert break_even_escalation(1, 1, 0) is None
