"""The number at a place in the order of many that are sorted in several files, exactly and in little memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from llm_audit.arrays import Floats


def quantile_of(files: Sequence[Path], share: float) -> float | None:
    """Return the least number with at least a share of the others below it; None where there are none.

    It is that of NumPy's method ``higher``.
    """
    held: list[Floats] = [np.load(file, mmap_mode="r") for file in files]
    count = sum(len(numbers) for numbers in held)
    if not count:
        return None
    place = math.ceil((count - 1) * share)
    low, high = (
        _rank(min(numbers[0] for numbers in held if len(numbers))),
        _rank(max(numbers[-1] for numbers in held if len(numbers))),
    )
    while low < high:
        middle = (low + high) // 2
        number = _number(middle)
        if sum(int(np.searchsorted(numbers, number, side="right")) for numbers in held) > place:
            high = middle
        else:
            low = middle + 1
    return _number(low)


def _rank(number: float) -> int:
    """Return a whole number for each finite float, in their order."""
    bits = int(np.float64(number).view(np.int64))
    return bits if bits >= 0 else -(bits & (2**63 - 1))


def _number(rank: int) -> float:
    bits = rank if rank >= 0 else (-rank) | -(2**63)
    return float(np.int64(bits).view(np.float64))
