"""Abilities guessed from what is known of a model nobody measured."""

from datetime import date

import polars as pl
import pytest

from llm_audit.catalog import Catalog
from llm_audit.catalog.ability_columns import ABILITY_COLUMNS, SD_COLUMNS
from llm_audit.catalog.ladder import ladders
from llm_audit.catalog.unmeasured import ESTIMATED, with_estimates


def rows(**facts):
    """Thirty measured models, abler by a logit a year, by the tenfold price and by reasoning; and one unmeasured."""
    models = [
        {
            "model_id": f"m{i}-{size}b",
            "family": f"f{i % 5}",
            "kind": "chat",
            "output_usd_per_mtok": price,
            "released": date(2024 + i % 3, 1, 1),
            "reasoning": i % 2 == 0,
            "ability_source": "published scores: code",
            **dict.fromkeys(ABILITY_COLUMNS, (i % 3) + (1.0 if price > 1 else 0.0) + (0.5 if i % 2 == 0 else 0.0)),
            **dict.fromkeys(SD_COLUMNS, 0.2),
        }
        for i in range(30)
        for price, size in [(10.0, 70) if i % 7 < 3 else (1.0, 7)]
    ]
    new = {
        **models[0], "model_id": "new", "family": "else", "ability_source": None,
        **dict.fromkeys((*ABILITY_COLUMNS, *SD_COLUMNS)), **facts,
    }  # fmt: skip
    found = with_estimates(pl.DataFrame([*models, new], infer_schema_length=None))
    assert found.filter(pl.col("model_id") != "new").equals(pl.DataFrame(models, infer_schema_length=None))
    return found.row(by_predicate=pl.col("model_id") == "new", named=True)


@pytest.mark.parametrize(
    ("facts", "ability"),
    [
        ({"output_usd_per_mtok": 10.0, "released": date(2026, 1, 1), "reasoning": True}, 3.5),
        ({"output_usd_per_mtok": 1.0, "released": date(2024, 1, 1), "reasoning": False}, 0.0),
        ({"output_usd_per_mtok": None, "released": date(2025, 1, 1), "reasoning": False, "model_id": "new"}, None),
    ],
)
def test_a_guess_follows_the_facts(facts, ability):
    found = rows(**facts)
    if ability is None:
        assert found["ability_source"] is None
    else:
        assert found["ability_code"] == pytest.approx(ability, abs=0.4)
        assert found["ability_code_sd"] >= 0.5
        assert found["ability_source"] == ESTIMATED


def test_nothing_is_guessed_without_a_date():
    assert rows(released=None)["ability_code"] is None


def test_the_catalogue_says_which_abilities_are_guesses_and_offers_none_of_them():
    frame = Catalog.load().frame
    guessed = frame.filter(ability_source=ESTIMATED)
    assert guessed.height > 50
    assert guessed["ability_math_sd"].min() > 0.7
    steps = {step for ladder in ladders(frame).values() for step in ladder}
    assert not steps & set(guessed["model_id"])


def test_a_model_that_the_user_measured_is_measured():
    """gpt-5.3-chat has a guess until outcomes of one's own tell more."""
    known = Catalog.load()
    shifted = known.shifted({"gpt-5.3-chat": {"chat": (0.5, 0.2)}})
    assert set(known.unmeasured) - set(shifted.unmeasured) == {"gpt-5.3-chat"}
