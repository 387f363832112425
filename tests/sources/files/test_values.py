import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files import values as module
from llm_audit.sources.files.stream import BrokenStreamError
from llm_audit.sources.files.values import values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=4), JSON, max_size=3), min_size=1, max_size=6)


def cut(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


def written(objects: list, layout: str) -> str:
    if layout == "array":
        return json.dumps(objects)
    if layout == "pretty array":
        return json.dumps(objects, indent=2, ensure_ascii=False)
    if layout == "records":
        return json.dumps({"records": objects}, indent=1)
    joint = {"pretty": "\n", "in a row": "", "with commas": ",\n"}[layout]
    return joint.join(json.dumps(item, indent=2 if layout == "pretty" else None) for item in objects)


@settings(deadline=None)
@given(
    objects=OBJECTS,
    layout=st.sampled_from(["array", "pretty array", "records", "pretty", "in a row", "with commas"]),
    size=st.integers(1, 50),
)
def test_objects_come_out_whole_whatever_the_layout_and_the_blocks(objects: list, layout: str, size: int) -> None:
    content = written(objects, layout).encode()
    # The wrapper is told from the first block, which in a file holds thousands of bytes.
    blocks = [content] if layout == "records" else cut(content, size)
    assert [json.loads(raw) for _, raw in values(iter(blocks))] == objects


def test_lines_are_those_on_which_objects_begin() -> None:
    content = b'[\n {"a": 1},\n\n {"b":\n 2}, {"c": 3}\n]\n'
    assert [number for number, _ in values(iter(cut(content, 7)))] == [2, 4, 5]


def test_what_is_no_object_is_counted_with_its_reason() -> None:
    found = list(values(iter([b'[1, "two", {"a": 1}, oops, {"b": 2}]'])))
    assert found == [
        (1, Rejected(Reason.NOT_AN_OBJECT)),
        (1, b'{"a": 1}'),
        (1, Rejected(Reason.NOT_JSON)),
        (1, b'{"b": 2}'),
    ]


def test_an_object_that_never_ends_is_truncated() -> None:
    assert list(values(iter([b'[{"a": 1},\n{"b": [1, 2']))) == [
        (1, b'{"a": 1}'),
        (2, Rejected(Reason.TRUNCATED, unread_bytes=11)),
    ]


def test_a_broken_stream_is_truncated_where_it_breaks() -> None:
    def broken():
        yield b'[{"a": 1},\n{"b": '
        raise BrokenStreamError

    assert list(values(broken())) == [(1, b'{"a": 1}'), (2, Rejected(Reason.TRUNCATED))]


def test_an_object_over_the_limit_is_dropped_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 20)
    content = b'[{"a": "' + b"x" * 90 + b'"},\n{"b": 2}]'
    assert list(values(iter(cut(content, 10)))) == [(1, Rejected(Reason.TOO_LONG, unread_bytes=99)), (2, b'{"b": 2}')]


def call(n: int) -> dict:
    return {
        "id": f"r{n}",
        "messages": [
            {"role": "user", "content": f'Say "{n}", {{now}}, [then] \\ stop'},
            {"role": "user", "content": "!"},
        ],
        "tool_calls": [{"id": n, "arguments": "{}"}] * (n % 3),
        "usage": {"input": n, "details": {"cached": 0}},
    }


def damaged(text: str, kind: str, place: int) -> str:
    place %= len(text) - 2
    at = place + 1
    if kind == "cut":
        return text[:at]
    if kind == "without":
        marks = [index for index, mark in enumerate(text) if mark in '"}]{[' and index]
        at = marks[place % len(marks)]
        return text[:at] + text[at + 1 :]
    if kind == "line break":
        return text[:at] + "\n" + text[at:].replace('"', "", 1)
    return text[:at] + {"brace": "}", "quote": '"', "zeros": "\0" * 9, "word": " oops "}[kind] + text[at:]


@settings(deadline=None, max_examples=400)
@given(
    kind=st.sampled_from(["cut", "without", "line break", "brace", "quote", "zeros", "word"]),
    place=st.integers(0, 10**6),
    where=st.sampled_from([0, 3, 9]),
    layout=st.sampled_from([None, 1]),
    size=st.sampled_from([7, 60, 10**6]),
)
def test_good_objects_beside_a_bad_one_are_all_read(kind: str, place: int, where: int, layout, size: int) -> None:
    texts = [json.dumps(call(n), indent=layout) for n in range(9)]
    bad = damaged(json.dumps(call(99), indent=layout), kind, place)
    texts.insert(where, bad)
    content = "[" + ",\n".join(texts) + "]"
    found = [raw for _, raw in values(iter(cut(content.encode(), size)))]
    read = [json.loads(raw, strict=False) for raw in found if isinstance(raw, bytes)]
    good = [item for item in read if item.get("id") in {f"r{n}" for n in range(9)}]
    assert good == [call(n) for n in range(9)]
    try:
        harmless = isinstance(json.loads(bad), dict)
    except ValueError:
        harmless = False
    assert harmless or any(isinstance(raw, Rejected) for raw in found)


def test_objects_without_their_end_are_read_around_in_time_in_proportion_to_their_number() -> None:
    texts = [json.dumps(call(n)) for n in range(500)]
    bad = ['{"id": "x", "messages": [{"role": "user"}'] * 500
    content = "[" + ",".join(text for both in zip(texts, bad, strict=True) for text in both) + "]"
    found = [raw for _, raw in values(iter(cut(content.encode(), 1 << 22)))]
    assert sum(isinstance(raw, bytes) for raw in found) == 500
    assert sum(isinstance(raw, Rejected) for raw in found) == 500


_ELEMENTS = [{"model": f"m{n}", "messages": [{"role": "a", "content": "}, {"}, {"role": "b"}]} for n in range(4)]


@pytest.mark.parametrize(("wrapper", "size"), [("{}", 1 << 20), ('{{"records": {}}}', 1 << 20), ("{}", 11)])
@pytest.mark.parametrize(
    "damage",
    [
        '{"model: "m0"',
        '{"mod\nel": "m0"',
        '{"mode\\": "m0"',
        '{"mo"}]}',
        '{"model" "m0"',
        '{"\0del": "m0"',
        '{"model": m0"',
    ],
)
def test_damage_to_the_first_key_of_an_array_on_one_line_costs_one_element(
    wrapper: str, damage: str, size: int
) -> None:
    content = wrapper.format(json.dumps(_ELEMENTS)).replace('{"model": "m0"', damage, 1).encode()
    found = list(values(iter(cut(content, size))))
    good = [json.loads(raw) for _, raw in found if isinstance(raw, bytes)]
    assert [element for element in good if "model" in element] == _ELEMENTS[1:]
    assert any(isinstance(raw, Rejected) for _, raw in found)
