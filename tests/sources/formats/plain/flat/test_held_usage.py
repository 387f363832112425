"""A usage beside a reply or in metadata counts where a record has no other; numbers that are none do not."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.formats.fixture_files import requests, tokens

TIME = "2026-10-03T10:00:00Z"
USAGE = {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 500}
COUNTED = (100, 500, None, None, 20)
NONE = (None,) * 5
HELD: list[tuple[dict[str, Any], tuple[int | None, ...]]] = [
    ({"output": {"text": "Yes.", "usage": USAGE}}, COUNTED),
    ({"completion": {"role": "assistant", "content": "Yes.", "usage": USAGE}}, COUNTED),
    ({"completion": "Yes.", "metadata": {"usage": USAGE}}, COUNTED),
    ({"completion": "Yes.", "metadata": USAGE}, COUNTED),
    ({"completion": "Yes.", "metadata": json.dumps({"usage": USAGE, "team": "search"})}, COUNTED),
    ({"completion": json.dumps({"usage": USAGE})}, NONE),  # a text that a model may have written
    ({"completion": "Yes.", "metadata": {"input_tokens": 100, "max_tokens": 20}}, NONE),
    ({"completion": "Yes.", "metadata": {"input_tokens": -100, "output_tokens": 20}}, NONE),
    ({"completion": "Yes.", "steps": [{"input_tokens": -100, "output_tokens": 20}]}, NONE),
    ({"completion": "Yes.", "metadata": {"usage": USAGE}, "usage": None}, NONE),
    ({"completion": "Yes.", "metadata": {"input_tokens": "many", "output_tokens": 20}}, NONE),
    ({"completion": "Yes.", "metadata": {"usage": {"input_tokens": 100, "output_tokens": "few"}}}, NONE),
    ({"completion": "Yes.", "usage": {"gpt-4o": {"prompt_tokens": "many"}}}, NONE),
    (
        {"completion": "Yes.", "metadata": {"usage": USAGE}, "input_tokens": 7, "output_tokens": 3},
        (7, None, None, None, 3),
    ),
]


@pytest.mark.parametrize(("held", "counts"), HELD)
def test_a_usage_that_a_record_holds_elsewhere(held: dict[str, Any], counts: object, tmp_path: Path) -> None:
    record = {"timestamp": TIME, "model": "claude-sonnet-4-5", "prompt": "Is it?", **held}
    path = tmp_path / "log.jsonl"
    path.write_text(f"{json.dumps(record)}\n" * 4)  # enough for the reader of lines that are alike
    assert [tokens(request) for request in requests(path)] == [counts] * 4


SEVERAL: list[dict[str, Any]] = [
    {"usage": {"gpt-4o": USAGE, "gpt-4o-mini": USAGE}},
    {"prompt": "Is it?", "llm_calls": [{"model": "gpt-4o", "usage": USAGE}, {"model": "gpt-4o-mini", "usage": USAGE}]},
    {"prompt": "Is it?", "steps": [USAGE, USAGE]},
]


@pytest.mark.parametrize("held", SEVERAL)
def test_usages_of_several_calls_are_named_and_not_used(held: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"timestamp": TIME, "model": "gpt-4o", **held}))
    (request,) = requests(path)
    assert (tokens(request), request.usage.unread_counts) == (NONE, "usages of several calls")
