"""Ridge regression on hashed features, without building the matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

from llm_audit.classify.characters import COUNTS
from llm_audit.classify.features import pack
from llm_audit.classify.hashing import BUCKETS, buckets_numpy
from llm_audit.classify.text.structure import structure

Array = npt.NDArray[np.float64]
Column = tuple[Array, Array, float]
"""Sparse weights by bucket, dense weights for the raw structural features, and the constant."""
_BLOCK: Final = 200_000
_LARGEST: Final = 1e12  # stands for an infinite penalty


class Design(msgspec.Struct, frozen=True):
    """Features of texts: sparse ``1 / sqrt(features)`` for each distinct bucket, and dense standardised structure.

    Where training gives ``vectors`` by bucket, ``meaning`` is their sum over a text's buckets, scaled alike.
    """

    owner: npt.NDArray[np.int64]
    bucket: npt.NDArray[np.int64]
    value: Array
    raw: Array
    dense: Array
    centre: Array
    spread: Array
    vectors: Array
    meaning: Array

    @classmethod
    def of(cls, texts: list[str], vectors: Array | None = None) -> Self:
        """Extract the features of texts; ``vectors`` has a row for each of the first buckets."""
        owner, bucket, counts = buckets_numpy(*pack(texts))
        norm = np.sqrt(np.maximum(counts[:, COUNTS.index("features")], 1))
        raw = structure(counts)
        centre, spread = raw.mean(0), np.maximum(raw.std(0), 1e-6)
        value = (1 / norm)[owner]
        known = np.zeros((0, 0)) if vectors is None else vectors
        meaning = _meaning(owner, bucket, value, known, len(texts))
        return cls(owner, bucket, value, raw, (raw - centre) / spread, centre, spread, known, meaning)

    def predict(self, column: Column) -> Array:
        """Return the prediction of a fitted column for each text."""
        dense = np.concatenate([column[1] * self.spread, np.zeros(self.meaning.shape[1])])
        return self.times(column[0], dense) + column[2] + float((column[1] * self.centre).sum())

    def times(self, sparse: Array, dense: Array) -> Array:
        """The product of the features with weights, ``dense`` those of the structure, then of the meaning."""
        width = self.dense.shape[1]
        hit = np.bincount(self.owner, sparse[self.bucket] * self.value, minlength=len(self.dense))
        both: Array = hit + (self.dense * dense[:width]).sum(1) + np.einsum("ij,j->i", self.meaning, dense[width:])
        return both

    def transposed(self, rows: Array) -> tuple[Array, Array]:
        """The product of a vector over texts with the features."""
        sparse: Array = np.bincount(self.bucket, rows[self.owner] * self.value, minlength=BUCKETS).astype(np.float64)
        dense = (self.dense * rows[:, None]).sum(0)
        return sparse, np.concatenate([dense, np.einsum("ij,i->j", self.meaning, rows)])

    def folded(self, meaning: Array) -> Array:
        """Weights of the meaning as weights of the buckets that carry it."""
        out = np.zeros(BUCKETS)
        out[: len(self.vectors)] = np.einsum("ij,j->i", self.vectors, meaning)
        return out


def _meaning(
    owner: npt.NDArray[np.int64], bucket: npt.NDArray[np.int64], value: Array, vectors: Array, texts: int
) -> Array:
    """The sum of the vectors of each text's buckets, each times its value; block by block, to bound memory."""
    out = np.zeros((texts, vectors.shape[1]))
    rows = np.flatnonzero(bucket < len(vectors))
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        first = np.flatnonzero(np.diff(owner[block], prepend=-1))
        sums = np.add.reduceat(vectors[bucket[block]] * value[block, None], first, axis=0)
        out[owner[block][first]] += sums
    return out


def fit(
    design: Design,
    target: Array,
    *,
    weight: Array,
    penalty: float,
    dense_penalty: float,
    vector_penalty: float = np.inf,
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
        vector_penalty: On the weights of the meaning, likewise.
        centred: Fit around the weighted mean, which becomes the constant.
        rounds: Most steps of the conjugate gradients.

    Returns:
        The column of weights.
    """
    mean = float((weight * target).sum() / weight.sum()) if centred else 0.0

    shrink = np.minimum(
        np.repeat([dense_penalty, vector_penalty], [design.dense.shape[1], design.meaning.shape[1]]), _LARGEST
    )

    def normal(sparse: Array, dense: Array) -> tuple[Array, Array]:
        left, right = design.transposed(weight * design.times(sparse, dense))
        return left + penalty * sparse, right + shrink * dense

    sparse, dense = _conjugate_gradients(normal, design.transposed(weight * (target - mean)), rounds)
    raw = dense[: design.dense.shape[1]] / design.spread
    sparse = sparse + design.folded(dense[design.dense.shape[1] :])
    return sparse, raw, mean - float((raw * design.centre).sum())


def _conjugate_gradients(
    normal: Callable[[Array, Array], tuple[Array, Array]], right: tuple[Array, Array], rounds: int
) -> tuple[Array, Array]:
    x = [np.zeros_like(part) for part in right]
    residual = [part.copy() for part in right]
    step = [part.copy() for part in right]
    size = sum(float((part * part).sum()) for part in residual)
    start = size
    for _ in range(rounds if start else 0):
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
