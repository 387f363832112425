import datetime as dt

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.ledger.assembly.conversations import COLUMNS, components, conversation_ids
from llm_audit.ledger.row_hashes import hash_rows
from llm_audit.ledger.schema import COLUMNS as TYPES

START = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)


def frame(*rows: dict) -> pl.DataFrame:
    schema = {name: TYPES[name] for name in COLUMNS}
    timed = [
        row | {"time": None if row.get("minute") is None else START + dt.timedelta(minutes=row["minute"])}
        for row in rows
    ]
    return pl.DataFrame([{name: row.get(name) for name in COLUMNS} for row in timed], schema=schema)


def groups(rows: pl.DataFrame) -> list[list[int]]:
    """Places of the rows by conversation, in order of their first."""
    named = conversation_ids(rows).to_list()
    return [[place for place, name in enumerate(named) if name == first] for first in dict.fromkeys(named)]


def test_turns_are_joined_by_what_their_prompts_repeat() -> None:
    rows = frame(
        {"minute": 0, "prompt_hash": 1},
        {"minute": 1, "prompt_hash": 2, "parent_prompt_hash": 1},
        {"minute": 2, "prompt_hash": 9},
        {"minute": 3, "prompt_hash": 3, "parent_prompt_hash": 2},
    )
    assert groups(rows) == [[0, 1, 3], [2]]


def test_equal_first_prompts_are_told_apart_by_user_and_by_time() -> None:
    rows = frame(
        {"minute": 0, "prompt_hash": 1, "user": "a"},
        {"minute": 1, "prompt_hash": 1, "user": "b"},
        {"minute": 2, "prompt_hash": 2, "parent_prompt_hash": 1, "user": "a"},
        {"minute": 3, "prompt_hash": 1, "user": "a"},
        {"minute": 4, "prompt_hash": 3, "parent_prompt_hash": 1, "user": "a"},
        {"minute": 5, "prompt_hash": 4, "parent_prompt_hash": 1, "user": "b"},
    )
    assert groups(rows) == [[0, 2], [1, 5], [3, 4]]


def test_a_trace_is_one_conversation() -> None:
    rows = frame(
        {"minute": 0, "prompt_hash": 1, "trace": 5},
        {"minute": 1, "trace": 5},
        {"minute": 2, "prompt_hash": 7, "trace": 5},
        {"minute": 3, "prompt_hash": 8, "parent_prompt_hash": 7, "trace": 6},
    )
    assert groups(rows) == [[0, 1, 2, 3]]


def test_a_conversation_that_the_log_names_stays() -> None:
    rows = frame(
        {"conversation": 42, "prompt_hash": 1, "minute": 0}, {"prompt_hash": 2, "parent_prompt_hash": 1, "minute": 1}
    )
    named = conversation_ids(rows).to_list()
    assert named[0] == 42
    assert named[1] not in (None, 42)


def test_a_request_with_neither_prompt_nor_trace_has_no_conversation() -> None:
    assert conversation_ids(frame({"minute": 0}, {"minute": 1, "prompt_hash": 1}))[0] is None


TURNS = st.lists(
    st.fixed_dictionaries(
        {
            "minute": st.integers(0, 5),
            "prompt_hash": st.integers(1, 6),
            "parent_prompt_hash": st.none() | st.integers(1, 6),
            "trace": st.none() | st.integers(1, 3),
        }
    ),
    min_size=1,
    max_size=14,
    unique_by=lambda row: (row["minute"], row["prompt_hash"], row["trace"]),
)


@settings(deadline=None)
@given(rows=TURNS, order=st.randoms(use_true_random=False))
def test_names_do_not_depend_on_the_order_of_rows(rows: list[dict], order) -> None:
    shuffled = list(range(len(rows)))
    order.shuffle(shuffled)
    named = conversation_ids(frame(*rows)).to_list()
    assert conversation_ids(frame(*(rows[place] for place in shuffled))).to_list() == [
        named[place] for place in shuffled
    ]


@settings(deadline=None)
@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))
    )
)
def test_components_are_those_of_a_walk(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    label = list(range(count))
    for _ in range(count):
        for left, right in edges:
            label[left] = label[right] = min(label[left], label[right])
    pairs = np.array(edges, np.int64).reshape(-1, 2)
    assert components(count, [(pairs[:, 0], pairs[:, 1])]).tolist() == label


def test_a_long_chain_is_one_component() -> None:
    count = 200_000
    later = np.random.default_rng(1).permutation(count)
    assert set(components(count, [(later[1:], later[:-1])]).tolist()) == {0}


def test_mixing_is_that_of_splitmix64() -> None:
    # The first outputs of splitmix64 seeded with 1234567, as the reference implementation prints them.
    golden = 0x9E3779B97F4A7C15
    states = np.array([1234567, (1234567 + golden) % 2**64], np.uint64)
    assert hash_rows([states]).tolist() == [6457827717110365317, 3203168211198807973]
