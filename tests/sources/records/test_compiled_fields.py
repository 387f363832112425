"""Compiled getters and turns against their Python forms, over values as logs hold them and over odd ones."""

import json
from collections import UserDict
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import BadRecordError, Message
from llm_audit.sources.formats.tracers import otlp
from llm_audit.sources.records import disjoint, fields, messages, times, usage

_fields = pytest.importorskip("llm_audit.sources.records._fields", reason="built without a C compiler")


class Text(str):
    """A text of a class of its own, as no decoder yields it."""

    __slots__ = ()


WORDS = [
    "",
    " ",
    "none",
    "NONE ",
    "Null",
    "\u2003nan",
    "n/a",
    "undefined",
    "\tUndefined\n",
    "UNDEF\u0130NED",
    "nul",
    "é",
]
TEXTS = st.sampled_from(WORDS) | st.text(max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | TEXTS.filter(lambda text: text.lstrip()[:1] not in {"{", "["}).map(Text)
    | st.binary(max_size=3)
)
NAMES = ["role", "content", "parts", "tool_calls", "function_call", "type", "text", "citations", "annotations", "other"]
WRITTEN = st.sampled_from(["user", "system", "model", "tool", "Human ", "text", "image", '{"output": 1}', "[", "{}"])


def objects_of(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.dictionaries(st.sampled_from(NAMES), values, max_size=4)


VALUES = st.recursive(
    SCALARS | WRITTEN,
    lambda inner: st.lists(inner, max_size=4) | objects_of(inner) | objects_of(inner).map(UserDict) | st.tuples(inner),
    max_leaves=12,
)
PARTS = st.fixed_dictionaries(
    {"type": st.just("text")}, optional={"text": TEXTS, "content": TEXTS, "citations": SCALARS}
)
LOOP_PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["tool_use", "tool_result", "thinking", "text"])},
    optional={
        "id": TEXTS | SCALARS,
        "name": TEXTS | SCALARS,
        "input": TEXTS | st.dictionaries(st.sampled_from(NAMES), TEXTS | st.integers() | st.none()),
        "tool_use_id": TEXTS | SCALARS,
        "content": st.lists(PARTS, max_size=2)
        | TEXTS
        | VALUES
        | st.just('{"output": "", "metadata": {"exit_code": 1}}'),
        "is_error": SCALARS,
        "other": SCALARS,
    },
)
TURNS = st.fixed_dictionaries(
    {"role": WRITTEN},
    optional={"content": TEXTS | st.lists(PARTS | LOOP_PARTS | TEXTS, max_size=3) | VALUES, "parts": VALUES},
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_getters_return_the_same_as_in_python(value):
    assert repr(fields.text(value)) == repr(fields.text_in_python(value))
    assert repr(fields.mapping(value)) == repr(fields.mapping_in_python(value))
    assert repr(list(fields.objects(value))) == repr(list(fields.objects_in_python(value)))


@settings(max_examples=200, deadline=None)
@given(objects_of(VALUES) | objects_of(VALUES).map(UserDict), st.lists(st.sampled_from(NAMES), max_size=4))
def test_the_first_of_several_names_is_the_same_as_in_python(record, names):
    assert repr(fields.first(record, *names)) == repr(fields.first_in_python(record, *names))
    groups = (tuple(names), (), *((name,) for name in names))
    assert repr(fields.firsts(record, groups)) == repr(fields.firsts_in_python(record, groups))


@settings(max_examples=300, deadline=None)
@given(st.lists(TURNS | VALUES, max_size=5), VALUES)
def test_turns_are_the_same_as_in_python(items, system):
    found = messages.read_messages(items, system)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(messages, "_add_plain", lambda _found, _items, place: place)
        assert found == messages.read_messages(items, system)


@settings(max_examples=300, deadline=None)
@given(WRITTEN, TEXTS | st.lists(PARTS | LOOP_PARTS | TEXTS, max_size=3) | VALUES)
def test_a_turn_is_the_same_as_in_python_and_as_one_of_a_list(role, content):
    found = _fields.turns(role, content)
    assert found is None or found == messages.read_turn_in_python(role, content)
    assert messages.read_turn(role, content) == (messages.read_messages([{"role": role, "content": content}]) or [])


def test_a_tool_loop_needs_no_python():
    call = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"b": 1, "a": "é"}}
    thought = {"type": "thinking", "thinking": "hm", "signature": "x"}
    said = {"type": "text", "text": "I look."}
    (reply,) = _fields.turns("assistant", [thought, said, call, {**call, "id": "toolu_2"}])
    assert reply == Message("assistant", "I look.", 'Bash({"a":"é","b":1})\nBash({"a":"é","b":1})', "toolu_1")
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no", "is_error": True}
    parted = {"type": "tool_result", "tool_use_id": "toolu_2", "content": [said, said]}
    results = [Message("tool", "no", "", "toolu_1", failed=True), Message("tool", "I look.\nI look.", "", "toolu_2")]
    assert _fields.turns("user", [result, parted]) == results
    assert _fields.turns("user", [said, result]) == [results[0], Message("user", "I look.")]
    assert _fields.turns("assistant", [result]) == [Message("assistant", "")]


