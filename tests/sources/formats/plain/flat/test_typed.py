"""A record read by its typed reader gives what it gives as a dictionary."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.formats.fixture_files import FIXTURES

from llm_audit.sources.decode import decode
from llm_audit.sources.entry import Rejected, Request
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.formats.plain.flat import FORMAT
from llm_audit.sources.formats.plain.flat.typed import typed_reader

USUAL = {
    "timestamp": "2026-09-01T10:00:00.5Z",
    "request_id": "req_1",
    "model": "gpt-4o",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
    "stream": True,
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}},
    "metadata": {"team": "search", "feature": "chat", "note": "x", "session_id": "s1"},
    "trace_id": "t1",
    "latency_ms": 1200,
    "status": 200,
}
COUNTED = {
    "time": 1756720800,
    "model": "claude-3-5-haiku",
    "prompt": "Hello",
    "system": "Be brief.",
    "input_tokens": 12,
    "output_tokens": 3,
    "cached_tokens": 2,
    "total_tokens": 15,
    "team": "search",
    "user": 7,
    "completion": "Hi",
    "our_own": [1, {"a": None}],
}


def plain(value: Any) -> Any:
    """An entry as builtins, so that messages of either kind are equal."""
    if isinstance(value, Rejected):
        return "rejected", value.reason, value.field
    said = [(m.role, m.text, m.calls, m.call_id, m.images, m.audio) for m in value.messages or ()]
    return msgspec.structs.asdict(msgspec.structs.replace(value, messages=None)), value.messages is None, said


def as_dictionary(line: bytes) -> Any:
    (item,) = decode(line)
    ((name, entry),) = FormatDetector((FORMAT,), path="log").entries(1, item)
    assert name == "flat"
    return plain(entry)


def by_typed_reader(like: dict[str, Any], line: bytes) -> Any:
    """What this line gives after two like it, and whether it was read by the typed reader."""
    detector = FormatDetector((FORMAT,), path="log")
    for _ in range(2):
        detector.entries(1, like)
    typed = detector.fast_path.decode(line)
    item = next(decode(line)) if typed is None else typed
    ((name, entry),) = detector.entries(3, item)
    assert name == "flat"
    assert detector.records == {"flat": 3}
    return plain(entry), typed is not None


@pytest.mark.parametrize("record", [USUAL, COUNTED])
def test_the_usual_records_have_a_typed_reader(record) -> None:
    line = json.dumps(record).encode()
    assert by_typed_reader(record, line) == (as_dictionary(line), True)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": "Hello"},
        {"messages": [{"role": "developer", "content": "x"}]},
        {"messages": [{"role": "user", "content": "x", "name": "y"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": []}]},
        {"usage": {"input_tokens": 3}},
        {"usage": {"prompt_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 3}}},
        {"usage": {"prompt_tokens": -1, "completion_tokens": 3}},
        {"usage": '{"prompt_tokens": 3}'},
        {"status": {"code": 200}},
        {"model": ["gpt-4o"]},
        {"extra": 1},
    ],
)
def test_what_does_not_fit_is_read_as_a_dictionary(change) -> None:
    line = json.dumps(USUAL | change).encode()
    assert by_typed_reader(USUAL, line) == (as_dictionary(line), False)


@pytest.mark.parametrize(
    "record",
    [
        {"time": 1, "input_tokens": 3},  # no model
        USUAL | {"region": "eu"},  # a column that few logs have
        USUAL | {"time": "2026-09-01"},  # two names of one column
        USUAL | {'a "key"': 1},
    ],
)
def test_other_records_have_none(record) -> None:
    assert typed_reader(record) is None


SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=6)
    | st.sampled_from(["null", " None ", "ok", "error", "200", "1756720800", "2026-09-01", "yes"])
    | st.sampled_from(["[redacted]", '{"team": "a"}', '[{"role": "user", "content": "x"}]'])
)  # fmt: skip
COUNTS = st.integers(0, 20) | st.sampled_from([None, -1, 10**10, 1.0, 1.5, True, "3", "x"])
ROLES = st.sampled_from(["user", "assistant", "system", "tool", "developer", "Human", ""])
MESSAGES = st.lists(st.fixed_dictionaries({"role": ROLES, "content": st.text(max_size=8)}), max_size=3)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "messages": MESSAGES | SCALARS,
    "usage": st.fixed_dictionaries(
        {"prompt_tokens": COUNTS},
        optional={
            "completion_tokens": COUNTS,
            "total_tokens": COUNTS,
            "prompt_tokens_details": st.none() | st.fixed_dictionaries({}, optional={"cached_tokens": COUNTS}),
        },
    )
    | SCALARS,
    "metadata": st.dictionaries(st.sampled_from(["team", "trace_id", "tags", "env", "x"]), SCALARS) | SCALARS,
    "completion": MESSAGES | SCALARS,
    **dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens", "total_tokens"), COUNTS),
}


@st.composite
def pairs(draw):
    """A usual record with some of its fields left out, and a line of the same keys, mostly, and other values."""
    record = draw(st.sampled_from([USUAL, COUNTED]))
    record = {key: value for key, value in record.items() if key == "model" or draw(st.integers(0, 4))}
    changed = {key: draw(KINDS.get(key, SCALARS)) for key in record if draw(st.booleans())}
    changed |= {"extra": 1} if not draw(st.integers(0, 9)) else {}
    return record, json.dumps(record | changed, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")


@settings(max_examples=600, deadline=None)
@given(pairs())
def test_lines_of_like_keys_are_read_alike(pair) -> None:
    record, line = pair
    if FORMAT.matches(record, Context("x")):
        assert by_typed_reader(record, line)[0] == as_dictionary(line)


def test_fixtures_are_read_alike() -> None:
    lines = [line for path in sorted(FIXTURES.glob("flat/*.jsonl")) for line in path.read_bytes().splitlines()]
    for line in lines:
        assert by_typed_reader(json.loads(line), line)[0] == as_dictionary(line)
    assert lines


def test_a_request_is_a_request() -> None:
    found = typed_reader(USUAL)
    assert found is not None
    assert isinstance(found.read(found.decode(json.dumps(USUAL).encode())), Request)
