"""Rules that the order within a family keeps; each exception is accepted by name, with its reason and source."""

import datetime as dt
import re
from datetime import date, timedelta
from itertools import permutations

import polars as pl
import pytest
from tests.audit.build import rows

from llm_audit.catalog import Catalog
from llm_audit.catalog.ability_columns import CATEGORIES
from llm_audit.catalog.known_abilities import UNUSABLE_ALONE, published_scores
from llm_audit.catalog.predecessors import line, size, specialism
from llm_audit.catalog.tiers import blended_usd_per_mtok
from llm_audit.policy import with_models
from llm_audit.pricing import PriceBook, price

FAR_BELOW = 1.0
"""Logits that a successor may lose on its predecessor over the categories that both were measured in."""
BELOW = 0.25
"""Logits that a larger sibling may lose on a smaller one, and more than 1.645 standard deviations."""
SAME_TIME = timedelta(days=200)
PREDECESSOR = "prior: as its predecessor "

_SUITES = "tool use by tau-bench against tool use by BFCL in abilities.csv: few models link the two suites"
ACCEPTED = {
    ("qwen3-235b-a22b-thinking-2507", "qwen3-14b"): _SUITES,
    ("qwen3-235b-a22b-thinking-2507", "qwen3-8b"): _SUITES,
    ("qwen3-next-80b-a3b-instruct", "qwen3-30b-a3b-instruct-2507"): _SUITES,
    ("qwen3-next-80b-a3b-thinking", "qwen3-14b"): _SUITES,
    ("qwen3-next-80b-a3b-thinking", "qwen3-8b"): _SUITES,
    ("qwen3-235b-a22b", "qwen3-next-80b-a3b-thinking"): "earlier by five months, and mostly run without thinking",
    ("qwen3.5-35b-a3b", "qwen3.5-27b"): "3 billion active parameters against 27 billion",
    ("qwen3.6-35b-a3b", "qwen3.6-27b"): "3 billion active parameters against 27 billion",
    ("glm-5.1", "glm-4.6v"): "a prior from glm-5, which has scores of tau2-bench only",
    ("glm-5.1", "glm-4.7"): "a prior from glm-5, which has scores of tau2-bench only",
}
"""A larger sibling and a smaller one, or a successor and its predecessor, to why the order stands."""

OF_ANOTHER_LINE = {
    "deepseek-chat": "served deepseek-v3 from 2024-12-26, https://api-docs.deepseek.com/updates",
    "deepseek-reasoner": "served deepseek-r1 from 2025-01-20, https://api-docs.deepseek.com/updates",
}
"""Models that have the scores of a name of another line, to why."""


def describe(frame):
    return frame.with_columns(line=line(), size=size(), specialism=specialism())


@pytest.fixture(scope="module")
def models():
    frame = Catalog.load().frame.filter(
        pl.col("kind") == "chat",
        pl.col("developer").is_not_null(),
        pl.all_horizontal(pl.col("released", "ability_source").is_not_null()),
        pl.col("ability_source").str.starts_with("published")
        | pl.col("ability_source").str.starts_with("as ")
        | pl.col("ability_source").str.starts_with(PREDECESSOR),
    )
    return describe(frame.with_columns(price=blended_usd_per_mtok())).to_dicts()


def generation(model):
    """The version in a model's name, without its size and its date."""
    name = re.sub(r"-\d{4}(?=-|$)|\d+(\.\d+)?b\b", "", model["model_id"])
    return tuple(re.findall(r"\d+(?:[.-]\d+)*[a-z]?", name))


def gain(model, other):
    """The mean gain over the categories that both were measured in, and its standard deviation; None without any."""
    shared = [category for category in CATEGORIES if model[f"measured_{category}"] and other[f"measured_{category}"]]
    if not shared:
        return None
    gains = [model[f"ability_{category}"] - other[f"ability_{category}"] for category in shared]
    variances = [model[f"ability_{category}_sd"] ** 2 + other[f"ability_{category}_sd"] ** 2 for category in shared]
    return sum(gains) / len(shared), sum(variances) ** 0.5 / len(shared)


