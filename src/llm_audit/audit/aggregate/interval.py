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
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.arrays import Floats

BUCKETS = 4_096

_CHUNK = 10
"""Replicates summed at once: their weights fit the processor's cache."""

Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_POISSON = np.cumsum([0.36787944117144233 / factorial for factorial in (1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds of a ratio: the share of cost that a policy saves."""

    low: float
    high: float


def splitmix(words: Words) -> Words:
    """Return the finaliser of SplitMix64 (Steele, Lea and Flood 2014): well-mixed 64 bits of each word."""
    mixed: Words = words + _GOLDEN
    for shift, factor in _MIX:
        mixed = (mixed ^ (mixed >> shift)) * factor
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def weights(clusters: Words, replicate: int) -> npt.NDArray[np.uint8]:
    """Return each cluster's weight in a replicate: Poisson(1) by inversion of a hash of both."""
    salt = splitmix(np.array([replicate], dtype=np.uint64))[0]
    uniform = (splitmix(clusters ^ salt) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.searchsorted(_POISSON, uniform, side="right").astype(np.uint8)


def bucket(cluster: pl.Expr) -> pl.Expr:
    """Return the bag that each cluster's hash falls into."""
    return (cluster % BUCKETS).cast(pl.UInt16)


@lru_cache(maxsize=4)
def _all_weights(words: bytes, resamples: int) -> npt.NDArray[np.uint8]:
    clusters = np.frombuffer(words, dtype=np.uint64)
    return np.stack([weights(clusters, replicate) for replicate in range(resamples)])


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
    sums = np.zeros((len(frames), 2, BUCKETS), dtype=np.int64)
    for table, frame in zip(sums, frames, strict=True):
        table[:, frame["bucket"].to_numpy()] = _nano_dollars(frame, value, base).T
    return _ratios(np.arange(BUCKETS, dtype=np.uint64), sums.reshape(-1, BUCKETS), resamples)


def _nano_dollars(frame: pl.DataFrame, *names: str) -> npt.NDArray[np.int64]:
    return frame.select((pl.col(name) // 1_000).cast(pl.Int64) for name in names).to_numpy()


def _ratios(clusters: Words, sums: npt.NDArray[np.int64], resamples: int) -> Floats:
    """Return the ratio of each pair of rows of ``sums``, numerators and denominators of clusters: resamples x pairs."""
    drawn = _all_weights(splitmix(clusters).tobytes(), resamples)
    totals = np.empty((resamples, len(sums)), dtype=np.int64)
    for start in range(0, resamples, _CHUNK):
        span = slice(start, start + _CHUNK)
        # ``matmul`` of whole numbers takes several times as long as this sum along rows.
        np.einsum("rk,sk->rs", drawn[span].astype(np.int64), sums, out=totals[span])
    values, bases = totals[:, 0::2], totals[:, 1::2]
    zero = bases == 0
    return np.where(zero, np.nan, values / np.where(zero, 1, bases))


def bounds(values: Floats, *, confidence: float) -> Interval | None:
    """Return the central interval that holds ``confidence`` of the values, None where there are none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(low=float(low), high=float(high))
