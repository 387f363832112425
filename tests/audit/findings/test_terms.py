"""Owners, effort and condition of a finding."""

from __future__ import annotations

import pytest

from llm_audit.audit.findings.groups import MOVED, Owned
from llm_audit.audit.findings.terms import condition, effort, owners, shown
from llm_audit.document.audit import Owner

NANO = 10**9


def sums(**given: int) -> dict[str, int]:
    """Return sums of requests that move."""
    return dict.fromkeys(MOVED, 0) | given


def test_owners_have_their_shares_of_the_moved_cost():
    found = owners([Owned("core", "search", 50), Owned("care", "chat", 40), Owned(None, None, 10)])
    assert found == [
        Owner(team="core", app="search", share=0.5),
        Owner(team="care", app="chat", share=0.4),
        Owner(team=None, app=None, share=0.1),
    ]


def test_owners_without_cost_have_no_share():
    assert owners([Owned("core", "a", 0)]) == [Owner(team="core", app="a", share=None)]


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
    moved = sums(moved=4, p_nano=4 * 9 * NANO // 10, saved_pico=8, escalation_pico=2)
    said = condition(moved, 40, [("gpt-5", "gpt-5-nano")], verdicts=False)
    assert said == (
        "The answers of gpt-5-nano to these requests hold up as published scores say (P(suffices) 0.90), and "
        "fewer than 25.0% of them are repeated on gpt-5 (5.0% expected)."
    )


def test_a_limit_of_repeats_is_never_rounded_up():
    moved = sums(saved_pico=1_299, escalation_pico=0)
    assert "fewer than 12.9% of them" in condition(moved, 10_000, [("a", "b")], verdicts=False)


def test_a_saving_may_outlast_every_repeat():
    moved = sums(saved_pico=30, escalation_pico=2)
    said = condition(moved, 20, [("a", "b"), ("a", "c")], verdicts=True)
    assert said == (
        "The answers of the cheaper models to these requests hold up as your verdicts say; it saves even if every "
        "answer is repeated on a (10.0% expected)."
    )


def test_repeats_are_not_named_where_they_have_no_price():
    assert condition(sums(saved_pico=30), 0, [("a", "b"), ("c", "b")], verdicts=False) == (
        "The answers of the cheaper models to these requests hold up as published scores say."
    )
