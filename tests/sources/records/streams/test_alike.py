"""Streams whose events are taken together by compiled code, against each event decoded by itself."""

import json
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.sources.records.streams import assemble, streamed_body

_alike = pytest.importorskip("llm_audit.sources.records.streams._alike", reason="built without a C compiler")

module = import_module("llm_audit.sources.records.streams.assemble")  # its package has a function of this name
HEAD = {"id": "c1", "object": "chat.completion.chunk", "model": "m"}
PIECES = st.sampled_from(
    ["a", "", "b c", 'say "x"', "back\\", "line\nend", "\u2028", "é🙂", "\ud83d", "\ude00", "\t", "/"]
)
BITS = st.sampled_from(
    [
        '"',
        "\\",
        "\\u00",
        "\n",
        "\n\n",
        "\r\n",
        "data: ",
        "{",
        "}",
        ",",
        '"content":',
        '"usage":',
        "[DONE]",
        "\x0b",
        "\x85",
        "\u2029",
        " ",
    ]
)


def event(piece: str, *, ascii_only: bool) -> str:
    written = piece if ascii_only else piece.encode(errors="replace").decode()  # decoded texts hold no half characters
    chunk = {**HEAD, "choices": [{"index": 0, "delta": {"content": written}, "finish_reason": None}]}
    return json.dumps(chunk, ensure_ascii=ascii_only, separators=(",", ":") if ascii_only else None)


def stream(events: list[str]) -> str:
    return "".join(f"data: {data}\n\n" for data in (*events, "[DONE]"))


@st.composite
def streams(draw: st.DrawFn) -> str:
    ascii_only = draw(st.booleans())
    events = [event(piece, ascii_only=ascii_only) for piece in draw(st.lists(PIECES, max_size=8))]
    others = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}, {"choices": [{"delta": {}}]}]
    others += [{"choices": [], "usage": {"prompt_tokens": 3, "content": "x"}}, {"error": "y"}]
    for other in draw(st.lists(st.sampled_from(others), max_size=3)):
        events.insert(draw(st.integers(0, len(events))), json.dumps({**HEAD, **other}))
    body = stream(events)
    for bit in draw(st.lists(BITS, max_size=2)):
        place = draw(st.integers(0, len(body)))
        body = body[:place] + bit + body[place + draw(st.integers(0, 2)) :]
    return body


@settings(max_examples=200, deadline=None)
@given(streams())
def test_a_stream_adds_up_to_the_same_body(body):
    found = streamed_body(body)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "taken_together", None)
        assert repr(found) == repr(streamed_body(body))


def test_events_that_differ_in_their_text_are_one():
    events = [event(piece, ascii_only=True) for piece in ("Once", " upon", ' a "time"', "\n")]
    usage = json.dumps({**HEAD, "choices": [], "usage": {"prompt_tokens": 1}})
    lines, count = _alike.taken_together(stream([*events, usage]))
    assert count == 2
    assert lines.decode().splitlines() == [event('Once upon a "time"\n', ascii_only=True), usage]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "data: [DONE]",
        "data: 1",
        "event: x\ndata: {}",
        'data: {"a":\ndata: 1}',
        "data: {}\r\n\r\n",
        "data:{}",
        'data: {"a": "\u2028"}',
        'data: {"a": "\ud800"}',
    ],
)
def test_other_streams_are_left_as_they_are(body):
    assert _alike.taken_together(body) is None


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [{"delta": {"content": "a"}}, {"index": 1, "delta": {"content": "b"}}]},
        {"usage": {"content": "a"}, "choices": []},
        {"choices": [{"delta": {"content": "\u00e9"}}]},
    ],
)
def test_events_of_more_than_a_plain_text_stay_apart(chunk):
    assert _alike.taken_together(stream([json.dumps(chunk)] * 2))[1] == 2


def test_only_a_text_is_taken():
    with pytest.raises(TypeError):
        _alike.taken_together(b"data: {}")


TEXTS = st.sampled_from(["", "a", "é", None, 7, ["x"], {}])
CALLS = st.sampled_from([None, [], [{"index": 0, "id": "t", "function": {"name": "f", "arguments": "{}"}}], 0, "x"])
DELTAS = st.fixed_dictionaries({}, optional={"role": TEXTS, "content": TEXTS, "text": TEXTS, "tool_calls": CALLS})
CHOICES = st.fixed_dictionaries(
    {}, optional={"delta": DELTAS | st.sampled_from([None, "{}", []]), "content": TEXTS, "text": TEXTS}
)
CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "id": TEXTS,
        "object": TEXTS,
        "choices": st.lists(CHOICES | TEXTS, max_size=2) | TEXTS,
        "usage": st.sampled_from([None, {"prompt_tokens": 1}, {}]),
        "error": TEXTS,
    },
)


@settings(max_examples=300, deadline=None)
@given(st.lists(CHUNKS, max_size=4))
def test_chunks_add_up_to_the_same_body_as_in_python(chunks):
    found = assemble(chunks)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "chat_body", None)
        assert assemble(chunks) == found


def test_chunks_of_texts_are_added_up_by_compiled_code():
    chunks = [{**HEAD, "choices": [{"delta": {"content": text}}]} for text in ("a", "b")]
    message = {"role": "assistant", "content": "ab", "tool_calls": []}
    expected = {**HEAD, "object": "chat.completion", "choices": [{"message": message}]}
    assert _alike.chat_body(chunks, None) == _alike.chat_body(chunks, module._NOT_IN_CHAT) == expected
    assert _alike.chat_body([], None) is None
    with pytest.raises(TypeError):
        _alike.chat_body(chunks, {"type"})


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [], "content": "x"},
        {"choices": [], "type": "ping"},
        {"choices": [], "notes": [{"content": "x"}]},
        {"choices": [{"delta": {"content": "x", "text": "y"}}]},
        {"choices": [{"delta": {"content": "x"}}, {"delta": {"text": "y"}}]},
        {"choices": [{"delta": {"content": "x", "tool_calls": [{}]}}]},
    ],
)
def test_chunks_with_more_than_a_text_are_not_added_up_once_taken_together(chunk):
    assert _alike.chat_body([chunk], module._NOT_IN_CHAT) is None