@pytest.mark.parametrize(
    "content", ['{"output": "", "metadata": {"exit_code": 1}}', {"exit_code": 1}, [{"type": "image"}]]
)
def test_results_that_may_say_more_are_left_to_python(content):
    assert _fields.turns("user", [{"type": "tool_result", "content": content}]) is None


@settings(max_examples=200, deadline=None)
@given(objects_of(SCALARS | st.integers(-1, 10**9 + 1)) | VALUES, st.lists(st.sampled_from(NAMES), max_size=4))
def test_plain_counts_are_the_same_as_in_python(record, names):
    found = _fields.plain_counts(record, tuple(names))
    assert repr(found) == repr(disjoint.plain_counts_in_python(record, tuple(names)))


PLAIN_PARTS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "text", "image"])}, optional={"text": TEXTS, "content": TEXTS}
    ),
    max_size=2,
)
PLAIN_TURNS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "system", "tool", "developer", "x"])},
    optional={"content": TEXTS | PLAIN_PARTS, "parts": PLAIN_PARTS, "name": TEXTS},
)


@st.composite
def written_turns(draw):
    indent, ascii_only = draw(st.sampled_from([None, 1])), draw(st.booleans())
    text = json.dumps(draw(st.lists(PLAIN_TURNS, max_size=3)), indent=indent, ensure_ascii=ascii_only)
    place, damage = draw(st.integers(0, len(text))), draw(st.sampled_from(["", "", ",", '"', "\\", "]", " ", "\n"]))
    return text[:place] + damage + text[place + draw(st.sampled_from([0, 0, 1])) :]


@settings(max_examples=1000, deadline=None)
@given(written_turns(), st.none() | TEXTS)
def test_written_turns_are_the_same_as_in_python(text, system):
    found = messages.read_messages(text, system)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(messages, "written_turns", lambda _text: None)
        assert found == messages.read_messages(text, system)


PLAIN = (
    '[{"role":"user","content":"a\\u00e9\\n"}, '
    '{"parts": [{"type": "text", "content": "b"}, {"text": "c", "type": "text"}], "role": "model"}]'
)


def test_written_turns_of_texts_alone_need_no_objects():
    assert _fields.written_turns(PLAIN) == [Message("user", "aé\n"), Message("assistant", "b\nc")]


@pytest.mark.parametrize(
    "odd",
    [
        "", "[]", "[", "[{}]", PLAIN[:-1], f"{PLAIN} x", '[{"role": "user"}]', '[{"role": "user", "content": null}]',
        '[{"role": "user", "content": "a", "content": "b"}]', '[{"role": "user", "content": "a", "name": "b"}]',
        '[{"role": "tool", "parts": [{"type": "text", "text": "a"}]}]', '[{"role": "user", "parts": "a"}]',
        '[{"role": "user", "parts": [{"type": "text", "text": ""}]}]', '[{"role": "user", "content": "\\ud800"}]',
        '[{"role": "user", "content": "\ud800"}]', '[{"role": "nobody", "content": "a"}]', '[{"content": "a"}]',
        '[{"role": "user", "content": "a"},]', '[{"role": "user", "parts": [{"type": "text", "type": "text"}]}]',
    ],
)  # fmt: skip
def test_odd_turns_are_left_to_python(odd):
    assert _fields.written_turns(odd) is None


TIMES = st.datetimes(min_value=datetime.fromisoformat("2010-01-01"), max_value=datetime.fromisoformat("2105-01-01"))
WRITTEN_TIMES = st.builds(
    lambda time, form, timespec: time.isoformat(timespec=timespec) + form,
    TIMES,
    st.sampled_from(["Z", "+00:00", "", "-05:00", " UTC", "z"]),
    st.sampled_from(["auto", "seconds", "milliseconds", "minutes"]),
)
NANOSECONDS = st.integers(0, 10**19).map(lambda number: f"{number:019d}") | TIMES.map(
    lambda time: str(round(time.timestamp()) * 10**9)
)


def time_of(value: object) -> object:
    try:
        return times.micros(value)
    except BadRecordError as error:
        return error.note


@settings(max_examples=300, deadline=None)
@given(WRITTEN_TIMES | NANOSECONDS | NANOSECONDS.map(lambda text: f" {text[:-1]}") | SCALARS)
def test_times_are_the_same_as_in_python(value):
    found = time_of(value)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(times, "_plain_time", None)
        assert time_of(value) == found


