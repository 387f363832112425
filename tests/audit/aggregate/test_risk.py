"""Errors of abilities and difficulties in parts of a log."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from llm_audit.audit.aggregate.risk import KEYS, RiskReplicates, risk_replicates
from llm_audit.catalog import Catalog
from llm_audit.policy import load, models_of

RESAMPLES = 70  # more than are worked out at once


def cells(*given: tuple[str, str, int, int]) -> pl.DataFrame:
    """Return a cell for each app, model used, repeated pico-dollars and number of requests that move."""
    rows = [(None, app, True, used, "gpt-4o-mini", "code", 2, repeat, moved) for app, used, repeat, moved in given]
    kinds = {"template_hash": pl.UInt64, "app": pl.String, "difficulty_bin": pl.Int32, "repeat_pico": pl.Int128}
    return pl.DataFrame(rows, schema=[*KEYS, "repeat_pico", "moved"], orient="row", schema_overrides=kinds)


WHOLE = cells(("chat", "gpt-4o", 900, 3), ("search", "gpt-4o", 500, 2), ("search", "gpt-4.1", 70, 1))


@pytest.fixture(scope="module")
def replicates():
    models, policy = models_of(Catalog.load()), load("small-by-default")

    def replicates(*parts: pl.DataFrame) -> RiskReplicates:
        return risk_replicates(parts, policy=policy, models=models, resamples=RESAMPLES)

    return replicates


def test_disjoint_parts_add_up_to_the_whole(replicates):
    found = replicates(WHOLE, *(WHOLE.filter(pl.col("app") == app) for app in ("chat", "search")))
    for errors in (found.cost_error, found.lost, found.gained):
        assert errors.shape == (RESAMPLES, 3)
        assert errors[:, 0] == pytest.approx(errors[:, 1] + errors[:, 2])
    assert np.unique(found.cost_error[:, 0]).size == RESAMPLES
    # Three and two requests on the same models: errors are shared, so their losses have that ratio in each replicate.
    one, other = (replicates(WHOLE, WHOLE[[row]]).lost[:, 1] for row in (0, 1))
    assert one * 2 == pytest.approx(other * 3)


def test_the_whole_does_not_depend_on_the_parts(replicates):
    alone, beside = replicates(WHOLE), replicates(WHOLE, WHOLE[:1], WHOLE[1:])
    assert np.array_equal(alone.cost_error[:, 0], beside.cost_error[:, 0])
    assert np.array_equal(alone.lost[:, 0], beside.lost[:, 0])


def test_a_part_without_a_request_is_off_by_nothing(replicates):
    assert not replicates(WHOLE, WHOLE.clear()).cost_error[:, 1].any()
    assert not replicates(WHOLE.clear()).lost.any()
