"""The item-response model: what ability and difficulty say about success.

``P(success) = E[sigmoid(ability - difficulty - e)]`` with ``e ~ Normal(0, RESIDUAL_SD)``: what the text does not tell
about an item's difficulty. Given ``e`` two models succeed independently (local independence); because they share
``e``, their outcomes on one prompt are correlated, as they are in per-prompt results: treating them as independent
overstates how often the small model alone fails. The discrimination is one: it is the unit of both scales, logits.
A Rasch model has one discrimination for all items by definition (G. Rasch, 1960).

The zero of the scale is the reference model of ``abilities.csv``: a prompt of difficulty 0 is one it solves half the
time.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify.constants import RESIDUAL_SD

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.signedinteger[Any]]

_GRID: Final = (-12.0, 12.0, 2401)  # difficulties from end to end, and how many
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_SHIFTS: Final[list[float]] = [float(node) * RESIDUAL_SD for node in _NODES]
_MASSES: Final[list[float]] = [float(weight) / float(_WEIGHTS.sum()) for weight in _WEIGHTS]


def p_success(ability: npt.ArrayLike, difficulty: npt.ArrayLike) -> Array:
    """Probability that a model of ``ability`` succeeds on a prompt of ``difficulty``.

    Args:
        ability: Abilities in the prompt's category, in logits; any shape. NaN is unknown.
        difficulty: Difficulties of the same shape, in logits. NaN is unknown.

    Returns:
        Probabilities; NaN where either is unknown.
    """
    margin = np.subtract(ability, difficulty, dtype=np.float64)
    total = np.zeros_like(margin)
    for shift, mass in zip(_SHIFTS, _MASSES, strict=True):
        total += mass * _sigmoid(margin - shift)
    return total


def p_loses(ability_small: npt.ArrayLike, ability_used: npt.ArrayLike, difficulty: npt.ArrayLike) -> Array:
    """Probability that the model in use succeeds where the small one fails."""
    small = np.subtract(ability_small, difficulty, dtype=np.float64)
    used = np.subtract(ability_used, difficulty, dtype=np.float64)
    lost = np.zeros(np.broadcast(small, used).shape)
    for shift, mass in zip(_SHIFTS, _MASSES, strict=True):
        # 1 - sigmoid(x) is sigmoid(-x) to the bit in this form, since tanh is odd.
        succeeds = mass * (0.5 * (1.0 + np.tanh(0.5 * (used - shift))))
        lost += succeeds * (0.5 * (1.0 - np.tanh(0.5 * (small - shift))))
    return lost


def curves_of_pairs(ability_small: Array, ability_used: Array, difficulties: Array) -> tuple[Array, Array]:
    """Return what ``at_margins`` does of each pair of abilities at all difficulties, a row a pair.

    What pairs share, such as one model in use against many small ones, is computed once; the figures are the same.
    """
    abilities, of = np.unique(np.concatenate([ability_small, ability_used]), return_inverse=True)
    return at_margins(abilities[:, None] - difficulties, *np.split(of, 2))


def at_margins(margins: Array, of_small: Index, of_used: Index) -> tuple[Array, Array]:
    """Return P(the model in use succeeds and the small one fails), and P(it succeeds and fails when run again).

    The figures are those of ``p_loses``; what pairs share is computed once.

    Args:
        margins: A row for each that differs.
        of_small: The row of each pair's small model.
        of_used: The row of each pair's model in use.
    """
    lost, failed, won = (np.zeros((len(of_small), margins.shape[1])) for _ in range(3))
    repeated = np.zeros(margins.shape)
    succeeds, fails = np.empty(margins.shape), np.empty(margins.shape)
    for shift, mass in zip(_SHIFTS, _MASSES, strict=True):
        # Arrays that are taken from the system anew each time cost more than the products.
        np.subtract(margins, shift, out=fails)
        fails *= 0.5
        turned = np.tanh(fails, out=fails)
        np.add(turned, 1.0, out=succeeds)
        succeeds *= 0.5
        succeeds *= mass
        np.subtract(1.0, turned, out=fails)
        fails *= 0.5
        np.take(succeeds, of_used, axis=0, out=won, mode="clip")
        np.take(fails, of_small, axis=0, out=failed, mode="clip")
        won *= failed
        lost += won
        succeeds *= fails
        repeated += succeeds
    return lost, repeated[of_used]


def hardest_gap(ability_small: float, ability_used: float) -> float:
    """The difficulty at which the abler model gains most over the other; both fail at what is harder."""
    grid = np.linspace(*_GRID)
    gained = p_success(np.full(len(grid), ability_used), grid) - p_success(np.full(len(grid), ability_small), grid)
    return float(grid[np.argmax(np.abs(gained))])


def p_suffices(ability_small: npt.ArrayLike, ability_used: npt.ArrayLike, difficulty: npt.ArrayLike) -> Array:
    """Probability that the small model would not lose a success that the model in use had.

    ``1 - P(used succeeds and small fails)``: a prompt that both get wrong is no reason to pay more. It rises with the
    small model's ability and falls with that of the model in use. A model compared with itself does not reach one,
    since two runs differ too.

    Args:
        ability_small: Abilities of the candidate, in logits, any shape. NaN is unknown.
        ability_used: Abilities of the model in use, same shape.
        difficulty: Difficulties, same shape.

    Returns:
        Probabilities; NaN where an argument is.
    """
    return 1.0 - p_loses(ability_small, ability_used, difficulty)


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
