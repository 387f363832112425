"""The prompts that were read by hand and never trained on; ``docs/classifier.md`` has the figures in full."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from llm_audit.classify import Classifier
from llm_audit.classify.text.select import select
from llm_audit.sources.entry import Message
from llm_audit.vocabulary import Stakes

PROMPTS = Path(__file__).parents[2] / "scripts" / "data" / "held_out_prompts.csv"


@pytest.fixture(scope="module")
def prompts():
    return pl.read_csv(PROMPTS)


@pytest.fixture(scope="module")
def judged(prompts):
    texts = [select([Message("user", prompt)]).text for prompt in prompts["prompt"].to_list()]
    return Classifier.load().judge(texts)


@pytest.mark.parametrize("english", [True, False])
def test_small_tasks_are_easier_than_frontier_tasks(prompts, judged, english):
    rows = (prompts["language"] == "en").to_numpy() == english
    small, frontier = (judged.difficulty[rows & (prompts["tier"] == tier).to_numpy()] for tier in ("small", "frontier"))
    assert (frontier[:, None] > small).mean() > 0.95
    assert frontier.mean() - small.mean() > 2.5


def test_every_prompt_in_a_validated_language_is_judged(judged):
    assert not judged.abstention.any()


def test_languages_are_recognised(prompts, judged):
    named = np.array([name or "en" for name in judged.language])
    assert (named == prompts["language"].to_numpy()).mean() > 0.95


def test_stakes_are_recognised(prompts, judged):
    flagged, wanted = np.array(["none", *Stakes])[judged.stakes], prompts["stakes"].to_numpy()
    assert (flagged == wanted)[wanted != "none"].mean() > 0.75
    assert (wanted != "none")[flagged != "none"].mean() > 0.75
