from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audit.build import assumed, catalog, many, rows

from llm_audit.catalog import Catalog
from llm_audit.classify import irt
from llm_audit.errors import UsageError
from llm_audit.policy import load, parse, route
from llm_audit.pricing import PriceBook, price, rates_for

MINI_1000_200 = 1_000 * 150_000 + 200 * 600_000
"""1,000 tokens in and 200 out on gpt-4o-mini, in pico-dollars."""

FLAGSHIP_1000_200 = 1_000 * 2_500_000 + 200 * 10_000_000


def routed(frame, policy, models=None):
    book = PriceBook()
    return route(price(frame, book), policy, catalog=models or catalog(), book=book)


def one(frame, policy, models=None) -> dict[str, Any]:
    return routed(frame, policy, models).row(0, named=True)


def test_an_easy_request_goes_to_the_cheapest_model_at_its_price():
    row = one(rows({"difficulty": -6.0}), assumed())
    assert (row["outcome"], row["route_model_id"], row["route_provider"]) == ("moved", "gpt-4o-mini", "openai")
    assert row["cost_pico"] == FLAGSHIP_1000_200
    assert row["ceiling_pico"] == row["expected_pico"] == row["floor_pico"] == MINI_1000_200


def test_p_suffices_is_that_of_the_item_response_model():
    row = one(rows({"difficulty": -1.3}), assumed())
    assert math.isclose(row["p_suffices"], float(irt.p_suffices(0.0, 2.0, -1.3)), abs_tol=1e-5)


def test_a_harder_request_climbs_the_ladder_and_the_hardest_stays():
    models = catalog({"gpt-4o": 6.0, "gpt-4.1-mini": 3.0, "gpt-4o-mini": 0.0})
    frame = rows({"difficulty": -3.0}, {"difficulty": 0.0}, {"difficulty": 4.0})
    done = routed(frame, assumed("target = 0.9"), models)
    assert done["route_model_id"].to_list() == ["gpt-4o-mini", "gpt-4.1-mini", "gpt-4o"]
    assert done["outcome"].to_list() == ["moved", "moved", "no_capable_model"]
    assert done["expected_pico"][2] == done["cost_pico"][2]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"operation": "embedding"}, "not_chat"),
        ({"model": "no-such-model", "provider": "openai"}, "unpriced"),
        ({"judged": "abstained", "difficulty": None}, "abstained"),
        ({"model": "claude-sonnet-4-5", "provider": "anthropic"}, "not_in_ladder"),
        ({"model": "gpt-4o-mini"}, "already_cheapest"),
    ],
)
def test_what_cannot_be_routed_says_why(change, outcome):
    row = one(rows(change), assumed())
    assert row["outcome"] == outcome
    assert row["expected_pico"] == row["cost_pico"]


@pytest.mark.parametrize(
    ("need", "able", "gate"),
    [
        ({"needs_vision": True}, {"vision": False}, "vision"),
        ({"needs_vision": True}, {"vision": None}, "unknown_vision"),
        ({"needs_tools": True}, {"tools": False}, "tools"),
        ({"needs_json_schema": True}, {"json_schema": None}, "unknown_json_schema"),
        ({"needs_reasoning": True}, {"reasoning": False}, "reasoning"),
        ({"input_tokens": 9_000}, {"context_window": 9_100}, "context_window"),
        ({"input_tokens": 9_000}, {"context_window": None}, "unknown_context_window"),
        ({"max_output_tokens": 9_000}, {"max_output": 4_096}, "max_output"),
        ({}, {"max_output": None}, "unknown_max_output"),
    ],
)
def test_a_gate_blocks_and_says_what_it_keeps_back(need, able, gate):
    models = catalog(gpt_4o_mini=able, gpt_4_1_mini=able)
    row = one(rows({"difficulty": -6.0, **need}), assumed(), models)
    assert (row["outcome"], row["gate"], row["route_model_id"]) == ("gated", gate, "gpt-4o")
    tokens = {"input_tokens": 1_000, **need}["input_tokens"]
    assert row["kept_back_pico"] == tokens * (2_500_000 - 150_000) + 200 * (10_000_000 - 600_000)


