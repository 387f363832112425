from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.policy.counterfactual.cache_log import read_cache_log
from llm_audit.policy.counterfactual.prompt_caches import left_shared, warm_reads
from llm_audit.policy.counterfactual.shared_caches import SPANS, SharedCaches, join_spans

START = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)


def frame(*rows):
    """Rows of (conversation, template, minute, used, read, prefix, hour)."""
    return pl.DataFrame(
        {
            "request_key": range(len(rows)),
            "conversation": [row[0] for row in rows],
            "template_hash": [row[1] for row in rows],
            "time": [START + dt.timedelta(minutes=row[2]) for row in rows],
            "turns": [1] * len(rows),
            "used": [row[3] for row in rows],
            "read": [row[4] for row in rows],
            "prefix": [row[5] for row in rows],
            "hour": [row[6] for row in rows],
        },
        schema={
            "request_key": pl.UInt64,
            "conversation": pl.UInt64,
            "template_hash": pl.UInt64,
            "time": pl.Datetime("us", "UTC"),
            "turns": pl.Int32,
            "used": pl.Int32,
            "read": pl.Int64,
            "prefix": pl.Int64,
            "hour": pl.Boolean,
        },
    )


def warm(data, route):
    log = read_cache_log(data.lazy())
    to = np.array(route, dtype=np.int32)
    shared = SharedCaches.of(left_shared(log, to[log.row]))
    return warm_reads(log, read=data["read"].to_numpy(), route=to, shared=shared).tolist()


def simulate(data, routes, left_by_others):
    """The same, played out request by request with dictionaries."""
    rows = sorted(
        ({**row, "place": place, "route": routes[place]} for place, row in enumerate(data.iter_rows(named=True))),
        key=lambda row: (row["time"], row["place"]),
    )
    for at, row in enumerate(rows):
        mates = [old for old in rows[:at] if None is not old["conversation"] == row["conversation"]]
        row["hour"] = row["hour"] or any(old["hour"] for old in mates)
    kept = [0] * len(rows)
    seen = []
    for row in rows:
        mates = [old for old in seen if old["conversation"] is not None and old["conversation"] == row["conversation"]]
        row["shared"] = mates[0]["shared"] if mates else row["read"]
        before = [old for old in mates if old["used"] == row["used"]]
        if (before and before[-1]["route"] == row["route"]) or (not before and row["used"] == row["route"]):
            kept[row["place"]] = row["read"]
        else:
            here = [old for old in mates if old["route"] == row["route"]]
            there = [
                old
                for old in rows
                if row["template_hash"] is not None
                and old["template_hash"] == row["template_hash"]
                and old["route"] == row["route"]
            ]
            if here and fresh(here[-1], row):
                kept[row["place"]] = min(row["read"], here[-1]["prefix"])
            else:
                kept[row["place"]] = min(row["read"], row["shared"], left_by_others(there, row))
        seen.append(row)
    return kept


def in_one_span(there, row):
    """The longest prefix in the unbroken span before a request, if there is one."""
    span, end = [], None
    for old in there:
        if not old["prefix"]:
            continue
        if old["time"] > row["time"] and (end is None or old["time"] > end):
            break
        if end is None or old["time"] > end:
            span, end = [], old["time"] + life(old)
        span.append(old)
        end = max(end, old["time"] + life(old))
    warm = span and span[0]["time"] < row["time"] <= end
    return max(old["prefix"] for old in span) if warm else 0


def the_latest(there, row):
    """What the latest earlier request left: the rule that needs all requests of a template at one place."""
    earlier = [old for old in there if old["time"] < row["time"]]
    return earlier[-1]["prefix"] if earlier and fresh(earlier[-1], row) else 0


def life(old):
    return dt.timedelta(minutes=60 if old["hour"] else 5)


def fresh(old, row):
    return row["time"] - old["time"] <= life(old)


def test_nothing_changes_where_nothing_moves():
    data = frame((1, 9, 0, 0, 700, 900, False), (1, 9, 2, 0, 900, 1_200, False))
    assert warm(data, [0, 0]) == [700, 900]


def test_a_conversation_that_moves_whole_keeps_its_reads_but_the_first():
    data = frame((1, 9, 0, 0, 700, 900, False), (1, 9, 2, 0, 900, 1_200, False))
    assert warm(data, [1, 1]) == [0, 900]


def test_moving_one_turn_loses_its_reads_and_shortens_those_of_the_next():
    data = frame(
        (1, None, 0, 0, 0, 900, False), (1, None, 2, 0, 900, 1_200, False), (1, None, 4, 0, 1_200, 1_500, False)
    )
    assert warm(data, [0, 1, 0]) == [0, 0, 900]


