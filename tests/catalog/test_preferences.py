"""Preference gaps: figures worked out by hand from the published ratings, and what holds for any."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.catalog import Catalog, preference_gap, rated_as
from llm_audit.catalog.preferences import BOARDS, LANGUAGES, SUBJECTS, Preferences, net_share, preferences_of
from llm_audit.vocabulary import Category

OVERALL, WRITING, KOREAN = (BOARDS.index(name) for name in ("overall", "writing", "ko"))


def preferences(*models: dict[str, float], sd: float = 4.0) -> Preferences:
    """Models with points by board; unrated on the others."""
    points = np.full((len(models), len(BOARDS)), np.nan)
    for row, boards in enumerate(models):
        for board, value in boards.items():
            points[row, BOARDS.index(board)] = value
    return Preferences(points=points, sd=np.where(np.isnan(points), np.nan, sd))


def mean(rated: Preferences, *pairs: tuple[int, int, str | None, str | None, int]):
    first, second, categories, languages, count = zip(*pairs, strict=True)
    return rated.mean_gap(
        np.array(first, dtype=np.int32),
        np.array(second, dtype=np.int32),
        category=np.array([-1 if name is None else list(Category).index(name) for name in categories], dtype=np.int32),
        language=np.array([LANGUAGES.index(name) if name in LANGUAGES else -1 for name in languages], dtype=np.int32),
        count=np.array(count),
    )


@pytest.mark.parametrize(
    ("category", "language", "first", "second"),
    [  # ratings with style control as the arena published them on 17 December 2025
        (None, None, 1436.754, 1392.763),
        ("writing", None, 1381.081, 1329.400),
        ("law", None, 1459.398, 1392.312),
        (None, "ko", 1397.830, 1328.205),
        ("chat", "pl", 1436.754, 1392.763),  # no board of their own
    ],
)
def test_a_gap_is_that_of_the_published_ratings(category, language, first, second):
    preferred = 1 / (1 + 10 ** (-(first - second) / 400))
    found = preference_gap("gpt-5", "gpt-5-mini", category=category, language=language)
    assert found is not None
    assert found.share == pytest.approx(preferred - (1 - preferred), abs=3e-4)
    assert found.low < found.share < found.high


def test_the_interval_is_that_of_the_published_bounds():
    deviation = math.hypot(1441.309 - 1432.199, 1397.449 - 1388.078) / 2 / 1.96
    share = math.tanh((1436.754 - 1392.763) * math.log(10) / 800)
    found = preference_gap("gpt-5", "gpt-5-mini")
    margin = 1.6449 * deviation * math.log(10) / 800 * (1 - share**2)
    assert found is not None
    assert found.high - found.share == pytest.approx(margin, abs=2e-4)
    assert found.share - found.low == pytest.approx(margin, abs=2e-4)


def test_a_language_adds_what_its_readers_differ_by():
    rated = preferences({"overall": 40, "writing": 60, "ko": 70}, {"overall": 0, "writing": 0, "ko": 0})
    found = mean(rated, (0, 1, "writing", "ko", 1))
    assert found.share == pytest.approx(math.tanh((60 + 70 - 40) * math.log(10) / 800))
    margin = 1.6449 * math.sqrt(6) * 4 * math.log(10) / 800 * (1 - found.share**2)
    assert found.high - found.share == pytest.approx(margin)


def test_a_board_counts_only_where_it_rated_both():
    rated = preferences({"overall": 40, "writing": 60, "ko": 70}, {"overall": 0})
    assert mean(rated, (0, 1, "writing", "ko", 1)).share == pytest.approx(math.tanh(40 * math.log(10) / 800))


def test_an_unrated_model_is_unknown_and_never_zero():
    assert preference_gap("gpt-5", "gpt-6-sol") is None
    assert preference_gap("phi-4-reasoning", "deepseek-r1") is None
    assert preference_gap("gpt-5", "gpt-5-mini", category="tool_use") is None
    rated = preferences({"overall": 40}, {"writing": 10}, {"overall": 0})
    assert np.isnan(
        rated.shares(
            *(np.array([row], dtype=np.int32) for row in (0, 1)), category=np.array([-1]), language=np.array([-1])
        )
    ).all()
    assert mean(rated, (0, 1, None, None, 9)) is None
    # A mean leaves unknown pairs out rather than counting them as nothing.
    assert mean(rated, (0, 1, None, None, 9), (0, 2, None, None, 1)) == mean(rated, (0, 2, None, None, 1))


def test_a_mean_weighs_requests_and_shares_the_errors_of_a_rating():
    rated = preferences({"overall": 100}, {"overall": 0}, {"overall": 50})
    wide, narrow = math.tanh(100 * math.log(10) / 800), math.tanh(50 * math.log(10) / 800)
    found = mean(rated, (0, 1, None, None, 3), (0, 2, None, None, 1))
    assert found.share == pytest.approx((3 * wide + narrow) / 4)
    slopes = np.array([3 * (1 - wide**2), 1 - narrow**2]) / 4 * math.log(10) / 800
    error = 4 * math.sqrt(slopes.sum() ** 2 + slopes[0] ** 2 + slopes[1] ** 2)
    assert found.high - found.share == pytest.approx(1.6449 * error)


@given(first=st.floats(-400, 400), second=st.floats(-400, 400), more=st.floats(1e-6, 100))
def test_gaps_are_antisymmetric_rise_with_the_difference_and_vanish_against_oneself(first, second, more):
    rated = preferences({"overall": first}, {"overall": second}, {"overall": first + more})
    one, other = mean(rated, (0, 1, None, None, 1)), mean(rated, (1, 0, None, None, 1))
    assert one.share == -other.share
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert mean(rated, (0, 0, "writing", "ko", 1)) == mean(rated, (1, 1, None, None, 1))
    assert mean(rated, (0, 0, None, None, 1)).share == 0
    assert mean(rated, (2, 1, None, None, 1)).share >= one.share
    assert -1 < float(net_share(np.array(first - second))) < 1


def test_the_table_is_of_known_models_and_cannot_be_written_to():
    known = set(Catalog.load().frame["model_id"])
    rated = preferences_of(("gpt-4o-mini", "gpt-4o", "none"))
    assert rated.points[0, OVERALL] == 0  # the reference
    assert rated.points[0, WRITING] == 0
    assert np.isnan(rated.points[2]).all()
    with pytest.raises(ValueError, match="read-only"):
        rated.points[0, 0] = 1.0
    assert rated_as("gpt-5") == "gpt-5-high"
    assert rated_as("claude-sonnet-4-5") == "claude-sonnet-4-5-20250929"
    assert rated_as("gpt-6-sol") is None
    assert {"gpt-5", "claude-haiku-4-5", "nova-pro"} <= known
    assert set(BOARDS) == {"overall", *SUBJECTS.values(), *LANGUAGES}
    assert BOARDS.index("ko") == KOREAN