def test_a_gate_that_sends_a_request_one_step_up_keeps_back_the_difference():
    row = one(rows({"difficulty": -6.0, "needs_vision": True}), assumed(), catalog(gpt_4o_mini={"vision": False}))
    assert (row["outcome"], row["gate"], row["route_model_id"]) == ("moved", "vision", "gpt-4.1-mini")
    assert row["kept_back_pico"] == 1_000 * (400_000 - 150_000) + 200 * (1_600_000 - 600_000)


def test_a_gate_switched_off_blocks_nothing():
    models = catalog(gpt_4o_mini={"vision": None}, gpt_4_1_mini={"vision": None})
    row = one(
        rows({"difficulty": -6.0, "needs_vision": True}), assumed("target = 0.75\n[gates]\nvision = false"), models
    )
    assert (row["outcome"], row["gate"]) == ("moved", None)


def test_a_model_not_yet_released_is_no_candidate():
    later = pl.date(2027, 1, 1)
    models = catalog()
    models.frame = models.frame.with_columns(
        released=pl.when(pl.col("model_id") == "gpt-4o-mini").then(later).otherwise("released")
    )
    assert one(rows({"difficulty": -6.0}), assumed(), models)["route_model_id"] == "gpt-4.1-mini"


@pytest.mark.parametrize(("column", "day"), [("released", (2026, 9, 2)), ("retired", (2026, 11, 30))])
def test_a_cheaper_model_that_was_not_on_offer_is_not_called_the_cheapest(column, day):
    """The request is of 1 September 2026: a model of the next day is too late, and one that goes in 90 days too."""
    models = catalog()
    models.frame = models.frame.with_columns(
        pl.when(pl.col("model_id") == "gpt-4o-mini").then(pl.date(*day)).otherwise(pl.col(column)).alias(column)
    )
    pair = assumed('decision = "always"\n[ladders]\npair = ["gpt-4o-mini", "gpt-4o"]')
    assert one(rows({}), pair, models)["outcome"] == "not_offered"
    assert one(rows({"model": "gpt-4o-mini"}), pair, models)["outcome"] == "already_cheapest"


def test_answers_expected_to_be_lost_are_paid_again():
    plain = one(rows({"difficulty": -1.3}), assumed())
    again = one(rows({"difficulty": -1.3}), assumed(escalation=1.0))
    lost = round((1 - plain["p_suffices"]) * FLAGSHIP_1000_200)
    assert again["expected_pico"] == MINI_1000_200 + lost
    assert again["escalation_pico"] == lost


def test_a_move_that_would_not_pay_is_not_made():
    row = one(rows({"difficulty": 0.0}), assumed("target = 0.1", escalation=6.0))
    assert row["outcome"] == "no_capable_model"


def test_a_move_expected_to_cost_more_is_undone():
    # What was paid, $0.0045, buys 1,000 tokens in and 7,250 out of gpt-4o-mini: 36.25 times the 200 of the log.
    ratios = '[assumptions.output_ratios]\n"gpt-4o>gpt-4o-mini" = {}'
    toml = 'decision = "{}"\n{}[assumptions]\nescalation = 0\n' + ratios
    target = "target = 0.75\n"
    frame = rows({"difficulty": -6.0})
    dear = one(frame, parse(toml.format("p_suffices", target, 36.25), where="test"))
    assert (dear["outcome"], dear["route_model_id"], dear["gate"]) == ("no_saving", "gpt-4o", None)
    assert dear["expected_pico"] == dear["ceiling_pico"] == FLAGSHIP_1000_200
    just = one(frame, parse(toml.format("p_suffices", target, 36.245), where="test"))
    assert (just["outcome"], just["expected_pico"]) == ("moved", FLAGSHIP_1000_200 - 600_000)
    always = one(frame, parse(toml.format("always", "", 36.25), where="test"))
    assert (always["outcome"], always["expected_pico"]) == ("moved", FLAGSHIP_1000_200)


