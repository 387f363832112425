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
        (2, Rejected(Reason.TRUNCATED)),
    ]


def test_a_broken_stream_is_truncated_where_it_breaks() -> None:
    def broken():
        yield b'[{"a": 1},\n{"b": '
        raise BrokenStreamError

    assert list(values(broken())) == [(1, b'{"a": 1}'), (2, Rejected(Reason.TRUNCATED))]


def test_an_object_over_the_limit_is_dropped_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 20)
    content = b'[{"a": "' + b"x" * 90 + b'"},\n{"b": 2}]'
    assert list(values(iter(cut(content, 10)))) == [(1, Rejected(Reason.TOO_LONG)), (2, b'{"b": 2}')]
