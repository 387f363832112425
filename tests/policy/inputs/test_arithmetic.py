"""Compiled arithmetic gives what NumPy gives, to the bit, for any tokens, rates, routes and assumptions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.audit.build import many

from llm_audit.catalog import Catalog
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy import load, plan, traffic_of, with_models
from llm_audit.policy.counterfactual import costs, prompt_caches, runs
from llm_audit.policy.counterfactual.costs import same_tokens
from llm_audit.policy.counterfactual.inputs import CounterfactualInputs
from llm_audit.policy.counterfactual.lengths import Scenario, scenario
from llm_audit.policy.counterfactual.runs import spent
from llm_audit.policy.counterfactual.shared_caches import SharedCaches
from llm_audit.policy.inputs import judge
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.routing import traces
from llm_audit.policy.routing.plan import RoutePlan
from llm_audit.pricing import PriceBook, price

COUNT = 150
SEEDS = st.integers(0, 2**32 - 1)


@cache
def routes() -> RoutePlan:
    known, book = Catalog.load(), PriceBook()
    named = with_models(price(many(COUNT, seed=7, conversations=40, templates=5), book), known)
    return plan(traffic_of(named, known), load("small-by-default"), catalog=known, book=book).routes


def odd(chance: np.random.Generator) -> CounterfactualInputs:
    """The same requests with other tokens, of any size, and other rates, some unknown."""
    inputs = routes().inputs
    most = chance.choice([3, 10**5, 2**31 - 1, 2**53 + 1, 2**62])

    def counts() -> np.ndarray:
        found = chance.integers(0, most, COUNT, endpoint=True) * (chance.random(COUNT) < 0.7)
        nothing = np.broadcast_to(np.int32(0), COUNT)
        return nothing if chance.random() < 0.3 else found.astype(np.int32 if most < 2**31 else np.int64)

    requests = replace(
        inputs.requests,
        tokens={kind: counts() for kind in TOKEN_TYPES},
        reasoning_tokens=counts(),
        per_call_cost=counts(),
    )
    table = inputs.rates.rates
    charged = chance.integers(-1, chance.choice([2, 10**7, 2**40]), table.shape)
    rates = replace(inputs.rates, rates=np.where(chance.random(table.shape) < 0.2, -1, charged))
    return replace(inputs, requests=requests, rates=rates)


def assumed(chance: np.random.Generator) -> Scenario:
    values = {name: float(chance.choice([0, 0.3, 1, 1.7])) for name in Scenario.__slots__ if name != "same_tokens"}
    return scenario(routes().policy.assumptions, **values)


def by_both(module: object, ask: Callable[[], object]) -> tuple[object, object]:
    found = ask()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COMPILED", False)
        return found, ask()


@settings(max_examples=60, deadline=None)
@given(SEEDS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of whole numbers that no route of a log has
def test_runs(seed: int) -> None:
    chance = np.random.default_rng(seed)
    inputs, ladder = odd(chance), routes().ladder
    rows = np.sort(chance.choice(COUNT, chance.integers(0, COUNT), replace=False))
    used, read = inputs.requests.used[rows], inputs.requests.tokens["cache_read"][rows].astype(np.int64)
    position = chance.integers(-1, ladder.shape[1], len(rows)).astype(np.int32)
    there = np.where((position == NONE) | (used == NONE), NONE, ladder[used, position])
    position = np.where(there == NONE, NONE, position)
    route = np.where(there == NONE, used, there).astype(np.int32)
    warm = np.rint(read * chance.choice([0, 0.4, 1], len(rows))).astype(np.int64)
    values = assumed(chance)

    def ask() -> tuple[np.ndarray, np.ndarray]:
        policy = routes().policy
        return spent(inputs, rows, position=position, route=route, warm=warm, policy=policy, values=values)

    (found, kept), (other, other_kept) = by_both(runs, ask)
    assert found.tolist() == other.tolist()
    assert kept.tolist() == other_kept.tolist()


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_offers(seed: int) -> None:
    chance = np.random.default_rng(seed)
    inputs = odd(chance)
    groups, table = inputs.groups, inputs.rates
    rows = np.sort(chance.choice(COUNT, chance.integers(0, COUNT), replace=False))
    turn = chance.integers(-1, table.rows.shape[1] - 1, len(groups)).astype(np.int32)
    rates_of = table.rows[groups.key, turn]
    found, other = by_both(
        costs, lambda: same_tokens(inputs.requests, rows, table.rates, rates_of=rates_of, group=groups.of)
    )
    assert found.tolist() == other.tolist()


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_curves(seed: int) -> None:
    chance = np.random.default_rng(seed)
    inputs = routes().inputs
    low, high = inputs.whole.reach
    difficulty = np.clip(chance.normal(0, 9, COUNT), low, high).astype(chance.choice([np.float32, np.float64]))
    used, candidate = (chance.choice(inputs.whole.used, COUNT) for _ in range(2))
    skill = chance.integers(0, len(inputs.models.skills), COUNT)
    found, other = by_both(judge, lambda: inputs.judge.compared(used, candidate, skill, difficulty))
    for one, twin in zip(found, other, strict=True):
        assert np.array_equal(one, twin, equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_caches(seed: int) -> None:
    chance = np.random.default_rng(seed)
    log = routes().inputs.caches
    some = len(log.row)
    log = replace(
        log,
        read=chance.integers(0, 3, some) * 1000,
        prefix=chance.integers(0, 4000, some),
        hour=chance.random(some) < 0.5,
        time=np.sort(chance.integers(0, chance.choice([10**8, 10**10]), some)),
        shared=chance.integers(0, 2, some) * 1500,
    )
    read = np.zeros(COUNT, dtype=np.int64)
    read[log.row] = log.read
    route = np.full(COUNT, NONE, dtype=np.int32)
    route[log.row] = np.where(chance.random(some) < 0.5, log.used, chance.integers(-1, 3, some))
    shared = SharedCaches.none(always=bool(chance.random() < 0.5))
    moved = chance.random(COUNT) < 0.6
    for ask in (
        lambda: prompt_caches.warm_reads(log, read=read, route=route, shared=shared),
        lambda: prompt_caches.repeat_reads(log, read=read, route=route, moved=moved, shared=shared),
    ):
        found, other = by_both(prompt_caches, ask)
        assert found.tolist() == other.tolist()


@pytest.mark.skipif(not runs.COMPILED, reason="not compiled")
def test_columns_that_do_not_fit_are_refused() -> None:
    from llm_audit.policy.inputs import _arithmetic

    one, table = np.zeros(1, dtype=np.int64), np.zeros((1, 7), dtype=np.int64)
    offered = [one, one, one, table, one, *[one] * 7, one.copy()]
    assert _arithmetic.offers(*offered) is None
    for place in range(len(offered)):
        for wrong in (np.array([5]), np.array([-1]), np.zeros(2, dtype=np.int64)[::2], np.zeros(1), np.zeros((1, 6))):
            if place in {4, *range(5, 12)} and wrong.dtype == np.int64 and len(wrong) == 1:
                continue  # a count may be any whole number
            if place in {0, 1, 2, 12} and wrong.dtype == np.int64 and len(wrong) == 1 and not wrong.any():
                continue
            if place == len(offered) - 1 and wrong.dtype == np.int64 and len(wrong) == 1:
                continue  # to be filled in
            with pytest.raises(ValueError, match="fit|kind"):
                _arithmetic.offers(*offered[:place], wrong, *offered[place + 1 :])
    with pytest.raises(ValueError, match="fit"):
        _arithmetic.offers(one)
    curve = np.zeros((1, 4))
    scale = np.array([12.0, 0.5, 24.0, 2.0])
    assert _arithmetic.curves(one, np.zeros(1), curve, scale, np.zeros((2, 1))) is None
    for difficulty in (np.nan, 0.6, -0.1, 1e300):
        with pytest.raises(ValueError, match="fit"):
            _arithmetic.curves(one, np.array([difficulty]), curve, scale, np.zeros((2, 1)))


def test_a_column_of_one_value_is_read_as_such() -> None:
    inputs = routes().inputs
    nothing = np.broadcast_to(np.int64(0), COUNT)
    tokens = {kind: np.broadcast_to(np.int64(3), COUNT) for kind in TOKEN_TYPES}
    requests = replace(inputs.requests, tokens=tokens, per_call_cost=nothing)
    groups = inputs.groups
    rates_of = np.zeros(len(groups), dtype=np.int32)
    found = same_tokens(
        requests, np.arange(COUNT), np.full((1, 7), 2, dtype=np.int64), rates_of=rates_of, group=groups.of
    )
    assert pl.Series(found).unique().to_list() == [3 * 2 * 7]


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 12), st.integers(1, 4))
def test_trees(seed: int, count: int, options: int) -> None:
    chance = np.random.default_rng(seed)
    most = chance.choice([4, 10**6, 2**53])  # of which the last are not added without rounding
    own, switch = (chance.integers(0, most, (count, options)).astype(float) for _ in range(2))
    own[chance.random(own.shape) < 0.3] = np.inf
    switch *= chance.choice([0.0, 1.0, 0.5])
    model = chance.integers(-1, 2, own.shape).astype(np.int32)
    parent = np.array([chance.integers(-1, node) if node else -1 for node in range(count)], dtype=np.int32)
    found, other = by_both(traces, lambda: traces.least_cost(own, switch, model, parent))
    for one, twin in zip(found, other, strict=True):
        assert np.array_equal(one, twin)