def test_requests_that_share_a_cache_are_compared_together():
    # At 40 times the output the short request alone costs $0.00495 for $0.0045, the long one saves $0.0229 or more.
    ratios = '[assumptions.output_ratios]\n"gpt-4o>gpt-4o-mini" = 40'
    policy = parse(f'decision = "p_suffices"\ntarget = 0.75\n[assumptions]\nescalation = 0\n{ratios}', where="test")
    long = {"turns": 2, "input_tokens": 10_000, "time": dt.datetime(2026, 9, 1, 8, 1, tzinfo=dt.UTC)}
    cold = routed(rows({}, long, difficulty=-6.0, conversation=7), policy)
    assert cold["outcome"].to_list() == ["no_saving", "moved"]
    warm = routed(rows({}, {**long, "cache_read_tokens": 1_000}, difficulty=-6.0, conversation=7), policy)
    assert warm["outcome"].to_list() == ["moved", "moved"]
    assert warm["expected_pico"][0] == 1_000 * 150_000 + 8_000 * 600_000


def test_longer_answers_and_other_tokenizers_scale_tokens():
    ratios = '[assumptions.output_ratios]\n"gpt-4o>gpt-4o-mini" = 1.5'
    toml = f'decision = "p_suffices"\ntarget = 0.75\n[assumptions]\nescalation = 0\n{ratios}'
    row = one(rows({"difficulty": -6.0}), parse(toml, where="test"))
    assert row["ceiling_pico"] == MINI_1000_200
    assert row["expected_pico"] == 1_000 * 150_000 + 300 * 600_000


def test_reasoning_tokens_fall_away_or_grow():
    used = rows({"difficulty": -6.0, "reasoning_tokens": 150})
    gone = one(used, assumed())
    assert gone["expected_pico"] == 1_000 * 150_000 + 50 * 600_000
    grown = one(used, assumed(reasoning_ratio=2.0), catalog(gpt_4o_mini={"reasoning": True}))
    assert grown["expected_pico"] == 1_000 * 150_000 + (50 + 300) * 600_000


def test_a_cascade_pays_for_the_try_the_check_and_the_escalation():
    toml = 'decision = "p_suffices"\ntarget = 0.75\n[cascade]\ncheck_usd = 0.0001\nrecall = 0.9\nfalse_alarm = 0.1'
    row = one(rows({"difficulty": -1.0}), assumed(toml))
    p = float(irt.p_success(0.0, -1.0))
    escalated = (1 - p) * 0.9 + p * 0.1
    assert row["check_pico"] == 100_000_000
    assert math.isclose(row["escalation_pico"], escalated * FLAGSHIP_1000_200, rel_tol=1e-5)
    assert row["expected_pico"] == MINI_1000_200 + row["check_pico"] + row["escalation_pico"]
    assert math.isclose(1 - row["p_suffices"], (1 - float(irt.p_suffices(0.0, 2.0, -1.0))) * 0.1, abs_tol=1e-5)


def test_reads_of_a_cold_cache_become_fresh_input():
    frame = rows({"difficulty": -6.0, "conversation": 7, "input_tokens": 400, "cache_read_tokens": 1_600})
    row = one(frame, assumed())
    assert row["ceiling_pico"] == 400 * 150_000 + 1_600 * 75_000 + 200 * 600_000
    assert row["expected_pico"] == 2_000 * 150_000 + 200 * 600_000


def test_always_small_ignores_difficulty_and_keep_changes_nothing():
    frame = rows({"difficulty": 9.0})
    assert one(frame, load("always-small"))["route_model_id"] == "gpt-4o-mini"
    kept = one(frame, load("keep"))
    assert (kept["outcome"], kept["expected_pico"]) == ("kept_by_policy", kept["cost_pico"])


def test_routellm_sends_the_given_share_to_the_strong_model():
    difficulties = np.linspace(-6, 2, 400)
    frame = rows(*({"difficulty": float(value)} for value in difficulties))
    toml = 'decision = "strong_wins"\nstrong_share = 0.25\n[ladders]\npair = ["gpt-4o-mini", "gpt-4o"]'
    done = routed(frame, assumed(toml))
    strong = done.filter(pl.col("route_model_id") == "gpt-4o")
    assert strong.height == 100
    score = 1 - irt.p_suffices(np.zeros(400), np.full(400, 2.0), difficulties)
    assert set(strong["difficulty"].to_list()) == set(np.float32(difficulties[np.argsort(score)[-100:]]).tolist())


def test_bedrock_moves_where_the_difference_in_quality_is_small():
    toml = 'decision = "quality_difference"\nquality_difference = 0.2\n[ladders]\npair = ["gpt-4o-mini", "gpt-4o"]'
    difficulties = np.linspace(-6, 6, 49)
    done = routed(rows(*({"difficulty": float(value)} for value in difficulties)), assumed(toml))
    gap = irt.p_success(np.full(49, 2.0), difficulties) - irt.p_success(np.zeros(49), difficulties)
    assert (done["outcome"] == "moved").to_list() == (gap <= 0.2).tolist()


