"""Preference gaps of routes, and the bound that a policy may set on them."""

import math

import numpy as np
import pytest
from tests.audit.build import catalog, rows

from llm_audit.audit.sections.preference import PreferenceGaps, preference_counts, preference_gaps
from llm_audit.errors import UsageError
from llm_audit.policy import PRESETS, Plan, load, parse, plan, route, traffic_of, with_models
from llm_audit.pricing import PriceBook, price

KNOWN = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.9})
EASY = {"difficulty": -5.0}
OVERALL = math.tanh(18.5 * math.log(10) / 800)
"""gpt-4o of August 2024 over gpt-4o-mini: 18.5 points on the overall board, 31 on that of creative writing."""


def policy(bound: str = ""):
    return parse(f'decision = "always"\n{bound}', where="test policy")


def planned(frame, rule, known=KNOWN) -> Plan:
    book = PriceBook()
    named = with_models(price(frame, book), known)
    return plan(traffic_of(named, known), rule, catalog=known, book=book)


def gaps(applied: Plan) -> PreferenceGaps:
    return preference_gaps(preference_counts(applied), applied.models)


def outcomes(frame, rule, known=KNOWN) -> list[str]:
    return route(price(frame, PriceBook()), rule, catalog=known, book=PriceBook())["outcome"].to_list()


def test_a_moved_request_has_the_gap_of_its_category_and_language():
    asked = [{**EASY, "category": "support"}, {**EASY, "category": "writing"}, {**EASY, "category": "tool_use"}]
    frame = rows(*asked, {**EASY, "category": "support", "language": "ko"}, {"judged": "abstained"})
    found = route(price(frame, PriceBook()), policy(), catalog=KNOWN, book=PriceBook())["preference_gap"].to_list()
    assert found[0] == pytest.approx(OVERALL, abs=2e-3)
    assert found[1] == pytest.approx(math.tanh(31 * math.log(10) / 800), abs=2e-3)
    assert found[2] is None  # nobody reads a tool call
    assert found[3] > found[1]
    assert found[4] is None  # kept


def test_the_mean_is_over_moved_requests_whose_gap_is_known():
    frame = rows({**EASY, "category": "support"}, {**EASY, "category": "tool_use"}, {"judged": "abstained"})
    found = gaps(planned(frame, policy()))
    assert found.overall is not None
    assert (found.overall.known_requests, found.overall.moved_requests) == (1, 2)
    assert found.overall.gap == pytest.approx(OVERALL, abs=2e-3)
    assert found.overall.low < found.overall.gap < found.overall.high
    assert found.by_route == {("gpt-4o", "gpt-4o-mini"): found.overall}


def test_nothing_moved_has_no_gap_and_nothing_known_an_unknown_one():
    assert gaps(planned(rows(EASY), load("keep"))).overall is None
    found = gaps(planned(rows({**EASY, "category": "tool_use"}), policy())).overall
    assert found is not None
    assert (found.gap, found.known_requests, found.moved_requests) == (None, 0, 1)


@pytest.mark.parametrize(("bound", "moved"), [(5.2, False), (5.5, True), (100, True)])
def test_a_bound_keeps_what_readers_would_miss(bound, moved):
    rule = policy(f"max_preference_gap = {bound}")
    assert outcomes(rows({**EASY, "category": "support"}), rule) == ["moved" if moved else "no_capable_model"]


def test_an_unknown_gap_is_within_no_bound():
    frame = rows({**EASY, "category": "tool_use"})
    assert outcomes(frame, policy("max_preference_gap = 100")) == ["no_capable_model"]
    assert outcomes(frame, policy()) == ["moved"]


def test_only_named_categories_are_bounded():
    frame = rows(*({**EASY, "category": name} for name in ("writing", "support", "tool_use")))
    rule = policy("[max_preference_gap]\nwriting = 5")
    assert outcomes(frame, rule) == ["no_capable_model", "moved", "moved"]
    rule = policy("[max_preference_gap]\ndefault = 20\nwriting = 5")
    assert outcomes(frame, rule) == ["no_capable_model", "moved", "no_capable_model"]


@pytest.mark.parametrize(
    ("bound", "message"),
    [
        ("max_preference_gap = -1", "out of range"),
        ("max_preference_gap = 101", "out of range"),
        ('max_preference_gap = "few"', "max_preference_gap"),
        ("[max_preference_gap]\nwritting = 5", "Did you mean"),
    ],
)
def test_a_bound_is_validated(bound, message):
    with pytest.raises(UsageError, match=message):
        policy(bound)


def test_presets_bound_nothing():
    assert all(not load(name).max_preference_gap for name in PRESETS)
    assert np.isinf(load("small-by-default").preference_limits()).all()
