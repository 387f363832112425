from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from llm_audit.audit.aggregate.interval import BUCKETS, bounds, replicates, replicates_of_bags, splitmix, weights


def test_splitmix_gives_the_generator_s_published_sequence():
    # The first outputs of SplitMix64 from state 0: the state grows by the golden gamma before each output.
    states = np.arange(3, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert [hex(int(word)) for word in splitmix(states)] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]


def test_weights_are_poisson_with_mean_and_variance_one():
    drawn = weights(np.arange(200_000, dtype=np.uint64), range(5, 6))
    assert drawn.mean() == pytest.approx(1, abs=0.01)
    assert drawn.var() == pytest.approx(1, abs=0.02)
    assert (drawn == 0).mean() == pytest.approx(np.exp(-1), abs=0.005)


def test_a_cluster_s_weight_depends_on_nothing_but_itself():
    words = np.arange(100, dtype=np.uint64)
    drawn = weights(words, range(1, 31))
    assert weights(words[37:38], range(9, 10))[0, 0] == drawn[8, 37]
    assert (drawn[0] != drawn[1]).any()


def test_weights_are_how_many_sums_of_probabilities_the_hash_reaches():
    words, sums = np.arange(5_000, dtype=np.uint64), np.cumsum([np.exp(-1) / math.factorial(k) for k in range(10)])
    for replicate, drawn in enumerate(weights(words, range(12))):
        salt = splitmix(np.array([replicate], dtype=np.uint64))
        uniform = (splitmix(words ^ salt) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        assert drawn.tolist() == np.searchsorted(sums, uniform, side="right").tolist()


def test_sums_too_large_for_floating_point_are_weighted_exactly():
    bags, saved = [3, 7, 4_095], [2**56 + 1, -(2**55) - 3, 5]
    table = pl.DataFrame(
        {"bucket": bags, "saved": [each * 1_000 for each in saved], "cost": [1_000] * 3},
        schema={"bucket": pl.UInt16, "saved": pl.Int128, "cost": pl.Int128},
    )
    found = replicates_of_bags([table], "saved", "cost", resamples=40)[:, 0]
    for replicate, drawn in enumerate(weights(splitmix(np.array(bags, dtype=np.uint64)), range(40)).tolist()):
        total, cost = np.int64(sum(map(math.prod, zip(drawn, saved, strict=True)))), sum(drawn)
        assert np.isnan(found[replicate]) if not cost else found[replicate] == total / cost


@pytest.mark.parametrize("count", [0, 1, 9, BUCKETS // 4 - 1, BUCKETS // 4, BUCKETS])
def test_bags_that_a_log_does_not_have_change_nothing(count):
    bags = np.random.default_rng(count).permutation(BUCKETS)[:count]
    table = pl.DataFrame(
        {"bucket": bags, "saved": [1_000 * int(bag) for bag in bags], "cost": [7_000] * count},
        schema={"bucket": pl.UInt16, "saved": pl.Int128, "cost": pl.Int128},
    )
    drawn = weights(splitmix(np.sort(bags).astype(np.uint64)), range(20)).astype(np.int64)
    cost = 7 * drawn.sum(axis=1)
    expected = np.where(cost > 0, drawn @ np.sort(bags) / np.maximum(cost, 1), np.nan)
    found = replicates_of_bags([table, table.clear()], "saved", "cost", resamples=20)
    assert np.array_equal(found[:, 0], expected, equal_nan=True)
    assert np.isnan(found[:, 1]).all()


def test_bags_have_the_spread_of_the_clusters_own_bootstrap():
    random = np.random.default_rng(1)
    cost = random.lognormal(0, 1, 20_000) * 1e12
    saved = cost * random.uniform(0, 1, 20_000)
    ratio = saved.sum() / cost.sum()
    analytic = np.sqrt(((saved - ratio * cost) ** 2).sum()) / cost.sum()
    frame = pl.DataFrame(
        {
            "bucket": pl.Series(random.integers(0, BUCKETS, 20_000), dtype=pl.UInt16),
            "saved": pl.Series(saved).cast(pl.Int128),
            "cost": pl.Series(cost).cast(pl.Int128),
        }
    )
    bags = frame.group_by("bucket").sum()
    drawn = replicates(bags, "bucket", "saved", "cost", resamples=1_000)
    assert drawn.mean() == pytest.approx(ratio, abs=3 * analytic / np.sqrt(1_000) + 1e-4)
    assert drawn.std() == pytest.approx(analytic, rel=0.1)
    again = replicates(bags.sample(fraction=1.0, shuffle=True, seed=2), "bucket", "saved", "cost", resamples=1_000)
    assert (drawn == again).all()


def test_tables_of_bags_are_resampled_together_as_each_by_itself():
    tables = [
        pl.DataFrame(
            {"bucket": bags, "saved": [saved * 10**12 for saved in values], "cost": [9 * 10**12] * len(bags)},
            schema={"bucket": pl.UInt16, "saved": pl.Int128, "cost": pl.Int128},
        )
        for bags, values in (([7, 3, 4_095], [1, 2, -3]), ([3], [5]), ([], []))
    ]
    together = replicates_of_bags(tables, "saved", "cost", resamples=25)
    for number, table in enumerate(tables):
        alone = replicates(table, "bucket", "saved", "cost", resamples=25)
        np.testing.assert_array_equal(together[:, number], alone)
    # By hand: weights times sums, one bag after the other.
    for replicate in range(25):
        drawn = weights(splitmix(np.array([7, 3, 4_095], dtype=np.uint64)), range(replicate, replicate + 1))[0].tolist()
        cost = 9 * sum(drawn)
        expected = (drawn[0] + 2 * drawn[1] - 3 * drawn[2]) / cost if cost else float("nan")
        assert together[replicate, 0] == pytest.approx(expected, nan_ok=True)
    assert np.isnan(together[:, 2]).all()


def test_bounds_hold_the_middle_and_nothing_gives_none():
    interval = bounds(np.arange(101.0), confidence=0.9)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((5, 95))
    assert bounds(np.array([np.nan]), confidence=0.9) is None
