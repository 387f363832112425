"""Thinking of Gemini's models: billed as output, however little of it another vocabulary says."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.formats.fixture_files import requests, tokens

from llm_audit.sources.entry import Request
from llm_audit.sources.records.tokens import thinks

TIME = "2026-09-01T00:00:00Z"


def read(tmp_path: Path, *records: dict[str, Any]) -> list[Request]:
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(map(json.dumps, records)))
    return requests(log)


def flat(**counts: Any) -> dict[str, Any]:
    return {"model": "gemini-2.5-pro", "time": TIME, **counts}


COMPATIBLE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 620}  # 500 of thinking in the total alone
REPLY = {"object": "chat.completion", "id": "1", "created": 1788220800, "choices": [{"message": {"content": "x"}}]}


@pytest.mark.parametrize(
    "record",
    [
        flat(**COMPATIBLE),
        flat(usage=COMPATIBLE),
        flat(usage=COMPATIBLE | {"completion_tokens_details": {"reasoning_tokens": 0}}),
        {**REPLY, "model": "gemini-2.5-flash", "usage": COMPATIBLE},
        {"request": {"model": "gemini-2.5-flash"}, "response": {**REPLY, "usage": COMPATIBLE}},
        flat(usage={"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 620}),
    ],
    ids=["columns", "usage", "details", "reply", "pair", "google"],
)
def test_what_only_the_total_counts_is_thinking(record: dict[str, Any], tmp_path: Path) -> None:
    for request in read(tmp_path, record, record, record):  # the third is read by the fast path
        assert tokens(request) == (100, None, None, None, 520)
        assert (request.usage.reasoning_tokens, request.usage.unexplained_tokens) == (500, None)


def test_what_the_total_of_others_adds_stays_unexplained(tmp_path: Path) -> None:
    other, old = read(
        tmp_path, flat(**COMPATIBLE) | {"model": "gpt-5"}, flat(**COMPATIBLE) | {"model": "gemini-2.0-flash"}
    )
    for request in (other, old):
        assert (request.usage.output_tokens, request.usage.unexplained_tokens) == (20, 500)


@pytest.mark.parametrize(
    "record",
    [
        flat(completion_tokens=100, total_tokens=1100),  # the input is missing
        flat(prompt_tokens=1000, completion_tokens=100, total_tokens=500_000),  # more than a model can think
        flat(**COMPATIBLE) | {"model": "google/gemini-flash-1.5"},
        flat(**COMPATIBLE) | {"model": "gemini-2.5-flash-image"},
    ],
    ids=["no input", "cumulative", "1.5", "image"],
)
def test_a_total_that_cannot_be_of_thinking_stays_unexplained(record: dict[str, Any], tmp_path: Path) -> None:
    (request,) = read(tmp_path, record)
    assert request.usage.reasoning_tokens is None
    assert request.usage.output_tokens == record["completion_tokens"]


def test_what_tools_put_into_the_prompt_is_input(tmp_path: Path) -> None:
    counts = {"prompt_tokens": 1000, "completion_tokens": 100, "tool_use_prompt_tokens": 400}
    inside, outside = read(tmp_path, flat(**counts, total_tokens=1500), flat(**counts, total_tokens=1100))
    assert tokens(inside) == (1400, None, None, None, 100)
    assert tokens(outside) == (1000, None, None, None, 100)


def test_what_another_field_may_explain_stays_unexplained(tmp_path: Path) -> None:
    (request,) = read(tmp_path, flat(**COMPATIBLE, plugin_tokens=500))
    assert (request.usage.output_tokens, request.usage.unexplained_tokens) == (20, 500)
    assert request.usage.unread_counts == "plugin_tokens"


def test_a_total_that_does_not_fit_the_thinking_stays_unexplained(tmp_path: Path) -> None:
    (request,) = read(tmp_path, flat(input_tokens=100, output_tokens=20, thoughts_token_count=300, total_tokens=620))
    assert (request.usage.output_tokens, request.usage.unexplained_tokens) == (320, 200)


@pytest.mark.parametrize(
    ("counts", "output", "ambiguous"),
    [
        ({"output_tokens": 20, "reasoning_tokens": 10}, 30, 10),  # a part of the 20, or on top
        ({"output_tokens": 20, "reasoning_tokens": 10, "total_tokens": 120}, 20, None),
        ({"output_tokens": 20, "reasoning_tokens": 10, "total_tokens": 130}, 30, None),
        ({"output_tokens": 20, "reasoning_tokens": 50}, 70, None),  # more than the output: no part of it
        ({"output_tokens": 20, "reasoning_tokens": 0}, 20, None),
        ({"native_tokens_completion": 20, "native_tokens_reasoning": 10}, 20, None),  # OpenRouter's, a part of it
        ({"output_tokens": 20, "thinking_tokens": 10}, 30, None),
    ],
    ids=str,
)
def test_reasoning_of_a_custom_log_is_on_top_or_perhaps_so(
    counts: dict[str, int], output: int, ambiguous: int | None, tmp_path: Path
) -> None:
    (request,) = read(tmp_path, flat(input_tokens=100, **counts))
    assert tokens(request) == (100, None, None, None, output)
    assert request.usage.ambiguous_tokens == ambiguous


def test_reasoning_of_other_models_and_of_details_is_a_part_of_the_output(tmp_path: Path) -> None:
    counts = {"input_tokens": 100, "output_tokens": 20}
    details = {"prompt_tokens": 100, "completion_tokens": 20, "completion_tokens_details": {"reasoning_tokens": 10}}
    for request in read(tmp_path, flat(**counts, reasoning_tokens=10) | {"model": "gpt-5"}, flat(usage=details)):
        assert tokens(request) == (100, None, None, None, 20)
        assert (request.usage.reasoning_tokens, request.usage.ambiguous_tokens) == (10, None)


@pytest.mark.parametrize("model", ["models/gemini-3-pro-preview", "Gemini-2.5-Flash", "gemini-2.0-flash-thinking-exp"])
def test_models_that_think(model: str) -> None:
    assert thinks(model)


@pytest.mark.parametrize(
    "model", ["gemini-1.5-pro", "gemini-2.0-flash-lite", "gemini-pro", "gemini-embedding-001", "o3"]
)
def test_models_that_do_not(model: str) -> None:
    assert not thinks(model)
