"""Hash rows of 64-bit integers to 64 bits, the same on every machine and in every version."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]


def hash_rows(columns: Iterable[Hashes]) -> Hashes:
    """Return a hash of each row, with the finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    state: Hashes | None = None
    for column in columns:
        mixed = column.astype(np.uint64)
        if state is not None:
            mixed ^= state
        mixed += np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = mixed ^ (mixed >> np.uint64(31))
    if state is None:
        raise ValueError("there is no column to hash")
    return state
