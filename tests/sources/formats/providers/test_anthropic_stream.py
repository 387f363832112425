"""A stream logged an event a line is one call where it can be put together, and no wrong number where it cannot."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.formats.fixture_files import FIXTURES, not_calls, rejections, requests, tokens

from llm_audit.cli import run

EVENTS = [json.loads(line) for line in (FIXTURES / "anthropic-stream/made.jsonl").read_text().splitlines()]
WHOLE, CUT, TOLD = EVENTS[:7], EVENTS[7:12], EVENTS[12:]


def start(name: str, count: int, model: str = "claude-sonnet-4-5") -> dict[str, Any]:
    usage = {"input_tokens": count, "output_tokens": 1}
    return {"type": "message_start", "message": {"id": name, "type": "message", "model": model, "usage": usage}}


def end(output: int, **said: int) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {**said, "output_tokens": output}}


def log(path: Path, *events: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return path


def calls(path: Path) -> dict[str | None, int | None]:
    """The output of each call, as counted last."""
    return {request.request_id: request.usage.output_tokens for request in requests(path)}


def test_the_start_and_the_end_of_a_stream_are_one_call() -> None:
    first, whole, cut, told_start, told = requests("anthropic-stream/made.jsonl")
    assert [tokens(request) for request in (first, whole)] == [(472, 10, 0, None, None), (472, 10, 0, None, 210)]
    assert first.merge_key == whole.merge_key == "msg_01a|claude-sonnet-4-5|ok"
    assert tokens(cut) == (90, 10, 0, None, None)  # its first output count is a placeholder
    assert (tokens(told), told.service_tier) == ((600, 10, 0, None, 33), "priority")
    assert told.merge_key == told_start.merge_key != whole.merge_key
    assert not_calls("anthropic-stream/made.jsonl") == ["metadata"] * 14
    assert rejections("anthropic-stream/made.jsonl") == []


def test_a_log_of_streams_is_counted_once_and_what_was_cut_has_no_price(tmp_path: Path) -> None:
    path, target = log(tmp_path / "lines.jsonl", *WHOLE, *CUT, *TOLD), tmp_path / "audit.json"
    assert run(["analyze", str(path), "-q", "-o", str(target)]) == 0
    found = json.loads(target.read_bytes())
    assert {name: found["requests"][name] for name in ("audited", "duplicates", "not_provider_calls", "rejected")} == {
        "audited": 3, "duplicates": 2, "not_provider_calls": 14, "rejected": 0,
    }  # fmt: skip
    assert (found["tokens"]["output"], found["cost"]["unpriced_requests"]) == (243, 1)


def test_events_in_what_a_shipper_wraps_them_in_keep_its_time(tmp_path: Path) -> None:
    wrapped = [{"timestamp": f"2026-09-01T10:00:0{at}Z", "event": event} for at, event in enumerate(WHOLE)]
    _, call = requests(log(tmp_path / "shipped.jsonl", *wrapped))
    assert (call.usage.output_tokens, call.time_us) == (210, 1_788_256_805_000_000)


def test_of_streams_that_are_open_at_once_counts_tell_which_ends(tmp_path: Path) -> None:
    path = log(
        tmp_path / "both.jsonl",
        *(start("a", 100), start("b", 200)),
        *(end(9, input_tokens=200), end(5, input_tokens=100)),
        *(start("c", 70), start("d", 70), end(4, input_tokens=70)),  # a try that was cut, and the next
    )
    assert calls(path) == {"a": 5, "b": 9, "c": None, "d": 4}
    assert rejections(path) == []


@pytest.mark.parametrize(
    ("events", "known"),
    [
        ((start("a", 100), start("b", 200), end(9), end(5)), {"a": None, "b": None}),
        ((start("a", 100), start("b", 200), end(9, input_tokens=300)), {"a": None, "b": None}),
        ((start("a", 100), end(9, input_tokens=50)), {"a": None}),
        ((start("a", 7), start("b", 7, "claude-opus-4-5"), end(9, input_tokens=7)), {"a": None, "b": None}),
        ((end(9),), {}),
        ((start("a", 100), end(9), end(5)), {"a": 9}),
    ],
)
def test_an_end_that_may_be_of_another_stream_is_rejected(
    tmp_path: Path, events: tuple[dict[str, Any], ...], known: dict[str | None, int | None]
) -> None:
    path = log(tmp_path / "unsure.jsonl", *events)
    assert calls(path) == known
    assert set(rejections(path)) == {("bad_shape", "message_start")}


def test_streams_after_such_that_could_not_be_told_apart_are_read_again(tmp_path: Path) -> None:
    path = log(tmp_path / "again.jsonl", start("a", 1), start("b", 2), end(9), end(5), start("c", 3), end(6))
    assert calls(path) == {"a": None, "b": None, "c": 6}


def test_a_search_adds_to_the_input_that_the_end_counts(tmp_path: Path) -> None:
    path = log(tmp_path / "search.jsonl", start("a", 2679), end(510, input_tokens=10_682))
    assert tokens(requests(path)[-1]) == (10_682, None, None, None, 510)


def test_a_stream_whose_lines_are_there_twice_is_one_call(tmp_path: Path) -> None:
    events = [event for event in (start("a", 100), end(20)) for _ in range(2)]
    path = log(tmp_path / "twice.jsonl", *events, start("b", 50), end(7))
    assert (calls(path), rejections(path)) == ({"a": 20, "b": 7}, [])
