"""Requests that compiled code writes into columns are the rows that Python makes of them; odd ones are left to it."""

import random

import numpy as np
import pytest

from llm_audit.classify.model import Judgement
from llm_audit.engines import request_batches
from llm_audit.engines.features.text import extract_text_features
from llm_audit.engines.request_batches import RequestBatch
from llm_audit.engines.row_batches import judged_table, ledger_row
from llm_audit.ledger.columns import COLUMNS
from llm_audit.sources.entry import Message, Request, Usage

pytestmark = pytest.mark.skipif(not request_batches.COMPILED, reason="built without a C compiler")

WORDS = [
    "Why is the sky blue at noon? ", "word ", "Write a plan. ", "\n", "\n\n", "```\nx = y\n```", "<context>", "> ", "é",
    "🙂", "title ", "conversation ", "\t", "yes", "Question: ", "Summarise the text below.\n\n",
    "It was the best of times. " * 9,
]  # fmt: skip
NAMES = [None, None, "a", "é🙂", "x" * 300]
COUNTS = [None, 0, 7, -1, (1 << 63) - 1, -(1 << 63)]
TOOLS = [((), ()), ((), ()), (("search",), (120,)), (("search", "b=,"), (0, 7)), (("b", "a"), ())]


def text(chance: random.Random) -> str:
    return "".join(chance.choice(WORDS) for _ in range(chance.randrange(6)))


def message(chance: random.Random) -> Message:
    role = chance.choice(["user", "user", "assistant", "system", "tool", "critic"])
    calls = chance.choice(["", "", 'search({"q": "sky"})', "é()"])
    images, audio = (chance.choice([0, 0, 0, 2]) for _ in range(2))
    call_id = chance.choice(["", "call-1"])
    return Message(role, text(chance), calls, call_id, images, audio, failed=chance.random() < 0.5)


def usage(chance: random.Random) -> Usage:
    counts = {name: chance.choice(COUNTS) for name in Usage.__struct_fields__ if name.endswith("tokens")}
    words = {name: chance.choice([None, "a=1", "é"]) for name in ("unread_counts", "fees_billed")}
    return Usage(usage_source=chance.choice(["reported", "none"]), **counts, **words)


def request(chance: random.Random) -> Request:
    tools, tool_chars = chance.choice(TOOLS)
    names = ("model_requested", "provider", "region", "request_id", "merge_key", "conversation", "trace", "span")
    people = ("parent_span", "team", "app", "user", "environment", "completion_call_id")
    return Request(
        model=chance.choice(["m", "gpt-4o", ""]),
        operation=chance.choice(["chat"] * 5 + ["embedding"]),
        usage=usage(chance),
        tags=chance.choice([(), ("b", "a=1"), ("é",)]),
        time_us=chance.choice(COUNTS[:3]),
        status=chance.choice(["ok", "error"]),
        status_code=chance.choice([None, 200, -(1 << 31)]),
        latency_ms=chance.choice([None, 1.5, 7, float("nan"), 1 << 53]),
        stated_cost_pico=chance.choice(COUNTS),
        streamed=chance.choice([None, True, False]),
        wraps_calls=chance.random() < 0.5,
        messages=chance.choice([None, [], *([message(chance) for _ in range(n)] for n in (1, 1, 2, 3, 5))]),
        tools=tools,
        tool_chars=tool_chars,
        completion=chance.choice([None, "", text(chance), "The longest line is hashed. " * 9]),
        completion_calls=chance.choice(["", "", "search({})"]),
        redacted=chance.random() < 0.1,
        **{name: chance.choice(NAMES) for name in (*names, *people)},
    )


def judge(texts):
    sizes = np.array([len(one) for one in texts], np.int64)
    none = np.zeros(len(texts), np.uint8)
    return Judgement(sizes.astype(np.float32), (sizes % 5).astype(np.uint8), none, none, ["en"] * len(texts))