def pairs(models):
    return [(one, other) for one, other in permutations(models, 2) if one["family"] == other["family"]]


def same_line(one, other):
    sizes = {one["size"], other["size"]} - {None}
    return one["line"] == other["line"] and len(sizes) < 2


def larger(one, other):
    """Whether a model has more parameters, or where the names do not state them, the higher price."""
    if one["size"] and other["size"]:
        return float(one["size"][:-1]) > float(other["size"][:-1])
    return None not in (one["price"], other["price"]) and one["price"] > 1.01 * other["price"]


def siblings(models):
    """The pairs of one generation, kind and way of answering the larger first."""
    for large, small in pairs(models):
        if (
            generation(large) == generation(small)
            and large["specialism"] == small["specialism"]
            and large["reasoning"] == small["reasoning"]
            and abs(large["released"] - small["released"]) < SAME_TIME
            and not same_line(large, small)
            and larger(large, small)
        ):
            yield large, small


def successors(models):
    """The pairs of one line, the later model first."""
    return [
        (new, old) for new, old in pairs(models) if same_line(new, old) and new["released"] > old["released"]
    ]  # fmt: skip


def violations(models):
    for new, old in successors(models):
        if (found := gain(new, old)) and found[0] < -FAR_BELOW:
            yield new["model_id"], old["model_id"]
    for large, small in siblings(models):
        if (found := gain(large, small)) and found[0] < -max(BELOW, 1.645 * found[1]):
            yield large["model_id"], small["model_id"]


def test_the_order_within_a_family_is_that_of_date_and_size_but_for_accepted_exceptions(models):
    assert len(list(siblings(models))) > 50
    assert len(successors(models)) > 50
    assert sorted(set(violations(models)) - set(ACCEPTED)) == []


def test_every_accepted_exception_is_of_models_that_the_catalogue_has(models):
    assert {name for pair in ACCEPTED for name in pair} | set(OF_ANOTHER_LINE) <= {row["model_id"] for row in models}


def test_a_fault_is_found():
    measured = {f"measured_{category}": True for category in CATEGORIES}
    good = {
        "family": "f", "released": date(2025, 1, 1), "specialism": None, "reasoning": False, "size": None, **measured,
        **{f"ability_{category}_sd": 0.1 for category in CATEGORIES},
    }  # fmt: skip

    def model(name, ability, price, **facts):
        abilities = {f"ability_{category}": ability for category in CATEGORIES}
        return good | {"model_id": name, "line": re.sub(r"[\d.-]", "", name), "price": price} | abilities | facts

    small, large = model("x-5-mini", 1.0, 1.0), model("x-5", 0.5, 2.0)
    successor = model("x-6", -0.6, 2.0, released=date(2026, 1, 1))
    assert set(violations([small, large, successor])) == {("x-5", "x-5-mini"), ("x-6", "x-5")}
    assert list(violations([small, model("x-5", 1.2, 2.0)])) == []


def test_a_prior_is_not_below_that_of_an_older_model_of_its_line_or_a_smaller_sibling(models):
    def mean(model):
        return sum(model[f"ability_{category}"] for category in CATEGORIES) / len(CATEGORIES)

    priors = [
        (one, other)
        for one, other in [*successors(models), *siblings(models)]
        if one["ability_source"].startswith(PREDECESSOR) and other["ability_source"].startswith(PREDECESSOR)
    ]
    below = [(one["model_id"], other["model_id"]) for one, other in priors if mean(one) - mean(other) < -0.5]
    assert len(priors) > 30
    assert sorted(set(below) - set(ACCEPTED)) == []


