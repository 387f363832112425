"""Intervals: bootstrap percentiles and the exact binomial bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

SEED: Final = 20_240_624
_HALVINGS: Final = 60


class Interval(msgspec.Struct, frozen=True):
    """A figure with its interval."""

    value: float
    low: float
    high: float


def bootstrap(
    measure: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]], rows: int, *, resamples: int, confidence: float
) -> list[Interval]:
    """Percentile intervals of measures of rows, resampled with replacement under a fixed seed.

    Args:
        measure: Gives the measures for row indices; a resample where one is NaN is left out for it.
        rows: How many rows there are.
        resamples: How many samples to draw.
        confidence: Coverage of the interval.
    """
    values = measure(np.arange(rows))
    random = np.random.default_rng(SEED)
    drawn = np.array([measure(random.integers(0, rows, rows)) for _ in range(resamples)]).reshape(resamples, -1)
    edges = ((1 - confidence) / 2, (1 + confidence) / 2)
    out = []
    for value, column in zip(values, drawn.T, strict=True):
        finite = column[~np.isnan(column)]
        low, high = np.quantile(finite, edges) if len(finite) else (np.nan, np.nan)
        out.append(Interval(float(value), float(low), float(high)))
    return out


def binomial_upper(events: int, trials: int, *, confidence: float) -> float:
    """The one-sided upper bound of a rate (Clopper and Pearson, 1934).

    The rate at which seeing as few as ``events`` in ``trials`` has probability ``1 - confidence``.
    """
    if events >= trials:
        return 1.0
    low, high = events / trials, 1.0
    ways = [math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) for k in range(events + 1)]
    for _ in range(_HALVINGS):
        rate = (low + high) / 2
        logs = [way + k * math.log(rate) + (trials - k) * math.log1p(-rate) for k, way in enumerate(ways)]
        if math.fsum(math.exp(value) for value in logs) > 1 - confidence:
            low = rate
        else:
            high = rate
    return high
