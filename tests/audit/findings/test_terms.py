"""Owners, effort and condition of a finding."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from llm_audit.audit.aggregate.rollups import ROLLUPS
from llm_audit.audit.findings.terms import condition, effort, owners, shown
from llm_audit.document.audit import Owner

NANO = 10**9


def sums(*given: dict[str, Any]) -> pl.DataFrame:
    """Return rows of the rollup ``subjects`` of requests that move."""
    rows = [{"team": None, "app": None} | dict.fromkeys(ROLLUPS["subjects"].sums, 0) | row for row in given]
    return pl.DataFrame(rows, schema_overrides={"team": pl.String, "app": pl.String}, infer_schema_length=None)


def test_owners_are_all_apps_of_a_template_by_their_share_of_the_moved_cost():
    # Of $100 that moves, search has 30 + 20, chat 40, and requests of no app 10.
    found = owners(
        sums(
            {"team": "core", "app": "search", "cost_pico": 30},
            {"team": "care", "app": "chat", "cost_pico": 40},
            {"team": "core", "app": "search", "cost_pico": 20},
            {"cost_pico": 10},
        )
    )
    assert found == [
        Owner(team="core", app="search", share=0.5),
        Owner(team="care", app="chat", share=0.4),
        Owner(team=None, app=None, share=0.1),
    ]


def test_owners_without_cost_have_no_share():
    assert owners(sums({"team": "core", "app": "a"})) == [Owner(team="core", app="a", share=None)]


def test_ten_owners_are_shown_and_the_others_counted():
    found = [Owner(team=None, app=str(number), share=0.01) for number in range(13)]
    first, others = shown(found)
    assert first == found[:10]
    assert others == 3
    assert shown(found[:4]) == (found[:4], 0)


@pytest.mark.parametrize(
    ("names", "moves", "expected"),
    [
        ([("core", "a")], 1, "low"),
        ([("core", "a")], 2, "medium"),
        ([("core", "a"), ("core", "b")], 1, "medium"),
        ([("core", "a"), ("care", "b")], 1, "high"),
        ([(None, "a"), ("care", "a")], 1, "high"),
    ],
)
def test_effort_grows_with_moves_apps_and_teams(names, moves, expected):
    assert effort([Owner(team=team, app=app, share=None) for team, app in names], moves) == expected


def test_a_saving_is_gone_where_repeats_cost_what_is_saved_without_them():
    # $8 are saved after $2 of expected repeats; repeating all answers would cost $40: 10 / 40 = 25%, 2 / 40 = 5%.
    moved = sums({"moved": 4, "p_nano": 4 * 9 * NANO // 10, "saved_pico": 8, "escalation_pico": 2})
    said = condition(moved, 40, [("gpt-5", "gpt-5-nano")], verdicts=False)
    assert said == (
        "The answers of gpt-5-nano to these requests hold up as published scores say (P(suffices) 0.90), and "
        "fewer than 25.0% of them are repeated on gpt-5 (5.0% expected)."
    )


def test_a_limit_of_repeats_is_never_rounded_up():
    moved = sums({"saved_pico": 1_299, "escalation_pico": 0})
    assert "fewer than 12.9% of them" in condition(moved, 10_000, [("a", "b")], verdicts=False)


def test_a_saving_may_outlast_every_repeat():
    moved = sums({"saved_pico": 30, "escalation_pico": 2})
    said = condition(moved, 20, [("a", "b"), ("a", "c")], verdicts=True)
    assert said == (
        "The answers of the cheaper models to these requests hold up as your verdicts say; it saves even if every "
        "answer is repeated on a (10.0% expected)."
    )


def test_repeats_are_not_named_where_they_have_no_price():
    assert condition(sums({"saved_pico": 30}), 0, [("a", "b"), ("c", "b")], verdicts=False) == (
        "The answers of the cheaper models to these requests hold up as published scores say."
    )
