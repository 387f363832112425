"""The number at a place in the order of many that are in several parts, exactly, from counts that merge by addition.

Numbers are counted by the first sixteen bits of their place among all floats; those of the group in which the one
looked for lies by the next sixteen bits, and so on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from llm_audit.arrays import Floats

_BITS = 16
LEVELS = 4
_SIGN = np.uint64(1 << 63)

Digits = dict[int, int]
"""Numbers by the bits at a level."""


def digits(numbers: Floats, prefix: int, level: int) -> Digits:
    """Count numbers by their bits at a level, those whose bits before it are ``prefix``."""
    ranks = _ranks(numbers)
    if level:
        ranks = ranks[ranks >> np.uint64(64 - _BITS * level) == np.uint64(prefix)]
    found, counts = np.unique(ranks >> np.uint64(64 - _BITS * (level + 1)), return_counts=True)
    return dict(zip((found % np.uint64(1 << _BITS)).tolist(), counts.tolist(), strict=True))


def add_digits(parts: Iterable[Digits]) -> Digits:
    """Return the counts of several parts."""
    total: Digits = {}
    for part in parts:
        for digit, count in part.items():
            total[digit] = total.get(digit, 0) + count
    return total


def quantile_of(count: Callable[[int, int], Digits], share: float) -> float | None:
    """Return the least number with at least a share of the others below it; None where there are none.

    It is that of NumPy's method ``higher``.

    Args:
        count: Returns ``digits`` of all numbers for a prefix and a level.
        share: The share.
    """
    prefix, place = 0, -1
    for level in range(LEVELS):
        counts = count(prefix, level)
        if not counts:
            return None
        if level == 0:
            place = math.ceil((sum(counts.values()) - 1) * share)
        for digit in sorted(counts):
            if place < counts[digit]:
                prefix = prefix << _BITS | digit
                break
            place -= counts[digit]
    rank = np.uint64(prefix)
    return float((rank ^ _SIGN if rank & _SIGN else ~rank).view(np.float64))


def _ranks(numbers: Floats) -> npt.NDArray[np.uint64]:
    """Return a whole number for each finite float, in their order; zero has one place."""
    bits = (numbers + 0.0).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits ^ _SIGN)
