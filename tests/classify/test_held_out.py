"""The prompts that were read by hand and never trained on; ``docs/classifier.md`` has the figures in full."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from llm_audit.classify import Classifier, heads
from llm_audit.classify.text.select import select
from llm_audit.sources.entry import Message
from llm_audit.vocabulary import Category, Stakes

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
    """Batch 4 has seventeen legal asks in words that the lexicon lacks for most; recall counts for more than alarms."""
    flagged, wanted = np.array(["none", *Stakes])[judged.stakes], prompts["stakes"].to_numpy()
    right, earlier = flagged == wanted, (prompts["batch"] < 4).to_numpy()
    assert right[(wanted != "none") & earlier].mean() > 0.75
    assert right[wanted != "none"].mean() > 0.78
    assert right[wanted == "legal"].mean() > 0.75
    assert (flagged != "none")[wanted == "none"].mean() < 0.07


@pytest.mark.parametrize("english", [True, False])
def test_designs_and_migrations_are_harder_than_short_proofs(prompts, judged, english):
    """Of batch 4: designs, migrations, postmortems and comparisons of documents against proofs of one line."""
    rows = ((prompts["batch"] == 4) & ((prompts["language"] == "en") == english)).to_numpy()
    large = (
        rows
        & ((prompts["tier"] == "frontier") & prompts["kind"].is_in(["reasoning", "tool_use", "writing"])).to_numpy()
    )
    proof = rows & ((prompts["tier"] == "mid") & (prompts["kind"] == "math")).to_numpy()
    assert (judged.difficulty[large][:, None] > judged.difficulty[proof]).mean() > 0.95


def test_kinds_are_recognised(prompts, judged):
    named = np.array([list(Category)[code] for code in judged.category.tolist()])
    right = named == np.array([heads.KINDS[kind] for kind in prompts["kind"].to_list()])
    assert right.mean() > 0.7
    for kind in ("science", "reasoning", "law"):
        assert right[(prompts["kind"] == kind).to_numpy()].mean() > 0.6
