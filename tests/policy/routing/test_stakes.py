"""Where a wrong answer could do harm, a policy's stricter limits hold a request that would move otherwise."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audit.build import START, catalog, many, rows

from llm_audit.catalog import Catalog
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import Plan, load, parse, plan, route, traffic_of, with_models
from llm_audit.policy.counterfactual.shared_caches import SharedCaches
from llm_audit.policy.routing.plan import alone, decided, left_by
from llm_audit.policy.routing.resettled import resettled
from llm_audit.policy.routing.without_stakes import freed, freed_places
from llm_audit.pricing import PriceBook, price
from llm_audit.vocabulary import Stakes

BOOK = PriceBook()
DECISIONS = {
    "quality_loss": 'decision = "quality_loss"\nmax_quality_loss = 30',
    "p_suffices": "target = 0.5",
    "always": 'decision = "always"',
    "quality_difference": 'decision = "quality_difference"\nquality_difference = 0.3\n'
    '[ladders]\nours = ["gpt-4o-mini", "gpt-4o"]',
}


def outcomes(toml: str, *given: dict[str, object], known: Catalog | None = None) -> list[str]:
    policy = parse(toml, where="test policy")
    found = route(price(rows(*given), BOOK), policy, catalog=known or catalog(), book=BOOK)
    moved = found["model_id"] != found["route_model_id"]
    return ["moved" if flag else "kept" for flag in moved.to_list()]


def planned(frame: pl.DataFrame, toml: str, known: Catalog) -> Plan:
    named = with_models(price(frame, BOOK), known)
    return plan(traffic_of(named, known), parse(toml, where="test policy"), catalog=known, book=BOOK)


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("limit", ["keep = true", "max_quality_loss = 0.5", "min_success = 0.99"])
def test_a_request_with_stakes_is_held_where_the_same_one_without_moves(decision, limit):
    easy = {"difficulty": -2.0}
    toml = f"{DECISIONS[decision]}\n[stakes.medical]\n{limit}"
    assert outcomes(toml, {**easy, "stakes": "medical"}, easy) == ["kept", "moved"]
    assert outcomes(DECISIONS[decision], {**easy, "stakes": "medical"}) == ["moved"]


def test_a_route_within_the_limits_is_taken():
    trivial = {"difficulty": -9.0, "stakes": "legal"}
    toml = f"{DECISIONS['quality_loss']}\n[stakes.default]\nmax_quality_loss = 2\nmin_success = 0.9"
    assert outcomes(toml, trivial, {"difficulty": -1.0, "stakes": "legal"}) == ["moved", "kept"]


def test_only_the_kinds_that_are_named_are_held():
    easy = [{"difficulty": -2.0, "stakes": kind.value} for kind in Stakes]
    one = f"{DECISIONS['quality_loss']}\n[stakes.security]\nkeep = true"
    assert outcomes(one, *easy) == ["kept" if kind is Stakes.SECURITY else "moved" for kind in Stakes]
    others = f"{DECISIONS['quality_loss']}\n[stakes.default]\nkeep = true\n[stakes.security]\nkeep = false"
    assert outcomes(others, *easy) == ["moved" if kind is Stakes.SECURITY else "kept" for kind in Stakes]


def test_a_check_that_finds_bad_answers_counts_towards_the_limit():
    asked = {"difficulty": -2.0, "stakes": "medical"}
    toml = f"{DECISIONS['quality_loss']}\n[stakes.medical]\nmax_quality_loss = 2"
    cascade = "\n[cascade]\ncheck_usd = 0\nrecall = 0.95\nfalse_alarm = 0"
    assert outcomes(toml, asked) == ["kept"]
    assert outcomes(toml + cascade, asked) == ["moved"]


@given(difficulty=st.floats(-8, 3), used=st.floats(-1, 3), small=st.floats(-2, 3))
@settings(max_examples=20, deadline=None)
def test_nothing_moves_with_stakes_that_would_not_move_without(difficulty, used, small):
    known = catalog({"gpt-4o": used, "gpt-4o-mini": small})
    frame = rows(*({"difficulty": difficulty, "stakes": kind} for kind in (None, *Stakes)))
    found = route(price(frame, BOOK), load("small-by-default"), catalog=known, book=BOOK)
    free, *held = (found["outcome"] == "moved").to_list()
    assert free >= max(held)
    moved = found.filter((pl.col("outcome") == "moved") & pl.col("stakes").is_not_null())
    assert (moved["quality_loss"] <= 0.02).all()


def test_a_tool_loop_with_a_step_at_stake_is_held_as_a_whole():
    step = {"difficulty": -4.0, "trace": 7, "conversation": 7, "calls_tools": True, "answers_tools": True}
    loop = [
        {**step, "turns": turn, "time": START + dt.timedelta(seconds=turn), "request_key": turn} for turn in (1, 2, 3)
    ]
    toml = f"{DECISIONS['quality_loss']}\nscope = 'trace'\n[stakes.destructive]\nkeep = true"
    assert outcomes(toml, *loop) == ["moved"] * 3
    loop[1]["stakes"] = "destructive"
    assert outcomes(toml, *loop)[1] == "kept"


def staked(frame: pl.DataFrame, every: int = 5) -> pl.DataFrame:
    """Put something at stake in one of so many requests."""
    kinds = [kind.value for kind in Stakes]
    column = [kinds[number % len(kinds)] if number % every == 0 else None for number in range(frame.height)]
    return frame.with_columns(stakes=pl.Series(column, dtype=SCHEMA["stakes"]))


@pytest.mark.parametrize("scope", ["request", "trace"])
@given(seed=st.integers(0, 2**16))
@settings(max_examples=3, deadline=None)  # of 250 requests each
def test_the_plan_without_stakes_is_that_of_the_policy_without_the_table(scope, seed):
    frame, known = staked(many(250, seed=seed, conversations=400, templates=6)), Catalog.load()
    plain = (
        load("small-by-default")
        .toml.split("# Where a wrong")[0]
        .replace("lost_answer", f"scope='{scope}'\nlost_answer")
    )
    limited = planned(frame, f"{plain}\n[stakes.default]\nmax_quality_loss = 0.5\nmin_success = 0.97", known)
    free, found = planned(frame, plain, known), limited.without_stakes()
    assert found is not None
    assert (found.route == free.route).all()
    assert (found.costs().total == free.costs().total).all()


def test_there_is_no_other_plan_where_no_request_is_limited():
    frame, known = staked(many(60)), Catalog.load()
    toml = f"{DECISIONS['quality_loss']}\n[stakes.medical]\nkeep = true"
    assert planned(frame.with_columns(stakes=pl.lit(None, SCHEMA["stakes"])), toml, known).without_stakes() is None
    assert planned(frame, DECISIONS["quality_loss"], known).without_stakes() is None
    found = planned(frame, toml, known)
    assert found.without_stakes() is not None
    medical = found.requests.stakes == 1 + list(Stakes).index(Stakes.MEDICAL)
    assert not found.moved[medical].any()
    assert np.count_nonzero(medical) == 12


def test_what_is_settled_again_without_stakes_is_what_settling_everything_gives() -> None:
    limits = f"{DECISIONS['quality_loss']}\n[stakes.default]\nkeep = true"
    frame = many(300, conversations=60, templates=5, seed=3)
    held = np.arange(len(frame)) % 5 == 0
    frame = frame.with_columns(stakes=pl.when(pl.Series(held)).then(pl.lit("legal")).cast(SCHEMA["stakes"]))
    routes = planned(frame, limits, Catalog.load()).routes
    routes = decided(routes.inputs, routes.ladder, routes.policy, SharedCaches.none())
    _, first = freed_places(routes, np.flatnonzero(held))
    changed = first != routes.choice.position
    found, expected = resettled(alone(routes), first, changed), alone(freed(routes, np.flatnonzero(held)))
    assert 0 < changed.sum() < routes.inputs.tied(changed).sum() < len(frame)
    assert (found.choice.position != expected.choice.position).sum() == 0
    assert left_by(found).equals(left_by(expected))
