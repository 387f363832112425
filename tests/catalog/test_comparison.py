"""Abilities by category, the difference of two, and the tables beside them."""

import polars as pl
import pytest

from llm_audit.catalog import Ability, Catalog, abilities, claims, parameters


def ability(mean, sd):
    return Ability(category="code", mean=mean, sd=sd, measured=True, scores=1, source="HumanEval")


def test_a_difference_has_the_interval_of_independent_errors():
    found = ability(1.0, 0.3).less(ability(0.5, 0.4))
    assert found == pytest.approx((0.5, 0.5 - 1.6449 * 0.5, 0.5 + 1.6449 * 0.5))
    assert ability(1.0, 0.3).interval == pytest.approx((1 - 1.6449 * 0.3, 1 + 1.6449 * 0.3))
    assert ability(None, None).less(ability(0.5, 0.4)) is None
    assert ability(None, None).interval is None


def test_a_category_without_scores_is_not_measured():
    row = Catalog.load().frame.row(by_predicate=pl.col("model_id") == "gpt-5.6-luna", named=True)
    assert {(found.measured, found.scores, found.source) for found in abilities(row)} == {
        (False, 0, "prior: as its predecessor gpt-5-mini")
    }


def test_claims_are_found_in_either_order_and_name_known_models():
    assert claims("gpt-4o", "phi-4") == claims("phi-4", "gpt-4o") != []
    assert claims("gpt-4o", "gpt-4o-mini") == []
    catalog = Catalog.load()
    rows = claims("phi-4-reasoning", "deepseek-r1") + claims("claude-haiku-4-5", "claude-sonnet-4-5")
    assert all(catalog.resolve(None, row[side]) == row[side] for row in rows for side in ("small", "large"))
    assert all(row["source"] and 0 <= row["small_score"] <= 100 for row in rows)


@pytest.mark.parametrize(
    ("model", "billions"),
    [
        ("phi-4", (14, 14)), ("deepseek-r1", (671, 37)), ("qwen3-235b-a22b", (235, 22)),
        ("llama-3.3-70b-instruct", (70, 70)), ("gpt-4o", None), ("claude-haiku-4-5", None),
    ],
)  # fmt: skip
def test_sizes_come_from_names_or_developers(model, billions):
    assert parameters(model) == billions
