"""Array types that pricing, policies and audits share, and exact sums over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Difficulties = npt.NDArray[np.floating[Any]]
"""Difficulties: 32 bits at rest, as in the ledger."""
Ints = npt.NDArray[np.signedinteger[Any]]
"""Whole numbers: 64 bits, or fewer at rest where they fit."""
Index = npt.NDArray[np.int32]
Codes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Flags = npt.NDArray[np.int8]

_EXACT_FLOAT = 2**53
_HALF_BITS = 32
_EXACT_HALVES = _EXACT_FLOAT >> _HALF_BITS
"""Fewer amounts of 32 bits than this have an exact sum in floating point; so have the upper halves of as many."""
_SAFE_INT = 2**62


def grouped_sum(group: Ints | Index, amounts: Ints, count: int) -> Ints:
    """Return the exact sum of whole amounts in each of ``count`` groups."""
    if float(np.abs(amounts).sum(dtype=np.float64)) < _EXACT_FLOAT / 2:
        return np.bincount(group, weights=amounts, minlength=count).astype(np.int64)
    if len(amounts) < _EXACT_HALVES:
        halves = amounts >> _HALF_BITS, amounts & ((1 << _HALF_BITS) - 1)
        high, low = (np.bincount(group, weights=half, minlength=count).astype(np.int64) for half in halves)
        return (high << _HALF_BITS) + low
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, group, amounts)
    return total


def exact_total(amounts: Ints) -> int:
    """Return the exact sum of whole amounts, also where it does not fit 64 bits."""
    if len(amounts) and max(int(amounts.max()), -int(amounts.min())) > _SAFE_INT // len(amounts):
        return sum(int(amount) for amount in amounts)
    return int(amounts.sum())