def test_an_unknown_ladder_model_is_an_error():
    with pytest.raises(UsageError, match="no-such"):
        routed(rows({}), assumed('target = 0.75\n[ladders]\nmine = ["no-such", "gpt-4o"]'))


def test_a_ladder_called_any_serves_every_other_model():
    frame = rows({"difficulty": -6.0, "model": "gpt-4.1-mini"})
    assert one(frame, assumed('target = 0.75\n[ladders]\nmine = ["gpt-4o"]'))["outcome"] == "not_in_ladder"
    assert one(frame, assumed('target = 0.75\n[ladders]\nany = ["gpt-4o-mini"]'))["route_model_id"] == "gpt-4o-mini"


@given(st.integers(0, 10_000), st.floats(0.3, 0.95))
@settings(max_examples=12, deadline=None)
def test_a_lower_target_moves_what_a_higher_one_does_and_nothing_climbs(seed, target):
    frame = many(200, seed=seed).with_columns(
        provider=pl.lit("openai", pl.Categorical), model=pl.lit("gpt-4o", pl.Categorical)
    )
    high = routed(frame, assumed(f"target = {target}"))
    low = routed(frame, assumed(f"target = {target - 0.2}"))
    assert ((low["outcome"] == "moved") | (high["outcome"] != "moved")).all()
    assert (low["ceiling_pico"] <= high["ceiling_pico"]).all()
    assert (high["ceiling_pico"] <= high["cost_pico"]).all()


def test_a_log_without_times_is_routed_to_what_is_on_offer_now():
    models = catalog(gpt_4o_mini={"retired": dt.date(2026, 1, 1)})
    assert one(rows({"difficulty": -6.0, "time": None}), assumed(), models)["route_model_id"] == "gpt-4.1-mini"


def test_nothing_moves_to_a_model_about_to_go():
    soon, later = dt.date(2026, 11, 1), dt.date(2027, 3, 1)
    frame = rows({"difficulty": -6.0})
    assert one(frame, assumed(), catalog(gpt_4o_mini={"retired": soon}))["route_model_id"] == "gpt-4.1-mini"
    assert one(frame, assumed(), catalog(gpt_4o_mini={"retired": later}))["route_model_id"] == "gpt-4o-mini"


def test_a_model_that_another_beats_is_no_step_of_the_ladder():
    # As able, as capable and cheaper: gpt-4.1-mini is never needed.
    models = catalog({"gpt-4o": 6.0, "gpt-4.1-mini": 1.0, "gpt-4o-mini": 1.0})
    frame = rows({"difficulty": -6.0, "needs_vision": True})
    assert one(frame, assumed(), models)["route_model_id"] == "gpt-4o-mini"
    blind = catalog({"gpt-4o": 6.0, "gpt-4.1-mini": 1.0, "gpt-4o-mini": 1.0}, gpt_4o_mini={"vision": False})
    assert one(frame, assumed(), blind)["route_model_id"] == "gpt-4.1-mini"


@pytest.mark.parametrize("hour", [2, 12])
def test_a_model_bought_from_its_developer_costs_what_it_does_at_the_request_s_time_of_day(hour):
    time = dt.datetime(2026, 9, 22, hour, tzinfo=dt.UTC)
    policy = parse('decision = "always"\n[ladders]\nany = ["deepseek-v4-pro", "gpt-4o"]', where="test policy")
    book = PriceBook()
    frame = rows({"time": time, "input_tokens": 1_000, "output_tokens": 100})
    [routed] = route(price(frame, book), policy, catalog=Catalog.load(), book=book).iter_rows(named=True)
    key = pl.DataFrame({"provider": "deepseek", "model": "deepseek-v4-pro", "time": [time]})
    rates = rates_for(key.cast({"time": pl.Datetime("us", "UTC")}), book).row(0, named=True)
    assert routed["route_model_id"] == "deepseek-v4-pro"
    assert routed["ceiling_pico"] == 1_000 * rates["input_rate"] + 100 * rates["output_rate"]
