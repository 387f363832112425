import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.ledger.assembly.merge import (
    DUPLICATE_COLUMNS,
    REPLY_COLUMNS,
    SPAN_COLUMNS,
    duplicates,
    merge_reply_fields,
    repeated_spans,
)
from llm_audit.ledger.schema import COLUMNS


def frame(*rows: dict) -> pl.DataFrame:
    schema = {name: COLUMNS[name] for name in (*DUPLICATE_COLUMNS, *SPAN_COLUMNS, *REPLY_COLUMNS)} | {
        "origin": pl.Int64,
        "line": pl.Int64,
    }
    usual = {"usage_source": "reported", "input_tokens": 1, "output_tokens": 1, "origin": 0}
    return pl.DataFrame([usual | {"line": line} | row for line, row in enumerate(rows)], schema=schema)


def test_of_repeats_the_one_with_most_output_stays() -> None:
    rows = frame(
        {"merge_key": 7, "output_tokens": 3},
        {"merge_key": 7, "output_tokens": 90},
        {"merge_key": 7, "output_tokens": None},
        {"merge_key": 8, "output_tokens": 2},
    )
    assert duplicates(rows).to_list() == [True, False, True, False]


def test_rows_without_a_key_are_never_repeats() -> None:
    assert duplicates(frame({"merge_key": None}, {"merge_key": None})).to_list() == [False, False]


def test_among_equals_content_decides_before_place() -> None:
    rows = frame(
        {"merge_key": 7, "input_tokens": 5, "origin": 0},
        {"merge_key": 7, "input_tokens": 6, "origin": 1},
        {"merge_key": 7, "input_tokens": 5, "cache_read_tokens": 1, "origin": 2},
    )
    assert duplicates(rows).to_list() == [True, True, False]


def test_counts_that_a_provider_reported_stay_before_those_of_the_text() -> None:
    rows = frame(
        {"merge_key": 7, "output_tokens": 401, "usage_source": "estimated"},
        {"merge_key": 7, "output_tokens": 100},
        {"merge_key": 8, "output_tokens": 5, "usage_source": "estimated"},
        {"merge_key": 8, "output_tokens": None},  # an answer of which nothing is known
        {"merge_key": 9, "input_tokens": 900, "usage_source": "ambiguous"},
        {"merge_key": 9, "input_tokens": 600},
    )
    assert duplicates(rows).to_list() == [True, False, False, True, True, False]


def test_of_as_many_tokens_those_that_tell_what_was_cached_stay() -> None:
    rows = frame(
        {"merge_key": 7, "input_tokens": 1000},
        {"merge_key": 7, "input_tokens": 488, "cache_read_tokens": 512},
        {"merge_key": 7, "input_tokens": 999},
    )
    assert duplicates(rows).to_list() == [True, False, True]


def test_of_equal_counts_those_that_tell_what_the_price_depends_on_stay() -> None:
    rows = frame(
        {"merge_key": 7, "service_tier": "standard", "stated_cost_pico": 9},
        {"merge_key": 7, "service_tier": "flex"},
        {"merge_key": 8, "tool_calls_billed": 2, "service_tier": "standard"},
        {"merge_key": 8, "service_tier": "standard", "stated_cost_pico": 9},
        {"merge_key": 9, "input_tokens": 100, "output_tokens": 50},
        {
            "merge_key": 9,
            "input_tokens": 60,
            "audio_input_tokens": 40,
            "output_tokens": 30,
            "audio_output_tokens": 20,
        },
    )
    assert duplicates(rows).to_list() == [True, False, False, True, True, False]


