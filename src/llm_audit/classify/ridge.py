"""Ridge regression on hashed features, without building the matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from llm_audit.classify.features import BUCKETS, COUNTS, buckets_numpy, pack
from llm_audit.classify.structure import structure

Array = npt.NDArray[np.float64]
Column = tuple[Array, Array, float]
"""Sparse weights by bucket, dense weights for the raw structural features, and the constant."""


@dataclass(frozen=True, slots=True)
class Design:
    """Features of texts: sparse ``1 / sqrt(features)`` for each distinct bucket, and dense standardised structure."""

    owner: npt.NDArray[np.int64]
    bucket: npt.NDArray[np.int64]
    value: Array
    raw: Array
    dense: Array
    centre: Array
    spread: Array

    @classmethod
    def of(cls, texts: list[str]) -> Self:
        """Extract the features of texts."""
        owner, bucket, counts = buckets_numpy(*pack(texts))
        norm = np.sqrt(np.maximum(counts[:, COUNTS.index("features")], 1))
        raw = structure(counts)
        centre, spread = raw.mean(0), np.maximum(raw.std(0), 1e-6)
        return cls(owner, bucket, (1 / norm)[owner], raw, (raw - centre) / spread, centre, spread)

    def predict(self, column: Column) -> Array:
        """What a fitted column says of each text."""
        return self.times(column[0], column[1] * self.spread) + column[2] + float((column[1] * self.centre).sum())

    def times(self, sparse: Array, dense: Array) -> Array:
        """The product of the features with a vector of weights."""
        hit = np.bincount(self.owner, sparse[self.bucket] * self.value, minlength=len(self.dense))
        both: Array = hit + (self.dense * dense).sum(1)
        return both

    def transposed(self, rows: Array) -> tuple[Array, Array]:
        """The product of a vector over texts with the features."""
        sparse: Array = np.bincount(self.bucket, rows[self.owner] * self.value, minlength=BUCKETS).astype(np.float64)
        return sparse, (self.dense * rows[:, None]).sum(0)


def fit(
    design: Design,
    target: Array,
    *,
    weight: Array,
    penalty: float,
    dense_penalty: float,
    centred: bool = True,
    rounds: int = 60,
) -> Column:
    """Minimise ``sum weight (target - features @ w - c)^2 + penalty |w|^2`` by conjugate gradients.

    Args:
        design: Features of the texts.
        target: What to predict.
        weight: Weight of each text.
        penalty: On the hashed weights.
        dense_penalty: On the weights of the standardised structure; infinite leaves them at zero.
        centred: Fit around the weighted mean, which becomes the constant.
        rounds: Most steps of the conjugate gradients.

    Returns:
        The column of weights.
    """
    mean = float((weight * target).sum() / weight.sum()) if centred else 0.0

    def normal(sparse: Array, dense: Array) -> tuple[Array, Array]:
        left, right = design.transposed(weight * design.times(sparse, dense))
        return left + penalty * sparse, right + dense_penalty * dense

    dense_penalty = min(dense_penalty, 1e12)
    sparse, dense = _conjugate_gradients(normal, design.transposed(weight * (target - mean)), rounds)
    raw = dense / design.spread
    return sparse, raw, mean - float((raw * design.centre).sum())


def _conjugate_gradients(
    normal: Callable[[Array, Array], tuple[Array, Array]], right: tuple[Array, Array], rounds: int
) -> tuple[Array, Array]:
    x = [np.zeros_like(part) for part in right]
    residual = [part.copy() for part in right]
    step = [part.copy() for part in right]
    size = sum(float((part * part).sum()) for part in residual)
    start = size
    for _ in range(rounds):
        image = normal(step[0], step[1])
        length = size / sum(float((s * i).sum()) for s, i in zip(step, image, strict=True))
        for k in range(2):
            x[k] += length * step[k]
            residual[k] -= length * image[k]
        before, size = size, sum(float((part * part).sum()) for part in residual)
        if size < 1e-12 * start:
            break
        for k in range(2):
            step[k] = residual[k] + size / before * step[k]
    return x[0], x[1]
