"""Prompts that begin alike: what a cache would have saved, less what filling it would have cost."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audit.build import rows
from tests.audit.waste.build import at, found

from llm_audit.audit.waste.prefixes import add_sends, prefixes, sends, uncached

# 8,000 of the prompt's 10,000 characters begin it: 2,000 of its 2,500 tokens.
SENT = {"prefix_hash": 7, "prefix_chars": 8_000, "prompt_chars": 10_000, "input_tokens": 2_500}
WITH_PREMIUM = (4, 1, 5)


def sent(*minutes, **other):
    return [{**SENT, "time": at(minute), **other} for minute in minutes]


def test_a_prefix_sent_again_within_five_minutes_would_be_read_from_a_cache():
    assert found(*sent(0, 2, 4)) == {"prefix_never_cached": (2, 2 * 2_000 * (2 - 1))}
    assert found(*sent(0, 4, 8, 12)) == {"prefix_never_cached": (3, 3 * 2_000)}
    assert found(*sent(0, 6, 12)) == {}


def test_each_read_bears_its_share_of_the_writes():
    # One write of a premium of 2,000 for two reads that save 6,000 each.
    assert found(*sent(0, 2, 4), rates=WITH_PREMIUM) == {"prefix_never_cached": (2, 2 * 6_000 - 2_000)}
    # Five writes for one read cost 10,000.
    assert found(*sent(0, 1, 20, 40, 60, 80), rates=WITH_PREMIUM) == {}


@pytest.mark.parametrize(
    "other",
    [
        {"prefix_chars": 3_999},
        {"input_tokens": 1_200},  # 960 tokens: fewer than the model caches
        {"cache_read_tokens": None},  # it may have been read from a cache, at a price that the log does not tell
        {"service_tier": "batch"},
        {"prefix_hash": None},
        {"prompt_chars": None},
        {"usage_source": "estimated"},
        {"time": None},
    ],
)
def test_what_a_cache_would_not_hold_or_is_not_known_is_no_waste(other):
    assert "prefix_never_cached" not in found(*[row | other for row in sent(0, 2, 4)])


def test_where_writing_costs_extra_a_count_of_reads_is_not_needed():
    result = found(*sent(0, 2, 4, cache_read_tokens=None), rates=WITH_PREMIUM)
    assert result == {"prefix_never_cached": (2, 10_000)}


def test_a_prefix_that_any_request_cached_is_left_to_the_cache():
    assert found(*sent(0, 2, 4), *sent(90, cache_read_tokens=100)) == {}
    assert found(*sent(0, 2, 4), *sent(0, time=None, cache_read_tokens=100)) == {}
    other = found(*sent(0, 2, 4), *sent(90, cache_read_tokens=100, model="gpt-4o-mini"))
    assert other == {"prefix_never_cached": (2, 4_000)}


def test_providers_of_a_model_have_a_cache_each():
    one, other = sent(0, 8, 16, provider="openai"), sent(4, 12, 20, provider="azure")
    assert found(*one, *other) == {}  # each is sent the prefix every eight minutes
    assert found(*one, *sent(4, provider="openai")) == {"prefix_never_cached": (2, 2 * 2_000)}  # at 4 and at 8
    assert found(*sent(0, 2, provider=None)) == {"prefix_never_cached": (1, 2_000)}


def test_an_error_neither_finds_nor_leaves_a_cache():
    assert "prefix_never_cached" not in found(*sent(0, status="error"), *sent(2))


def test_later_turns_that_resent_their_conversation_are_counted_there():
    turns = sent(0, 2, conversation=5)
    assert found(*turns, *sent(3)) == {"cache_never_used": (1, 2_500), "prefix_never_cached": (1, 2_000)}


SENDS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 2), st.sampled_from(["gpt-4o", "gpt-4o-mini"]), st.integers(0, 2)),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(SENDS)
def test_parts_tell_the_same_as_a_search_through_all_requests(log):
    """A request is warm if one of its prefix and model was sent before it, at most five minutes ago."""
    frame = rows(
        *(SENT | {"time": at(minute), "prefix_hash": prefix, "model": model} for minute, prefix, model, _ in log)
    )
    parts = [frame.filter(pl.Series([place == part for *_, place in log])) for part in range(3)]
    table = uncached(add_sends([add_sends([sends(parts[2]), sends(parts[0])]), sends(parts[1])]))
    expected = [
        number
        for number, (minute, prefix, model, _) in enumerate(log)
        if any(one[1:3] == (prefix, model) and 0 < minute - one[0] <= 5 for one in log)
    ]
    held = prefixes(frame.lazy().select, table)
    assert held.rows.tolist() == expected
    for row, misses in zip(held.rows.tolist(), held.misses.tolist(), strict=True):
        group = [number for number, one in enumerate(log) if one[1:3] == log[row][1:3]]
        hits = len(set(group) & set(expected))
        assert misses == -(-(len(group) - hits) * 1_000 // hits)
