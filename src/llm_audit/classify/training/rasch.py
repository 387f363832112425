"""Item difficulties and model abilities from a table of outcomes."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
PRIOR_SD: Final = 2.0
_ROUNDS: Final = 40


def fit(outcomes: Array) -> tuple[Array, Array]:
    """Fit ``logit P(model solves item) = ability - difficulty`` by penalised maximum likelihood.

    Args:
        outcomes: Items by models, 0..1; NaN where a model did not answer.

    Returns:
        ``(difficulty, ability)``: mean difficulty zero, normal priors of ``PRIOR_SD`` on both, so that an item that
        everyone solved stays finite.
    """
    seen = ~np.isnan(outcomes)
    right = np.where(seen, outcomes, 0.0)
    difficulty, ability = np.zeros(len(outcomes)), np.zeros(outcomes.shape[1])
    for _ in range(_ROUNDS):
        for axis in (0, 1):
            p = _sigmoid(ability[None, :] - difficulty[:, None])
            gap, information = np.where(seen, right - p, 0.0), np.where(seen, p * (1 - p), 0.0)
            if axis == 0:
                ability += (gap.sum(0) - ability / PRIOR_SD**2) / (information.sum(0) + 1 / PRIOR_SD**2)
            else:
                difficulty -= (gap.sum(1) + difficulty / PRIOR_SD**2) / (information.sum(1) + 1 / PRIOR_SD**2)
        centre = difficulty.mean()
        difficulty -= centre
        ability -= centre
    return difficulty, ability


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
