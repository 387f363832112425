"""The decision by quality loss: what it moves, for whom, and what it never rests on."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audit.build import START, catalog, many, rows

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.policy import load, parse, plan, read_models, route, routed_costs, traffic_of, with_models
from llm_audit.policy.inputs.judge import Judge
from llm_audit.policy.inputs.models import CATEGORIES, SKILLS
from llm_audit.pricing import PriceBook, price

CODE, WRITING, TOOL_USE = (CATEGORIES.index(name) for name in ("code", "writing", "tool_use"))


def policy(limit: float = 2.0, **keys: object):
    lines = "\n".join(f"{key} = {str(value).lower()}" for key, value in keys.items())
    return parse(f'decision = "quality_loss"\nmax_quality_loss = {limit}\n{lines}', where="test policy")


def routed(frame: pl.DataFrame, known: Catalog, rule=None) -> pl.DataFrame:
    book = PriceBook()
    return route(price(frame, book), rule or policy(), catalog=known, book=book)


def test_a_model_loses_nothing_against_itself_and_a_weak_one_can_be_replaced():
    known = catalog({"gpt-4o": -1.0, "gpt-4o-mini": -1.0})
    judge = Judge.of(read_models(known.frame), known=np.arange(2))
    hard = np.linspace(-4, 4, 33, dtype=np.float32)
    own = judge.loss(*(np.full(33, value) for value in (0, 0, CODE)), hard)
    assert own == pytest.approx(np.zeros(33), abs=1e-9)
    moved = routed(rows({"difficulty": -1.0, "category": "code"}), known)
    assert moved["outcome"].to_list() == ["moved"]
    # By P(suffices) the same model would not have passed for itself.
    assert judge.suffices(*(np.full(1, value) for value in (0, 0, CODE)), np.float32([-1.0]))[0] < 0.9


def test_hard_prompts_stay_and_easy_ones_move():
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 0.5})
    moved = routed(rows({"difficulty": -6.0}, {"difficulty": 1.0}), known)
    assert moved["outcome"].to_list() == ["moved", "no_capable_model"]
    assert moved["quality_loss"][0] < 0.02


@given(difficulty=st.floats(-6, 4), used=st.floats(-2, 3), small=st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_the_loss_is_the_mean_of_what_two_runs_would_show(difficulty, used, small):
    known = catalog({"gpt-4o": used, "gpt-4o-mini": small})
    models = read_models(known.frame)
    large, other = models.index()["gpt-4o"], models.index()["gpt-4o-mini"]
    judge = Judge.of(models, known=np.arange(2))
    found = judge.loss(np.array([large]), np.array([other]), np.array([CODE]), np.float32([difficulty]))[0]
    # Hidden difficulties by quadrature, apart from the code under test.
    from llm_audit.classify.constants import RESIDUAL_SD

    nodes = np.random.default_rng(0).normal(0, RESIDUAL_SD, 200_000) + np.float32(difficulty)
    p_used, p_small = (1 / (1 + np.exp(nodes - ability)) for ability in (used, small))
    assert found == pytest.approx(float((p_used * (p_used - p_small)).mean()), abs=4e-3)


def test_models_that_nobody_measured_are_no_candidates_unless_asked_for():
    unmeasured = {f"measured_{name}": False for name in CATEGORIES}
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.9}, gpt_4o_mini=unmeasured)
    frame = rows({"difficulty": -5.0})
    assert routed(frame, known)["outcome"].to_list() == ["unmeasured"]
    assert routed(frame, known, policy(unmeasured=True))["outcome"].to_list() == ["moved"]


def test_a_category_without_scores_keeps_its_requests():
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.9}, gpt_4o_mini={"measured_code": False})
    moved = routed(rows({"difficulty": -5.0, "category": "code"}, {"difficulty": -5.0, "category": "writing"}), known)
    assert moved["outcome"].to_list() == ["unmeasured", "moved"]


def test_what_unmeasured_models_would_add_is_said_apart():
    unmeasured = {f"measured_{name}": False for name in CATEGORIES}
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.9}, gpt_4o_mini=unmeasured)
    book = PriceBook()
    named = with_models(price(rows({"difficulty": -5.0}), book), known)
    applied = plan(traffic_of(named, known), policy(), catalog=known, book=book)
    other = applied.with_unmeasured()
    assert not applied.moved.any()
    assert other is not None
    assert other.moved.all()
    everything = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.9})
    named = with_models(price(rows({"difficulty": -5.0}), book), everything)
    assert plan(traffic_of(named, everything), policy(), catalog=everything, book=book).with_unmeasured() is None


def test_no_preset_rests_on_an_unmeasured_model():
    book, known = PriceBook(), Catalog.load()
    measured = {row["model_id"]: row for row in known.frame.iter_rows(named=True)}
    for name in ("small-by-default", "cheapest-capable"):
        found = route(price(many(600, seed=3), book), load(name), catalog=known, book=book)
        for row in found.filter(pl.col("outcome") == "moved").iter_rows(named=True):
            assert measured[row["route_model_id"]][f"measured_{row['category']}"], row["route_model_id"]


def test_a_tool_loop_is_judged_by_the_lower_of_its_category_and_tool_use():
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.9}, gpt_4o_mini={"ability_tool_use": -1.0})
    models = read_models(known.frame)
    small = models.index()["gpt-4o-mini"]
    by_skill = models.by_skill(models.ability)[small]
    assert (by_skill[SKILLS.index("code")], by_skill[SKILLS.index("code+tool_use")]) == (1.9, -1.0)
    step = {"difficulty": -2.0, "category": "code", "calls_tools": True}
    moved = routed(rows(step, {**step, "calls_tools": False}), known)
    assert moved["outcome"].to_list() == ["no_capable_model", "moved"]


def test_a_lost_answer_has_a_price():
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.0})
    frame = rows({"difficulty": -2.0})
    assert routed(frame, known, policy(5))["outcome"].to_list() == ["moved"]
    assert routed(frame, known, policy(5, lost_answer_usd=10.0))["outcome"].to_list() == ["no_capable_model"]


def test_limits_differ_by_category():
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.0})
    rule = parse('decision = "quality_loss"\n[max_quality_loss]\ndefault = 5\ncode = 0.1', where="test policy")
    frame = rows({"difficulty": -2.0, "category": "code"}, {"difficulty": -2.0, "category": "writing"})
    assert routed(frame, known, rule)["outcome"].to_list() == ["no_capable_model", "moved"]
    with pytest.raises(UsageError, match="Did you mean"):
        parse('decision = "quality_loss"\n[max_quality_loss]\ndefault = 5\ncod = 0.1', where="test policy")


def test_a_repeat_finds_the_old_model_s_cache_cold():
    """Two turns of a conversation move: a repeat of the second pays for its cached 4,000 tokens as fresh input."""
    turn = {"conversation": 9, "template_hash": 4, "difficulty": -6.0, "output_tokens": 100}
    frame = rows(
        {**turn, "input_tokens": 4_000, "time": START},
        {**turn, "input_tokens": 500, "cache_read_tokens": 4_000, "time": START + dt.timedelta(minutes=1), "turns": 2},
    )
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.9})
    moved = routed(frame, known)
    assert moved["outcome"].to_list() == ["moved", "moved"]
    premium = 4_000 * (2_500_000 - 1_250_000)  # pico-dollars: $2.50 instead of $1.25 a million
    assert (moved["repeat_pico"] - moved["cost_pico"]).to_list() == [0, premium]


def test_a_repeat_finds_what_a_kept_neighbour_left():
    turn = {"conversation": 9, "template_hash": 4, "output_tokens": 100}
    frame = rows(
        {**turn, "input_tokens": 4_000, "time": START, "difficulty": 3.0},
        {
            **turn,
            "input_tokens": 500,
            "cache_read_tokens": 4_000,
            "time": START + dt.timedelta(minutes=1),
            "turns": 2,
            "difficulty": -6.0,
        },
    )
    moved = routed(frame, catalog({"gpt-4o": 2.0, "gpt-4o-mini": 0.0}))
    assert moved["outcome"].to_list() == ["no_capable_model", "moved"]
    assert moved["repeat_pico"].to_list() == moved["cost_pico"].to_list()


def test_an_extra_step_costs_the_mean_of_steps_whose_caches_a_move_has_left_cold():
    """The first of two steps stays, so the second reads nothing on its route: 4,000 fresh tokens at $0.15 a million."""
    step = {"conversation": 9, "template_hash": 4, "output_tokens": 0, "calls_tools": True}
    later = {"time": START + dt.timedelta(minutes=1), "turns": 2, "input_tokens": 1_000, "cache_read_tokens": 3_000}
    frame = rows({**step, "difficulty": 5.0, "input_tokens": 4_000}, {**step, "difficulty": -6.0, **later})
    fixed = "extra_steps = 1\nescalation = 0\ntokenizer_ratio = 1"
    toml = f'decision = "quality_loss"\nmax_quality_loss = 5\nmin_success = 0.8\n[assumptions]\n{fixed}'
    moved = routed(frame, catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.9}), parse(toml, where="test policy"))
    assert moved["outcome"].to_list() == ["no_capable_model", "moved"]
    kept, route = 4_000 * 2_500_000, 4_000 * 150_000
    assert moved["extra_steps_pico"].to_list() == [0, (kept + route) // 2]


POLICIES = st.one_of(
    st.builds(policy, st.floats(0.1, 30), lost_answer_usd=st.floats(0, 0.1), unmeasured=st.booleans()),
    st.sampled_from([load(name) for name in ("small-by-default", "cheapest-capable", "always-small", "keep")]),
    st.builds(
        lambda target, steps, reasoning: parse(
            f"target = {target}\nunmeasured = true\n"
            f"[assumptions]\nextra_steps = {steps}\nreasoning_ratio = {reasoning}",
            where="test policy",
        ),
        st.floats(0.3, 0.97),
        st.floats(0, 2),
        st.floats(0, 5),
    ),
)


@given(rule=POLICIES, seed=st.integers(0, 2**16), conversations=st.integers(3, 80))
@settings(max_examples=8, deadline=None)  # of 160 requests each
def test_the_ceiling_is_above_and_the_floor_below_what_is_expected_for_every_request(rule, seed, conversations):
    book, known = PriceBook(), Catalog.load()
    frame = many(160, seed=seed, conversations=conversations, templates=7)
    named = with_models(price(frame, book), known)
    costs = routed_costs(plan(traffic_of(named, known), rule, catalog=known, book=book))
    assert (costs.ceiling_pico <= costs.expected_pico).all()
    assert (costs.expected_pico <= costs.floor_pico).all()
