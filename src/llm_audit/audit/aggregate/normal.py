"""Standard normal errors, each from the hash of its name and the number of a replicate: the same in any run."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from xxhash import xxh3_64_intdigest

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.interval import Words, splitmix


def name_words(names: Iterable[str]) -> Words:
    """64 bits for each name."""
    return np.array([xxh3_64_intdigest(name.encode()) for name in names], dtype=np.uint64)


def uniforms(words: Words, replicates: range) -> Floats:
    """Return a number from 0 to 1, exclusive, for each replicate and word: replicates x words."""
    salts = 2 * np.array(replicates, dtype=np.uint64)[:, None]
    bits = splitmix(words ^ splitmix(salts)) >> np.uint64(11)
    return np.asarray((bits.astype(np.float64) + 0.5) * 2.0**-53)


def normals(words: Words, replicates: range) -> Floats:
    """Return a standard normal for each replicate and word, by Box and Muller's transform: replicates x words."""
    salts = 2 * np.array(replicates, dtype=np.uint64)[:, None]
    distinct, where = np.unique(words, return_inverse=True)  # many words recur
    first = splitmix(distinct ^ splitmix(salts))
    second = splitmix(distinct ^ splitmix(salts + np.uint64(1)))
    radius = np.sqrt(-2 * np.log(((first >> np.uint64(11)).astype(np.float64) + 1) * 2.0**-53))
    angle = 2 * np.pi * (second >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.asarray((radius * np.cos(angle))[:, where])