@pytest.mark.parametrize(
    ("record", "may_be"),
    [({}, False), ({"a": 1, "b": {}}, False), ({"a": {"b": 1, "c": 2}}, False), ({"a": 1, "b": {"c": 1}}, True)],
)
def test_a_record_of_typed_json_has_objects_of_one_field(record, may_be):
    assert _fields.has_single(record) is may_be
    assert _fields.has_single(UserDict(record))


COUNTS = st.integers(-1, 40) | st.sampled_from([None, 10**9, 10**9 + 1, "7", 2.0, True, {}, 10**30])
DETAIL_NAMES = (
    *("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "text_tokens", "reasoning_tokens"),
    *("accepted_prediction_tokens", "rejected_prediction_tokens", "other"),
)
DETAILS = (
    st.none()
    | st.sampled_from(["{}", [], 3])
    | st.dictionaries(st.sampled_from(DETAIL_NAMES), st.just(0) | COUNTS, max_size=3)
)
USAGES = st.fixed_dictionaries(
    {"prompt_tokens": COUNTS},
    optional={
        "completion_tokens": COUNTS,
        "total_tokens": COUNTS,
        "prompt_tokens_details": DETAILS,
        "completion_tokens_details": DETAILS,
        "other": COUNTS,
    },
)
ADDED_UP = st.tuples(USAGES, st.integers(0, 40), st.integers(0, 40)).map(
    lambda drawn: {**drawn[0], "prompt_tokens": drawn[1], "completion_tokens": drawn[2], "total_tokens": sum(drawn[1:])}
)


def usage_in(counts: dict[str, object]) -> object:
    try:
        return usage.of_any(counts)
    except BadRecordError as error:
        return error.note


@settings(max_examples=500, deadline=None)
@given(USAGES | ADDED_UP)
def test_usage_is_the_same_as_in_python(counts):
    found = usage_in(counts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(usage, "_plain_usage", None)
        assert repr(usage_in(counts)) == repr(found)


def test_usage_that_adds_up_is_read_by_compiled_code():
    into, out_of = {"cached_tokens": 3, "audio_tokens": 0}, {"reasoning_tokens": 2}
    counts = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    found = _fields.plain_usage({**counts, "prompt_tokens_details": into, "completion_tokens_details": out_of})
    assert (found.input_tokens, found.cache_read_tokens, found.output_tokens, found.reasoning_tokens) == (4, 3, 5, 2)
    assert (found.audio_input_tokens, found.image_input_tokens, found.usage_source) == (0, None, "reported")
    assert _fields.plain_usage({**counts, "total_tokens": 13}) is None
    assert _fields.plain_usage(UserDict(counts)) is None


ANY_VALUES = st.dictionaries(st.sampled_from(["stringValue", "intValue", "arrayValue"]), SCALARS, max_size=2)
PAIRS = st.fixed_dictionaries({"key": TEXTS}, optional={"value": ANY_VALUES | SCALARS})


@settings(max_examples=200, deadline=None)
@given(st.lists(PAIRS | SCALARS, max_size=4) | SCALARS)
def test_attributes_of_spans_are_the_same_as_in_python(pairs):
    found = otlp._attributes({"attributes": pairs})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(otlp, "_scalars", None)
        assert repr(otlp._attributes({"attributes": pairs})) == repr(found)


def test_scalars_of_pairs_come_by_their_keys():
    pairs = [{"key": "a", "value": {"intValue": "1"}}, {"key": "b", "value": {"stringValue": "x"}}]
    assert _fields.scalars(pairs, frozenset({"intValue", "stringValue"})) == {"a": "1", "b": "x"}
    assert _fields.scalars(pairs, frozenset({"intValue"})) is None
    with pytest.raises(TypeError):
        _fields.scalars(pairs, {"intValue"})


def test_a_plain_time_is_read_by_compiled_code():
    assert _fields.plain_time("1790000000123456789") == 1_790_000_000_123_456
    assert _fields.plain_time("2026-09-01T00:00:00.5Z") is None
    assert _fields.plain_time("2026-09-01T00:00:00.500Z") == times.micros("2026-09-01T00:00:00.5Z")


@pytest.mark.parametrize("function", ["text", "first", "mapping", "objects"])
def test_getters_are_the_compiled_ones(function):
    assert getattr(fields, function) is getattr(_fields, function)


def test_long_integers_are_refused_as_in_python():
    with pytest.raises(ValueError, match="digits"):
        fields.text(10**5000)


def test_turns_and_counts_are_of_arguments_of_their_kinds():
    for function, arguments in (
        (_fields.turns, (1, "a")),
        (_fields.turns, ("user",)),
        (_fields.plain_counts, ({}, [])),
    ):
        with pytest.raises(TypeError):
            function(*arguments)


@pytest.mark.parametrize("arguments", [(), ([],), ([], [], "0"), ((), [], 0)])
def test_turns_are_added_to_a_list_from_a_place_on(arguments):
    with pytest.raises(TypeError):
        _fields.add_plain(*arguments)
    assert _fields.add_plain([], [{"role": "user", "content": "a"}], -1) == -1
