"""64-bit hashes of columns of 64-bit integers, the same on every machine and in every version."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]


def mix(columns: Iterable[Hashes]) -> Hashes:
    """Hash rows of integers with the finaliser of splitmix64 (Steele, Lea and Flood, 2014), column after column."""
    state: Hashes | None = None
    for column in columns:
        held = column.astype(np.uint64)
        if state is not None:
            held ^= state
        held += np.uint64(0x9E3779B97F4A7C15)
        held = (held ^ (held >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        held = (held ^ (held >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = held ^ (held >> np.uint64(31))
    if state is None:
        raise ValueError("there is no column to hash")
    return state
