"""The preset on prompts that were read by hand: which of them it moves below the tier that a reader gave them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.audit.build import rows

from llm_audit.catalog import Catalog
from llm_audit.classify import Classifier
from llm_audit.classify.text.select import select
from llm_audit.policy import load, route
from llm_audit.pricing import PriceBook, price
from llm_audit.sources.entry import Message
from llm_audit.vocabulary import Category, Stakes

PROMPTS = Path(__file__).parents[2] / "scripts" / "data" / "held_out_prompts.csv"
MODELS = {"gpt-5": "openai", "claude-sonnet-4-5": "anthropic", "gemini-2.5-pro": "google"}
CATEGORIES, STAKES = list(Category), [None, *Stakes]


def logged(prompts: list[str], model: str, provider: str) -> pl.DataFrame:
    """The prompts as judged calls of a model."""
    judged = Classifier.load().judge([select([Message("user", prompt)]).text for prompt in prompts])
    return rows(
        *(
            {
                "model": model,
                "model_requested": model,
                "provider": provider,
                "difficulty": float(difficulty),
                "category": CATEGORIES[category].value,
                "stakes": STAKES[stakes],
            }
            for difficulty, category, stakes in zip(judged.difficulty, judged.category, judged.stakes, strict=True)
        )
    )


def routed(frame: pl.DataFrame, policy: str = "small-by-default") -> pl.DataFrame:
    book = PriceBook()
    return route(price(frame, book), load(policy), catalog=Catalog.load(), book=book)


def moved(frame: pl.DataFrame, policy: str = "small-by-default") -> Any:
    return (routed(frame, policy)["outcome"] == "moved").to_numpy()


@pytest.fixture(scope="module")
def prompts() -> pl.DataFrame:
    return pl.read_csv(PROMPTS)


@pytest.fixture(scope="module")
def logs(prompts) -> dict[str, pl.DataFrame]:
    return {model: logged(prompts["prompt"].to_list(), model, provider) for model, provider in MODELS.items()}


@pytest.mark.parametrize("model", MODELS)
def test_at_most_one_in_five_frontier_prompts_moves_below_its_tier(prompts, logs, model):
    frontier = (prompts["tier"] == "frontier").to_numpy()
    assert frontier.sum() > 40
    assert moved(logs[model])[frontier].mean() <= 0.2


def test_at_least_four_in_five_small_prompts_move(prompts, logs):
    small = (prompts["tier"] == "small").to_numpy()
    assert np.mean([moved(frame)[small].mean() for frame in logs.values()]) >= 0.8


def test_the_policy_keeps_much_of_what_a_policy_without_judgement_moves(logs):
    for frame in logs.values():
        kept, judged = (~moved(frame, name) for name in ("always-small", "small-by-default"))
        assert kept.sum() == 0
        assert judged.mean() > 0.25


def test_nova_pro_moves_for_language_identification():
    asked = ["Which language is this text in? Answer with the ISO code only.\n\nWo ist der Bahnhof?"]
    found = routed(logged(asked, "amazon.nova-pro-v1:0", "bedrock"))
    assert found.select("model_id", "outcome").row(0) == ("nova-pro", "moved")


def test_gemini_pro_never_moves_to_a_lite_model_that_nobody_measured(logs):
    targets = routed(logs["gemini-2.5-pro"]).filter(pl.col("outcome") == "moved")["route_model_id"].unique().to_list()
    assert targets
    assert not {"gemini-3.1-flash-lite"} & set(targets)