REPEATS = st.lists(
    st.fixed_dictionaries(
        {
            "merge_key": st.sampled_from([None, 1, 2]),
            "output_tokens": st.sampled_from([None, 1, 2]),
            "input_tokens": st.sampled_from([None, 1, 2]),
            "stated_cost_pico": st.sampled_from([None, 1, 2]),
            "usage_source": st.sampled_from(["reported", "estimated", "ambiguous", "none"]),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(rows=REPEATS, order=st.randoms(use_true_random=False))
def test_what_stays_does_not_depend_on_the_order(rows: list[dict], order) -> None:
    def kept(some: list[dict]) -> list[str]:
        table = frame(*some)
        columns = ["merge_key", "usage_source", "output_tokens", "input_tokens", "stated_cost_pico"]
        return sorted(str(row) for row in table.filter(~duplicates(table)).select(columns).rows())

    shuffled = list(rows)
    order.shuffle(shuffled)
    assert kept(rows) == kept(shuffled)
    assert len(kept(rows)) == sum(row["merge_key"] is None for row in rows) + len(
        {row["merge_key"] for row in rows} - {None}
    )


def test_a_wrapper_whose_child_has_usage_is_dropped() -> None:
    nothing = {"usage_source": "none", "input_tokens": None, "output_tokens": None}
    rows = frame(
        {"trace": 1, "span": 10, "wraps_calls": True},
        {"trace": 1, "span": 11, "parent_span": 10, "wraps_calls": True},
        {"trace": 1, "span": 12, "parent_span": 11},
        {"trace": 2, "span": 10, "wraps_calls": True},  # the same span id in a trace without a child
        {"trace": 3, "span": 20, "wraps_calls": True},
        {
            "trace": 3,
            "span": 21,
            "parent_span": 20,
            **nothing,
        },
        {"trace": 4, "span": 30},  # no wrapper: its child is another call
        {"trace": 4, "span": 31, "parent_span": 30},
        {"span": 40, "wraps_calls": True},
        {"span": 41, "parent_span": 40},
    )
    assert repeated_spans(rows).to_list() == [True, True, False, False, False, False, False, False, False, False]


def test_what_a_reply_calls_and_says_is_taken_from_any_repeat() -> None:
    rows = frame(
        {"merge_key": 7, "calls_tools": False, "reply_hash": 60, "tools_called": ""},
        {"merge_key": 7, "calls_tools": True, "tool_call_hash": 30, "line": 9, "tools_called": "b,c"},
        {"merge_key": 7, "calls_tools": True, "tool_call_hash": 20, "line": 5, "reply_hash": 50, "tools_called": "a,b"},
        {"merge_key": 8, "calls_tools": True, "tool_call_hash": 40, "reply_hash": 70},
        {"merge_key": None, "calls_tools": False},
        {"merge_key": 9, "calls_tools": False},
        {"merge_key": 9, "calls_tools": None},
        {"merge_key": 10, "tools_called": ""},
        {"merge_key": 10},
    )
    assert merge_reply_fields(rows).rows() == [
        (0, True, 20, 50, "a,b,c"),
        (1, True, 20, 50, "a,b,c"),
        (2, True, 20, 50, "a,b,c"),
        (5, False, None, None, None),
        (6, False, None, None, None),
        (7, None, None, None, ""),
        (8, None, None, None, ""),
    ]


def span(number: int, parent: int | None, *used: int) -> dict:
    given, made = used
    usage = {"input_tokens": given, "output_tokens": made}
    return {"trace": 1, "span": number, "parent_span": parent, "wraps_calls": True, **usage}


def test_a_sum_of_spans_further_down_is_no_call_at_any_distance() -> None:
    calls = [span(3, 90, 1000, 100), span(4, 90, 2000, 200)]  # span 90 is no row
    assert repeated_spans(frame(span(1, None, 3000, 300), *calls)).to_list() == [True, False, False]
    assert repeated_spans(frame(span(1, None, 3000, 301), *calls)).to_list() == [False, False, False]
    deeper = [span(5, 91, 3000, 300), span(6, 92, 500, 50)]  # span 5 sums up 3 and 4; the root all of them
    found = repeated_spans(frame(span(1, None, 3500, 350), *calls, *deeper))
    assert found.to_list() == [True, False, False, True, False]


def test_calls_with_equal_usage_are_not_taken_for_each_others_sum() -> None:
    twins = [span(1, 90, 700, 7), span(2, 91, 700, 7), span(3, 92, 1400, 14)]
    assert repeated_spans(frame(*twins)).to_list() == [False, False, False]
    assert repeated_spans(frame(span(1, None, 700, 7), span(2, 91, 700, 7))).to_list() == [True, False]