def test_an_inherited_score_is_of_the_same_line_and_kind(models):
    for model in models:
        source = model["ability_of"] or model["ability_source"].removeprefix(PREDECESSOR)
        [named] = describe(pl.DataFrame({"model_id": [source]})).to_dicts()
        assert named["specialism"] in {None, model["specialism"]} or model["ability_of"], (model["model_id"], source)
        if model["ability_of"] and model["model_id"] not in OF_ANOTHER_LINE:
            assert set(named["line"].split()) & set(model["line"].split()) or named["line"] == model["line"], source
            assert named["specialism"] == model["specialism"] or {named["specialism"], model["specialism"]} == {
                None,
                "vision",
            }, (model["model_id"], source)


def test_what_was_named_as_odd(models):
    named = {model["model_id"]: model for model in models}
    assert named["gpt-6-luna"]["ability_source"] == named["gpt-5.6-luna"]["ability_source"]
    assert named["deepseek-v4-pro"]["ability_math"] >= named["deepseek-v4-flash"]["ability_math"]
    assert named["devstral-small"]["ability_of"] == "devstral-small-2507"
    assert named["gemini-3.1-flash-lite"]["ability_source"] == PREDECESSOR + "gemini-2.5-flash-lite"
    assert not any(named["gemini-3.1-flash-lite"][f"measured_{category}"] for category in CATEGORIES)
    assert named["mistral-large-2402"]["ability_of"] == "mistral-large-2402"


def test_a_benchmark_that_measures_no_category_makes_none_measured():
    alone = published_scores().filter(pl.col("source").is_in(UNUSABLE_ALONE))
    assert alone["scores"].to_list() == [0] * alone.height


@pytest.mark.parametrize(
    ("name", "day", "model"),
    [
        ("mistral-large-latest", date(2024, 3, 1), "mistral-large-2402"),
        ("mistral-large-latest", date(2025, 3, 1), "mistral-large-2411"),
        ("mistral-large-latest", date(2026, 3, 1), "mistral-large-2512"),
        ("mistral-large-latest", date(2023, 1, 1), "mistral-large-2402"),
        ("mistral-small-latest", date(2025, 7, 1), "mistral-small-3.2-24b-instruct"),
        ("deepseek-chat", date(2025, 1, 15), "deepseek-chat"),
        ("deepseek-reasoner", date(2025, 10, 15), "deepseek-v3.2-exp"),
        ("deepseek-chat", None, "deepseek-v3.2"),
        ("grok-4", None, "grok-4-0709"),
        ("mistral-large-2411", None, "mistral-large-2411"),
        ("mistralai/mixtral-8x7b-chat", None, "mixtral-8x7b-instruct"),
    ],
)
def test_a_name_that_moves_is_the_model_that_it_served_on_the_day(name, day, model):
    assert Catalog.load().resolve(None, name, day=day) == model


@pytest.mark.parametrize(
    ("day", "model", "cost_usd"),
    [(date(2025, 3, 1), "mistral-large-2411", 0.0032), (date(2026, 3, 1), "mistral-large-2512", 0.0008)],
)
def test_a_name_that_moves_is_judged_and_priced_as_one_and_the_same_model(day, model, cost_usd):
    """1,000 input and 200 output tokens: $2 and $6 a million for Large 2, $0.50 and $1.50 for Large 3."""
    names = ["mistral-large-latest", model]
    sent = dt.datetime.combine(day, dt.time(12), dt.UTC)
    frame = rows(*({"model": name, "model_requested": name, "provider": "mistral", "time": sent} for name in names))
    named = with_models(price(frame, PriceBook()), Catalog.load())
    assert named["model_id"].to_list() == [model, model]
    assert named["cost_pico"].to_list() == [round(cost_usd * 10**12)] * 2


def test_every_served_model_is_in_the_catalogue_and_was_released_by_then():
    served = pl.read_csv("src/llm_audit/catalog/served.csv", try_parse_dates=True)
    released = dict(Catalog.load().frame.select("model_id", "released").iter_rows())
    for name, since, model in served.select("name", "since", "model_id").iter_rows():
        assert released[model] is not None, name
        assert released[model] <= since, (name, model)