def test_a_cache_gone_cold_is_not_read_unless_it_lives_an_hour():
    for hour, remaining in ((False, 0), (True, 900)):
        data = frame(
            (1, None, 0, 0, 0, 900, hour), (1, None, 4, 0, 900, 1_200, False), (1, None, 8, 0, 1_200, 1_500, False)
        )
        assert warm(data, [0, 1, 0]) == [0, 0, remaining]


def test_a_first_turn_reads_what_other_conversations_of_its_template_left_on_the_route():
    data = frame((1, 9, 0, 0, 700, 900, False), (2, 9, 3, 0, 700, 800, False), (3, 8, 3, 0, 700, 800, False))
    assert warm(data, [1, 1, 1]) == [0, 700, 0]


def test_without_times_order_is_that_of_turns():
    data = frame(
        (1, None, 0, 0, 0, 900, False), (1, None, 0, 0, 900, 1_200, False), (1, None, 0, 0, 1_200, 1_500, False)
    )
    data = data.with_columns(time=pl.lit(None, pl.Datetime("us", "UTC")), turns=pl.Series([1, 2, 3], dtype=pl.Int32))
    assert warm(data, [0, 1, 0]) == [0, 0, 900]


requests = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, None]),
        st.sampled_from([8, 9, None]),
        st.integers(0, 40),
        st.integers(0, 1),
        st.integers(0, 3).map(lambda step: step * 500),
        st.integers(0, 4).map(lambda step: step * 400),
        st.booleans(),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=14,
    unique_by=lambda row: row[2],
)


@given(requests)
@settings(max_examples=150, deadline=None)
def test_agrees_with_a_plain_simulation(rows):
    data = frame(*rows)
    routes = [row[7] for row in rows]
    found = warm(data, routes)
    if routes == [row[3] for row in rows]:
        assert found == data["read"].to_list()
    else:
        assert found == simulate(data, routes, in_one_span)
        # No cache is colder than after the latest request of the template.
        assert all(a >= b for a, b in zip(found, simulate(data, routes, the_latest), strict=True))


def test_spans_keep_few_reads_that_the_latest_request_of_the_template_would_not():
    """The whole of what a moved log still reads is at most 2 % more: templates in use leave like prefixes."""
    random = np.random.default_rng(5)
    minutes = np.sort(random.choice(2_880, 400, replace=False))
    rows = [
        (int(random.integers(1, 120)), int(8 + random.integers(0, 3)), int(minute), 0, int(read), 2_000 + size, False)
        for minute, read, size in zip(
            minutes, random.choice([0, 1_200, 1_600], 400), random.integers(0, 3_000, 400).tolist(), strict=True
        )
    ]
    data, routes = frame(*rows), random.integers(0, 3, 400).tolist()
    spans, latest = sum(warm(data, routes)), sum(simulate(data, routes, the_latest))
    assert latest <= spans <= 1.02 * latest


def test_undated_conversations_find_what_one_before_them_left():
    data = frame((5 << 40, 9, 0, 0, 700, 900, False), (9 << 40, 9, 0, 0, 700, 800, False))
    data = data.with_columns(time=pl.lit(None, pl.Datetime("us", "UTC")))
    assert warm(data, [1, 1]) == [0, 700]


spans_of = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 2), st.integers(0, 60), st.integers(0, 9), st.integers(1, 99)),
    max_size=12,
)


@given(spans_of, st.integers(1, 4))
def test_spans_of_parts_join_to_those_of_the_whole(found, parts):
    whole = pl.DataFrame(
        [(template, model, start, start + life, prefix) for template, model, start, life, prefix in found],
        schema=SPANS,
        orient="row",
    )
    pieces = [join_spans(whole[number::parts]) for number in range(parts)]
    assert join_spans(pl.concat(pieces[::-1])).equals(join_spans(whole))


@given(spans_of)
def test_spans_that_touch_are_one_with_the_longest_prefix(found):
    joined: list[list[int]] = []
    for template, model, start, life, prefix in sorted(found):
        last = joined[-1] if joined and joined[-1][:2] == [template, model] else None
        if last is None or start > last[3]:
            joined.append([template, model, start, start + life, prefix])
        else:
            last[3:] = [max(last[3], start + life), max(last[4], prefix)]
    given_spans = [(template, model, start, start + life, prefix) for template, model, start, life, prefix in found]
    spans = join_spans(pl.DataFrame(given_spans, schema=SPANS, orient="row"))
    assert spans.schema == SPANS
    assert [list(row) for row in spans.iter_rows()] == joined
