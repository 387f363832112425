import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.sources.entry import BadRecordError
from llm_audit.sources.records.disjoint import Convention, as_count, disjoint_usage

COUNT = st.integers(0, 10**6)


@pytest.mark.parametrize("value", [7, "7", 7.0, "7.0", " 7 "])
def test_whole_numbers_are_counts(value: object) -> None:
    assert as_count(value) == 7


@pytest.mark.parametrize("value", [None, "", "None", "null", float("nan")])
def test_nothing_is_unknown_and_not_zero(value: object) -> None:
    assert as_count(value) is None


@pytest.mark.parametrize("value", [-1, 1.5, "1.5", 10**9 + 1, "many", True, [], float("inf"), "9" * 400])
def test_what_is_no_count_is_refused(value: object) -> None:
    with pytest.raises(BadRecordError, match="bad_tokens: n"):
        as_count(value, "n")


def figures(usage):
    return usage.input_tokens, usage.cache_read_tokens, usage.output_tokens, usage.ambiguous_tokens


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (120, (60, 40, 20, None)),  # 100 + 20: inclusive
        (160, (100, 40, 20, None)),  # 100 + 20 + 40: exclusive
        (None, (100, 40, 20, 40)),  # open
        (777, (100, 40, 20, 40)),  # the total proves nothing
    ],
)
def test_the_total_decides(total, expected) -> None:
    assert figures(disjoint_usage(100, 20, cache_read=40, total=total)) == expected


def test_a_total_that_a_wrapper_computed_proves_nothing_of_inclusion() -> None:
    assert figures(disjoint_usage(100, 20, cache_read=40, total=120, wrapper_total=True)) == (100, 40, 20, 40)
    assert figures(disjoint_usage(100, 20, cache_read=40, total=160, wrapper_total=True)) == (100, 40, 20, None)


def test_more_cached_than_input_is_exclusive_whatever_is_documented() -> None:
    found = disjoint_usage(10, 5, cache_read=400, total=15, convention=Convention.INCLUSIVE)
    assert figures(found) == (10, 400, 5, None)


def test_the_convention_decides_only_what_arithmetic_leaves_open() -> None:
    assert figures(disjoint_usage(100, 5, cache_read=40, convention=Convention.INCLUSIVE)) == (60, 40, 5, None)
    assert figures(disjoint_usage(100, 5, cache_read=40, convention=Convention.EXCLUSIVE)) == (100, 40, 5, None)
    assert figures(disjoint_usage(100, 5, cache_read=40, total=145, convention=Convention.INCLUSIVE)) == (
        100,
        40,
        5,
        None,
    )


def test_no_cached_tokens_leave_nothing_open() -> None:
    assert figures(disjoint_usage(100, 5, cache_read=0)) == (100, 0, 5, None)


@pytest.mark.parametrize(
    ("total", "output"),
    [(115, 15), (100 + 15 + 9, 24), (None, 15)],
)
def test_reasoning_on_top_is_told_by_the_total(total, output) -> None:
    found = disjoint_usage(100, 15, reasoning=9, total=total)
    assert (found.output_tokens, found.reasoning_tokens) == (output, 9)


def test_more_reasoning_than_output_is_on_top() -> None:
    assert disjoint_usage(100, 5, reasoning=9).output_tokens == 14


def test_reasoning_and_cache_on_top_together() -> None:
    assert figures(disjoint_usage(100, 5, cache_read=40, reasoning=9, total=154)) == (100, 40, 14, None)
    assert figures(disjoint_usage(100, 5, cache_read=40, reasoning=9, total=114)) == (60, 40, 14, None)


def test_audio_is_apart_from_text() -> None:
    found = disjoint_usage(81, 72, audio_input=69, audio_output=10, convention=Convention.INCLUSIVE)
    assert (found.input_tokens, found.audio_input_tokens) == (12, 69)
    assert (found.output_tokens, found.audio_output_tokens) == (62, 10)


@given(input_tokens=COUNT, read=COUNT, write=COUNT, output=COUNT, reasoning=COUNT)
def test_disjoint_counts_add_up_to_the_total(input_tokens, read, write, output, reasoning) -> None:
    reasoning = min(reasoning, output)
    for cached in (0, read + write):
        found = disjoint_usage(
            input_tokens + (0 if cached else read + write),
            output,
            cache_read=read,
            cache_write=write,
            reasoning=reasoning,
            total=input_tokens + read + write + output,
            convention=Convention.EXCLUSIVE if cached else Convention.INCLUSIVE,
        )
        parts = (found.input_tokens, found.cache_read_tokens, found.cache_write_5m_tokens, found.output_tokens)
        assert found.usage_source == "reported"
        assert min(parts) >= 0
        if not cached and read + write not in {reasoning, 0}:
            assert parts == (input_tokens, read, write, output)


@pytest.mark.parametrize(
    ("total", "cached", "output"),
    [
        (None, None, 24),
        (124, None, 24),  # 100 + 15 + 9
        (115, None, 15),
        (155, 40, 15),  # cached tokens on top, reasoning inside
        (164, 40, 24),
        (130, None, 24),  # and 6 of something else
    ],
)
def test_reasoning_kept_apart_is_on_top_unless_the_total_leaves_it_out(
    total: int | None, cached: int | None, output: int
) -> None:
    found = disjoint_usage(100, 15, cache_read=cached, reasoning=9, reasoning_apart=True, total=total)
    assert (found.output_tokens, found.reasoning_tokens) == (output, 9)
