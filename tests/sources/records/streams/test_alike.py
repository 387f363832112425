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


MESSAGE = {"type": "message_start", "message": {"id": "m1", "model": "m", "usage": {"input_tokens": 3}}}
DELTA = {"type": "content_block_delta", "index": 0}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}


def of_messages(events: list[dict[str, object]], *, compact: bool = False) -> str:
    separators = (",", ":") if compact else None
    return "".join(
        f"event: {event.get('type', 'x')}\ndata: {json.dumps(event, separators=separators)}\n\n" for event in events
    )


@st.composite
def message_streams(draw: st.DrawFn) -> str:
    def delta(**given: str) -> dict[str, object]:
        return {**DELTA, "index": draw(st.sampled_from([0, 0, 1])), "delta": {"type": "text_delta", **given}}

    events: list[dict[str, object]] = [draw(st.sampled_from([MESSAGE, MESSAGE, {"type": "ping"}]))]
    events.append({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    events += [delta(text=piece) for piece in draw(st.lists(PIECES, max_size=6))]
    events += [delta(partial_json=piece) for piece in draw(st.lists(PIECES, max_size=3))]
    odd = [END, {"type": "ping"}, {**DELTA, "delta": {"text": "x", "partial_json": "y"}}, {"index": 0, "text": "x"}]
    odd += [
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": text}} for text in "ab"
    ]
    odd += [{"delta": {"text": "t"}, **DELTA}, {**DELTA, "delta": {"text": "t"}, "content": "x"}]
    for event in draw(st.lists(st.sampled_from(odd), max_size=4)):
        events.insert(draw(st.integers(0, len(events))), event)
    body = of_messages(events, compact=draw(st.booleans()))
    for bit in draw(
        st.lists(st.sampled_from(["event: ", '"type":', '"text":', "\n", "\n\n", "\x0b", '"', ","]), max_size=2)
    ):
        place = draw(st.integers(0, len(body)))
        body = body[:place] + bit + body[place + draw(st.integers(0, 2)) :]
    return body


@settings(max_examples=300, deadline=None)
@given(message_streams())
def test_a_stream_of_messages_adds_up_to_the_same_body(body):
    found = streamed_body(body)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "taken_together", None)
        assert repr(found) == repr(streamed_body(body))


def test_events_of_messages_that_differ_in_their_text_are_one():
    pieces = [{**DELTA, "delta": {"type": "text_delta", "text": text}} for text in "abc"]
    pieces += [{**DELTA, "delta": {"type": "input_json_delta", "partial_json": text}} for text in "{}"]
    lines, count, is_messages = _alike.taken_together(of_messages([MESSAGE, *pieces, END]))
    events = [json.loads(line) for line in lines.splitlines()]
    assert (count, is_messages) == (4, True)
    assert [event.get("delta", {}).get("text") for event in events] == [None, "abc", None, None]
    assert events[2]["delta"]["partial_json"] == "{}"


@pytest.mark.parametrize("kind", ["a b", "é", "", "x\x0b"])
def test_an_odd_name_of_an_event_leaves_the_stream_as_it_is(kind):
    body = f"event: {kind}\ndata: {json.dumps(MESSAGE)}\n\n"
    assert (_alike.taken_together(body) is None) is (kind != "")


def test_events_that_differ_in_their_text_are_one():
    events = [event(piece, ascii_only=True) for piece in ("Once", " upon", ' a "time"', "\n")]
    usage = json.dumps({**HEAD, "choices": [], "usage": {"prompt_tokens": 1}})
    lines, count, is_messages = _alike.taken_together(stream([*events, usage]))
    assert (count, is_messages) == (2, False)
    assert lines.decode().splitlines() == [event('Once upon a "time"\n', ascii_only=True), usage]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "data: [DONE]",
        "data: 1",
        "event: x y\ndata: {}",
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
