from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.policy.counterfactual.prompt_caches import read_cache_log, warm_reads

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
    return warm_reads(
        read_cache_log(data.lazy()), read=data["read"].to_numpy(), route=np.array(route, dtype=np.int32)
    ).tolist()


def simulate(data, routes):
    """The same, played out request by request with dictionaries."""
    rows = sorted(
        ({**row, "place": place, "route": routes[place]} for place, row in enumerate(data.iter_rows(named=True))),
        key=lambda row: (row["time"], row["place"]),
    )
    kept = [0] * len(rows)
    seen = []
    for row in rows:
        mates = [old for old in seen if old["conversation"] is not None and old["conversation"] == row["conversation"]]
        hour = row["hour"] or any(old["hour"] for old in mates)
        row["hour"] = hour
        row["shared"] = mates[0]["shared"] if mates else row["read"]
        before = [old for old in mates if old["used"] == row["used"]]
        if (before and before[-1]["route"] == row["route"]) or (not before and row["used"] == row["route"]):
            kept[row["place"]] = row["read"]
        else:
            here = [old for old in mates if old["route"] == row["route"]]
            there = [
                old
                for old in seen
                if row["template_hash"] is not None
                and old["template_hash"] == row["template_hash"]
                and old["route"] == row["route"]
            ]
            if here and fresh(here[-1], row):
                kept[row["place"]] = min(row["read"], here[-1]["prefix"])
            elif there and fresh(there[-1], row):
                kept[row["place"]] = min(row["read"], there[-1]["prefix"], row["shared"])
        seen.append(row)
    return kept


def fresh(old, row):
    return row["time"] - old["time"] <= dt.timedelta(minutes=60 if old["hour"] else 5)


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
@settings(max_examples=300, deadline=None)
def test_agrees_with_a_plain_simulation(rows):
    data = frame(*rows)
    routes = [row[7] for row in rows]
    if routes == [row[3] for row in rows]:
        assert warm(data, routes) == data["read"].to_list()
    else:
        assert warm(data, routes) == simulate(data, routes)