def in_python(requests):
    rows = [ledger_row((place, 1, place + 1), "f", one, extract_text_features(one)) for place, one in requests]
    return judged_table(rows, judge)


@pytest.mark.parametrize("seed", range(6))
def test_columns_are_those_that_python_makes_of_the_same_requests(seed: int) -> None:
    chance = random.Random(seed)
    batch = RequestBatch(200)
    for _ in range(2):  # a batch is used again
        batch.clear()
        requests = [(place, request(chance)) for place in range(150)]
        assert all(batch.add((place, 1, place + 1), "f", one) for place, one in requests)
        found, expected = batch.table(judge), in_python(requests)
        assert found.schema == expected.schema
        for name in COLUMNS:
            assert repr(found[name].to_pylist()) == repr(expected[name].to_pylist()), name  # which NaN is equal in
        again = judged_table(batch.as_rows(), judge)
        assert repr(again.to_pydict()) == repr(expected.to_pydict())
    assert batch.rows == 150
    assert batch.ask_chars == sum(len(extract_text_features(one).ask) for _, one in requests)


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_one_reply_share_their_prompt_but_for_what_differs(seed: int) -> None:
    chance = random.Random(seed)
    batch, requests = RequestBatch(400), []
    window = [message(chance) for _ in range(6)]
    for _ in range(300):
        step = chance.random()
        if step < 0.2:
            window[0:1] = []
            window += [message(chance)]  # as many as before
        elif step < 0.3:
            window[chance.randrange(6)] = message(chance)
        elif step < 0.35:
            window[-1] = Message(window[-1].role, window[-1].text)  # another one, perhaps equal to it
        one = request(chance)
        one.messages = window if chance.random() < 0.8 else [*window]
        one.tools, one.tool_chars = chance.choice(TOOLS) if chance.random() < 0.3 else TOOLS[0]
        features = extract_text_features(one)
        one.stated_cost_pico = 1 << 63 if (odd := chance.random() < 0.1) else None
        place = batch.rows
        assert batch.add((place, 1, place + 1), "f", one) is not odd
        if not odd:
            requests.append(ledger_row((place, 1, place + 1), "f", one, features))
        if requests and chance.random() < 0.05:
            assert repr(batch.table(judge).to_pydict()) == repr(judged_table(requests, judge).to_pydict())
            batch.clear()
            requests.clear()
    assert repr(batch.table(judge).to_pydict()) == repr(judged_table(requests, judge).to_pydict())


@pytest.mark.parametrize(
    "odd",
    [
        {"stated_cost_pico": 1 << 63},
        {"status_code": 1 << 31},
        {"status_code": True},
        {"latency_ms": (1 << 53) + 1},
        {"latency_ms": "1"},
        {"streamed": 1},
        {"trace": "\ud800"},
        {"team": "\ud800"},
        {"team": 7},
        {"tags": ["a"]},
        {"usage": None},
        {"messages": (Message("user", "a"),)},
        {"messages": [None]},
        {"messages": [Message("user", "\ud800")]},
        {"messages": [Message("user", "a", images=None)]},
        {"completion": 7},
        {"completion": "\ud800" * 100},
        {"tools": None},
        {"redacted": None},
    ],
)
def test_odd_requests_are_left_to_python(odd: dict[str, object]) -> None:
    batch = RequestBatch(2)
    assert not batch.add((0, 0, 1), "f", Request(model="m", **odd))
    assert batch.rows == batch.ask_chars == 0
    assert batch.add((1, 0, 2), "f", Request(model="m", messages=[Message("user", "Why?")]))
    assert batch.table(judge)["entry"].to_pylist() == [1]


def test_what_is_no_request_is_left_and_a_full_batch_is_an_error() -> None:
    batch = RequestBatch(1)
    assert not batch.add((0, 0, 1), "f", object())
    assert not batch.add((0, 0, "1"), "f", Request(model="m"))
    batch.rows = 1000
    with pytest.raises(ValueError, match="a row"):
        batch.add((0, 0, 1), "f", Request(model="m"))
