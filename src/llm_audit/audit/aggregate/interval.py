"""Intervals by resampling clusters, and how much of them is sampling and how much the model's abilities.

Requests of one conversation are alike, so conversations are resampled, not requests: in each replicate a cluster counts
Poisson(1) times (the Poisson bootstrap; Hanley and MacGibbon 2006, Chamandy et al. 2012). A cluster's weight depends on
its own hash and the replicate's number alone, so that it is the same in every shard, order and run.

Conversations are first thrown by their hash into ``BUCKETS`` bags that are resampled whole. Clusters fall into bags at
random, so the bags' residuals have the variance of the clusters' own, and a ledger of any size needs one small table,
which merges by addition. With 4,096 bags the variance is known to about 2 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.arrays import Floats

BUCKETS = 4_096

_FEW = BUCKETS // 4
"""Fewer bags in use are resampled without the empty ones, which add nothing."""

_DRAWN = 8
"""Replicates drawn at once: the words of bags fit the processor's cache."""

_SUMMED = 256
"""Replicates summed at once."""

_EXACT = 2.0**53
"""Below it every whole number is a floating-point number."""

Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_POISSON = np.cumsum([0.36787944117144233 / factorial for factorial in (1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880)])
_LEAST = [np.uint64(int(np.ceil(below * _EXACT)) << 11) for below in _POISSON]
"""The least word of each weight from one on."""


class Interval(msgspec.Struct, kw_only=True, frozen=True):
    """Bounds of a ratio: the share of cost that a policy saves."""

    low: float
    high: float


def splitmix(words: Words) -> Words:
    """Return the finaliser of SplitMix64 (Steele, Lea and Flood 2014): well-mixed 64 bits of each word."""
    mixed: Words = words + _GOLDEN
    shifted = np.empty_like(mixed)  # an array for each product would take longer than the product
    for shift, factor in _MIX:
        mixed ^= np.right_shift(mixed, shift, out=shifted)
        mixed *= factor
    mixed ^= np.right_shift(mixed, np.uint64(31), out=shifted)
    return mixed


def weights(clusters: Words, replicates: range) -> npt.NDArray[np.uint8]:
    """Return each cluster's weight in each replicate: Poisson(1) by inversion of a hash of both.

    The hash's first 53 bits are a number from 0 to 1; the weight is how many of the sums of probabilities it reaches.
    """
    drawn = np.zeros((len(replicates), len(clusters)), dtype=np.uint8)
    salts = splitmix(np.array(replicates, dtype=np.uint64))
    for start in range(0, len(replicates), _DRAWN):
        span = slice(start, start + _DRAWN)
        words = splitmix(clusters ^ salts[span, None])
        for least in _LEAST:
            drawn[span] += words >= least
    return drawn


def bucket(cluster: pl.Expr) -> pl.Expr:
    """Return the bag that each cluster's hash falls into."""
    return (cluster % BUCKETS).cast(pl.UInt16)


@lru_cache(maxsize=4)
def _all_weights(words: bytes, resamples: int) -> npt.NDArray[np.uint8]:
    clusters = np.frombuffer(words, dtype=np.uint64)
    return weights(clusters, range(resamples))


def replicates(frame: pl.DataFrame, cluster: str, value: str, base: str, *, resamples: int) -> Floats:
    """``sum(value) / sum(base)`` in each replicate; NaN where the base is zero.

    Sums are of whole nano-dollars, so they are exact and depend on no order.

    Args:
        frame: A row a cluster, with its hash or bag in ``cluster`` and sums in ``value`` and ``base``.
        cluster: The column that is resampled.
        value: Numerator, pico-dollars.
        base: Denominator, pico-dollars.
        resamples: Number of replicates.
    """
    if cluster == "bucket":
        return replicates_of_bags([frame], value, base, resamples=resamples)[:, 0]
    rows = frame.sort(cluster)
    sums = np.ascontiguousarray(_nano_dollars(rows, value, base).T)
    return _ratios(rows[cluster].cast(pl.UInt64).to_numpy(), sums, resamples)[:, 0]


def replicates_of_bags(frames: Sequence[pl.DataFrame], value: str, base: str, *, resamples: int) -> Floats:
    """Return the replicates of several tables of bags, whose bags have the same weights: resamples x tables."""
    bags = _bags(frames)
    sums = np.zeros((len(frames), 2, len(bags)), dtype=np.int64)
    for table, frame in zip(sums, frames, strict=True):
        table[:, np.searchsorted(bags, frame["bucket"].to_numpy())] = _nano_dollars(frame, value, base).T
    return _ratios(bags, sums.reshape(2 * len(frames), len(bags)), resamples)


def _bags(frames: Sequence[pl.DataFrame]) -> Words:
    """Return the bags to resample: those that tables have where they are few, which is so of small logs, else all."""
    used = np.zeros(BUCKETS, dtype=bool)
    for frame in frames:
        used[frame["bucket"].to_numpy()] = True
    if used.sum() >= _FEW:
        used[:] = True  # so that the weights of large logs' bags are drawn once
    return np.flatnonzero(used).astype(np.uint64)


def _nano_dollars(frame: pl.DataFrame, *names: str) -> npt.NDArray[np.int64]:
    return frame.select((pl.col(name) // 1_000).cast(pl.Int64) for name in names).to_numpy()


def _ratios(clusters: Words, sums: npt.NDArray[np.int64], resamples: int) -> Floats:
    """Return the ratio of each pair of rows of ``sums``, numerators and denominators of clusters: resamples x pairs."""
    totals = _weighted(_all_weights(splitmix(clusters).tobytes(), resamples), sums)
    values, bases = totals[:, 0::2], totals[:, 1::2]
    zero = bases == 0
    return np.where(zero, np.nan, values / np.where(zero, 1, bases))


def _weighted(drawn: npt.NDArray[np.uint8], sums: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the sum of each row of ``sums`` in each replicate, by the weights drawn: replicates x rows."""
    totals = np.empty((len(drawn), len(sums)), dtype=np.int64)
    most = len(_LEAST) * np.abs(sums.astype(np.float64)).sum(axis=1).max(initial=0.0)
    # Products of matrices are fast for floating-point numbers alone, and exact while no sum on the way is rounded.
    numbers = sums.T.astype(np.float64) if 2 * most < _EXACT else None
    for start in range(0, len(drawn), _SUMMED):
        span = slice(start, start + _SUMMED)
        if numbers is not None:
            totals[span] = drawn[span].astype(np.float64) @ numbers
        else:
            np.einsum("rk,sk->rs", drawn[span].astype(np.int64), sums, out=totals[span])
    return totals


def bounds(values: Floats, *, confidence: float) -> Interval | None:
    """Return the central interval that holds ``confidence`` of the values, None where there are none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(low=float(low), high=float(high))
