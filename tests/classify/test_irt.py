import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.classify.constants import RESIDUAL_SD
from llm_audit.classify.irt import at_margins, curves_of_pairs, p_loses, p_success, p_suffices

LOGITS = st.floats(-6, 6)


def integral(f):
    """Expectation over the residual by brute force."""
    e = np.linspace(-10, 10, 200_001) * RESIDUAL_SD
    density = np.exp(-0.5 * (e / RESIDUAL_SD) ** 2)
    return float((f(e) * density).sum() / density.sum())


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("ability", "difficulty"), [(0, 0), (1.5, -1), (-2, 1), (3, -3)])
def test_success_is_the_expectation_over_what_the_text_does_not_tell(ability, difficulty):
    expected = integral(lambda e: sigmoid(ability - difficulty - e))
    assert float(p_success(ability, difficulty)) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize(("small", "used", "difficulty"), [(0, 1, 0), (-1, 2, -2), (0.5, 0.5, 1)])
def test_suffices_is_the_expectation_too(small, used, difficulty):
    lost = integral(lambda e: sigmoid(used - difficulty - e) * (1 - sigmoid(small - difficulty - e)))
    assert float(p_suffices(small, used, difficulty)) == pytest.approx(1 - lost, abs=2e-3)


def test_sharing_the_residual_loses_less_than_independence():
    used, small = float(p_success(1, 0)), float(p_success(-0.5, 0))
    assert float(p_loses(-0.5, 1, 0)) < used * (1 - small) - 0.02


@settings(deadline=None)
@given(LOGITS, LOGITS, LOGITS, st.floats(0.01, 3))
def test_suffices_rises_with_the_small_model_and_falls_with_the_one_in_use(small, used, difficulty, more):
    base = float(p_suffices(small, used, difficulty))
    assert float(p_suffices(small + more, used, difficulty)) >= base
    assert float(p_suffices(small, used + more, difficulty)) <= base
    assert 0 <= base <= 1


def test_what_both_get_wrong_is_no_loss_and_unknown_stays_unknown():
    assert float(p_suffices(-5, -4, 8)) > 0.999
    assert np.isnan(p_suffices(np.array([np.nan]), np.array([0.0]), np.array([0.0]))).all()
    assert np.isnan(p_success(0.0, np.nan))


def test_one_tanh_a_model_gives_the_same_bits_as_two() -> None:
    rng = np.random.default_rng(7)
    small, used, difficulty = rng.normal(0, 3, (3, 10_007))
    nodes, masses = np.polynomial.hermite_e.hermegauss(9)
    lost, repeated = np.zeros((2, len(small)))
    for shift, mass in zip(nodes * RESIDUAL_SD, masses / masses.sum(), strict=True):
        succeeds = mass * (0.5 * (1 + np.tanh(0.5 * (used - difficulty - shift))))
        lost += succeeds * (0.5 * (1 + np.tanh(0.5 * (shift - (small - difficulty)))))
        repeated += succeeds * (0.5 * (1 + np.tanh(0.5 * (shift - (used - difficulty)))))
    margins, row = np.concatenate([small - difficulty, used - difficulty])[:, None], np.arange(len(small))
    found = at_margins(margins, row, row + len(small))
    assert np.array_equal(found[0][:, 0], lost)
    assert np.array_equal(found[1][:, 0], repeated)
    assert np.array_equal(p_loses(small, used, difficulty), lost)
    assert np.array_equal(p_loses(used, used, difficulty), repeated)


@pytest.mark.parametrize("pairs", [0, 1, 40])
def test_curves_of_pairs_are_those_of_each_pair_to_the_bit(pairs: int) -> None:
    random = np.random.default_rng(pairs)
    some = np.array([-1.5, -0.0, 0.0, 2.25, np.nan])
    small, used = random.choice(some, pairs), random.choice(some, pairs)
    grid = np.arange(-3.0, 3.0, 1 / 64)
    expected = (p_loses(one[:, None], used[:, None], grid) for one in (small, used))
    for found, alone in zip(curves_of_pairs(small, used, grid), expected, strict=True):
        assert found.shape == (pairs, len(grid))
        assert found.tobytes() == np.broadcast_to(alone, found.shape).tobytes()
