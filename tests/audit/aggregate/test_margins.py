"""Margins of pairs of models, with and without errors."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from llm_audit.audit.aggregate.margins import BIN, Estimates
from llm_audit.catalog import Catalog
from llm_audit.classify.irt import p_loses, p_success
from llm_audit.classify.learning.posterior import Posterior, ability_name, template_name
from llm_audit.policy import load, models_of

REPLICATES = range(40, 71)

PAIRS = pl.DataFrame(
    [
        ("gpt-4o", "gpt-4o-mini", "code", 2, 7),
        ("gpt-4o", "gpt-4o-mini", "code", -3, 7),
        ("gpt-4o", "gpt-4.1-nano", "code", 2, 7),
        ("gpt-4.1", "gpt-4o-mini", "code", 2, 7),
        ("gpt-4.1", "gpt-4o-mini", "code", 2, None),
        ("gpt-4.1", "gpt-4.1-nano", "math+tool_use", 0, None),
    ],
    schema=["model_id", "route_model_id", "skill", "difficulty_bin", "template_hash"],
    orient="row",
)

NAMES = (ability_name("gpt-4o", "code"), ability_name("gpt-4o-mini", "code"), template_name(7))
POSTERIOR = Posterior(
    names=NAMES,
    mean=np.zeros(3),
    factor=np.array([[0.3, 0, 0], [0.1, 0.2, 0], [0.05, 0.0, 0.4]]),
    verdicts=(9, 9, 9),
    template_sd=0.5,
)


@pytest.fixture(scope="module")
def models():
    return models_of(Catalog.load())


@pytest.mark.parametrize("posterior", [None, POSTERIOR])
def test_what_pairs_share_is_the_same_as_for_each_alone_to_the_bit(models, posterior):
    def drawn(pairs: pl.DataFrame):
        margins = Estimates.of(pairs, policy=load("small-by-default"), models=models, posterior=posterior)
        found = margins.drawn(REPLICATES)
        return [*found.lost_and_repeated(), found.success()]

    together, alone = drawn(PAIRS), [drawn(PAIRS[[row]]) for row in range(PAIRS.height)]
    for at, found in enumerate(together):
        assert found.shape == (PAIRS.height, len(REPLICATES))
        assert found.tobytes() == np.concatenate([of[at] for of in alone]).tobytes()
    lost = together[0]
    assert np.unique(lost[0]).size == len(REPLICATES)
    # Without a template of its own, the last but one differs by the template's error alone.
    assert np.array_equal(lost[3], lost[4]) is (posterior is None)


def test_expected_margins_are_those_of_the_catalog(models):
    found = Estimates.of(PAIRS, policy=load("small-by-default"), models=models, posterior=None).expected()
    ability, index = models.skill_ability, models.index()
    skills = {name: at for at, name in enumerate(models.skills)}
    rows = list(PAIRS.iter_rows(named=True))
    used = np.array([ability[index[row["model_id"]], skills[row["skill"]]] for row in rows])
    small = np.array([ability[index[row["route_model_id"]], skills[row["skill"]]] for row in rows])
    difficulty = np.array([row["difficulty_bin"] * BIN for row in rows])
    for given, one in zip(found.lost_and_repeated(), (small, used), strict=True):
        assert np.array_equal(given[:, 0], p_loses(one, used, difficulty))
    assert np.array_equal(found.success()[:, 0], p_success(small, difficulty))
