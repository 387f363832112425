import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.classify.learning.evaluate import Labels, baselines, curve, evaluate, routing
from llm_audit.classify.learning.statistics import binomial_upper, bootstrap
from llm_audit.classify.model import Judgement
from llm_audit.errors import UsageError
from llm_audit.vocabulary import Category


def labels(strong, weak):
    return Labels(
        prompts=["x" * (i + 1) for i in range(len(strong))], strong=np.array(strong, float), weak=np.array(weak, float)
    )


def judged(rows, category=Category.MATH):
    code = list(Category).index(category)
    none = np.zeros(rows, np.uint8)
    return Judgement(np.zeros(rows, np.float32), np.full(rows, code, np.uint8), none, none, [None] * rows)


def test_a_perfect_ranking_of_a_hundred_prompts():
    """Ten prompts gain: with deciles, quality rises in the first tenth and is flat after: area 0.05 + 0.9."""
    strong, weak = np.ones(100), np.ones(100)
    weak[:10] = 0
    need = np.linspace(1, 0, 100)
    found = routing(need, strong, weak)
    assert found.apgr == pytest.approx(0.95, abs=0.01)
    assert found.cpt50 == pytest.approx(0.05, abs=0.006)
    assert found.cpt80 == pytest.approx(0.08, abs=0.01)


def test_the_reverse_ranking_mirrors_it():
    strong, weak = np.ones(100), np.ones(100)
    weak[:10] = 0
    assert routing(np.linspace(0, 1, 100), strong, weak).apgr == pytest.approx(0.05, abs=0.01)


def test_a_constant_score_is_all_or_nothing_and_so_random():
    strong, weak = np.ones(40), np.tile([0.0, 1.0], 20)
    assert routing(np.full(40, 0.3), strong, weak).apgr == pytest.approx(0.5)


def test_the_curve_ends_at_the_two_models():
    shares, quality = curve(np.arange(50.0), np.ones(50), np.tile([0.0, 1.0], 25))
    assert (shares[0], shares[-1]) == (0, 1)
    assert (quality[0], quality[-1]) == (0.5, 1)
    assert np.all(np.diff(shares) > 0)


def test_the_oracle_takes_what_gains_first_and_what_loses_last():
    """One gains, one loses, two are level: recovered 0, 1, 1, 1 … then falls by a half: gap is 1 of 4 net of a loss."""
    found = baselines(labels([1, 0, 1, 1], [0, 0.5, 1, 1]))["oracle"]
    recovered = np.array([0, 1, 1, 1, 0.5]) / 0.5
    assert found.apgr == pytest.approx(((recovered[1:] + recovered[:-1]) / 2 / 4).sum())


def test_length_is_a_baseline_and_random_is_the_diagonal():
    found = baselines(labels([1] * 20, [1] * 10 + [0] * 10))
    assert found["length"].apgr > 0.7
    assert (found["random"].apgr, found["random"].cpt50, found["random"].cpt80) == (0.5, 0.5, 0.8)


def test_an_evaluation_of_a_prediction_that_is_right():
    rng = np.random.default_rng(3)
    p = rng.uniform(0.3, 1, 4000)
    weak = (rng.uniform(size=4000) < p).astype(float)
    found = evaluate(labels(np.ones(4000), weak), judged(4000), p, resamples=100)
    assert found.calibration_error < 0.03
    assert found.brier == pytest.approx(float(np.mean(p * (1 - p))), abs=0.01)
    assert found.apgr.low < found.apgr.value < found.apgr.high
    assert found.apgr.low > 0.6
    assert found.cost_saving_50 > 1
    assert sum(b.prompts for b in found.reliability) == 4000
    [only] = found.by_category
    assert (only.category, only.prompts) == ("math", 4000)
    top = found.down_routes[-1]
    assert top.routed == (p >= 0.95).sum()
    assert top.lost == round((1 - weak)[p >= 0.95].sum())
    assert top.rate < top.rate_upper < 0.1


def test_the_cost_saving_is_over_a_random_router_that_reaches_the_same_quality():
    """Ten prompts in the right order, five of which gain: CPT50 is 2.5 calls of 10, where random needs 5."""
    weak = np.array([0.0] * 5 + [1.0] * 5)
    suffices = np.linspace(0.1, 0.9, 10)
    found = evaluate(labels(np.ones(10), weak), judged(10), suffices, price_ratio=0.0, resamples=10)
    assert found.cpt50.value == pytest.approx(0.25)
    assert found.cost_saving_50 == pytest.approx(0.5 / 0.25)
    # At $24.7 and $0.24: 0.5 x 24.7 + 0.5 x 0.24 = 12.47 against 0.25 x 24.7 + 0.75 x 0.24 = 6.355.
    priced = evaluate(labels(np.ones(10), weak), judged(10), suffices, resamples=10)
    assert priced.cost_saving_50 == pytest.approx(12.47 / 6.355)


def test_abstained_prompts_go_to_the_strong_model_first():
    suffices = np.array([np.nan, 0.9, 0.8, 0.7] * 5)
    found = evaluate(labels([1.0] * 20, [0.0, 1, 1, 1] * 5), judged(20), suffices, resamples=10)
    assert found.abstained == 5
    assert found.apgr.value > 0.8


def test_the_same_labels_give_the_same_interval():
    suffices = np.linspace(0, 1, 60)
    pair = labels([1.0] * 60, [0.0, 1, 1] * 20)
    assert evaluate(pair, judged(60), suffices, resamples=50) == evaluate(pair, judged(60), suffices, resamples=50)


@pytest.mark.parametrize(
    ("strong", "weak", "said"),
    [
        ([], [], "no prompt"),
        ([1, 2], [0, 0], "strong_score"),
        ([1, 1], [0, math.nan], "weak_score"),
        ([0, 1], [1, 0], "no gap"),
    ],
)
def test_labels_that_cannot_be_used(strong, weak, said):
    with pytest.raises(UsageError, match=said):
        labels(strong, weak)


def test_the_exact_binomial_bound():
    """No event in n trials: 1 - 0.05^(1/n). One in ten at 95 %: 0.3942 (tables of Clopper and Pearson)."""
    assert binomial_upper(0, 30, confidence=0.95) == pytest.approx(1 - 0.05 ** (1 / 30))
    assert binomial_upper(1, 10, confidence=0.95) == pytest.approx(0.3942, abs=1e-4)
    assert binomial_upper(5, 5, confidence=0.95) == 1.0


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(1, 60))
def test_the_bound_is_above_the_rate(events, more):
    trials = events + more
    assert events / trials < binomial_upper(events, trials, confidence=0.9) <= 1


def test_the_bootstrap_interval_of_a_mean():
    values = np.random.default_rng(1).normal(5, 2, 400)
    [found] = bootstrap(lambda rows: np.array([values[rows].mean()]), 400, resamples=500, confidence=0.95)
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)
