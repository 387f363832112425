"""Shifts of ability by language: their signs, whose they are, and what a model without results is given."""

import numpy as np
import polars as pl
import pytest

from llm_audit.catalog import Catalog, language_shifts
from llm_audit.catalog.languages import language_evidence
from llm_audit.classify.text.language import VALIDATED


def of(*models: str):
    frame = Catalog.load().frame
    rows = pl.concat([frame.filter(model_id=model) for model in models])
    return rows, language_shifts(rows)


def test_every_judged_language_but_english_has_a_shift_and_a_source():
    _, found = of("gpt-4o")
    assert set(found.languages) == set(VALIDATED) - {"en"}
    assert set(language_evidence()) == set(found.languages)


def test_a_small_model_loses_more_than_a_large_one_where_the_published_scores_say_so():
    # gpt-4o-mini falls from .82 to .69 in Hindi, o1 from .92 to .88: 0.71 against 0.39 logits of score.
    _, found = of("gpt-4o-mini", "o1")
    small, large = found.shift[:, found.languages.index("hi")]
    assert small < large < 0
    # A logit of ability is 0.68 logits of an MMLU score.
    assert small == pytest.approx(-0.71 / 0.68, abs=0.15)


def test_no_language_is_easier_than_english():
    shifts = language_shifts(Catalog.load().frame)
    assert shifts.shift.max() <= 0
    assert np.isfinite(shifts.shift).all()
    assert (shifts.sd > 0).all()


def test_a_model_without_results_by_language_is_less_certain_than_one_with_them():
    rows, found = of("gpt-4o-mini", "phi-4-reasoning")
    column = found.languages.index("ja")
    assert found.sd[1, column] > found.sd[0, column]
    assert rows["ability_of"].to_list() == ["gpt-4o-mini", "phi-4-reasoning"]


def test_languages_without_any_series_are_less_certain_than_those_with_one():
    _, found = of("phi-4-reasoning")
    assert found.sd[0, found.languages.index("nl")] > found.sd[0, found.languages.index("it")]
