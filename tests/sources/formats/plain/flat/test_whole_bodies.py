"""Response bodies that custom logs keep whole where others keep the reply."""

import json
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import read, tokens

from llm_audit.sources.entry import Request

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "service_tier": "flex",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1200, "completion_tokens": 50, "prompt_tokens_details": {"cached_tokens": 1000}},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Hello."}],
    "usage": {"input_tokens": 200, "cache_read_input_tokens": 1000, "output_tokens": 50, "service_tier": "batch"},
}
GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello."}]}}],
    "usageMetadata": {"promptTokenCount": 1200, "candidatesTokenCount": 50, "cachedContentTokenCount": 1000},
    "modelVersion": "gemini-2.5-flash",
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5-2025-08-07",
    "service_tier": "priority",
    "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}],
    "usage": {"input_tokens": 1200, "input_tokens_details": {"cached_tokens": 1000}, "output_tokens": 50},
}
BODIES = [(CHAT, "flex"), (MESSAGE, "batch"), (GEMINI, "standard"), (RESPONSE, "priority")]
CALL = {"model": "router", "time": "2026-09-01T10:00:00Z", "prompt": "Say hello."}


def calls(tmp_path: Path, *records: object) -> list[Request]:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    found = [entry for _, entry in read(path)]
    assert all(isinstance(entry, Request) for entry in found)
    return [entry for entry in found if isinstance(entry, Request)]


@pytest.mark.parametrize("column", ["completion", "output", "response_text", "raw_response", "response_json", "result"])
@pytest.mark.parametrize("named", BODIES, ids=["chat", "message", "gemini", "response"])
@pytest.mark.parametrize("own", [{}, {"input_tokens": 1200, "output_tokens": 50}, {"usage": None}])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_body_says_more_than_the_counts_around_it(tmp_path, column, named, own, as_text) -> None:
    body, tier = named
    record = {**CALL, **own, column: json.dumps(body) if as_text else body}
    (request,) = calls(tmp_path, record)
    assert tokens(request) == (200, 1000, None, None, 50)
    assert (request.service_tier, request.completion) == (tier, "Hello.")
    assert request.model == body.get("model", "gemini-2.5-flash")


def test_every_line_of_a_log_is_read_alike(tmp_path) -> None:
    plain = {**CALL, "input_tokens": 5, "output_tokens": 2, "completion": "Hello there."}
    whole = {**plain, "input_tokens": 1200, "output_tokens": 50, "completion": json.dumps(CHAT)}
    found = calls(tmp_path, *[plain] * 5, whole, *[plain] * 5, *[whole] * 30, plain)
    read_whole = [request for request in found if request.service_tier == "flex"]
    assert [tokens(request) for request in read_whole] == [(200, 1000, None, None, 50)] * 31
    assert {request.model for request in found if request.service_tier == "standard"} == {"router"}


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(CHAT),  # an example that the model wrote
        json.dumps({"usage": {"prompt_tokens": 9, "completion_tokens": 9}, "service_tier": "batch"}),
        json.dumps({"type": "message", "usage": "low", "service_tier": "batch"}),
        '{"object": "chat.completion", "usage": ',
    ],
)
def test_what_a_model_wrote_about_a_body_is_a_reply(tmp_path, answer) -> None:
    (request,) = calls(tmp_path, {**CALL, "input_tokens": 5, "output_tokens": 900, "completion": answer})
    assert (request.model, request.service_tier, request.completion) == ("router", "standard", answer)
    assert tokens(request) == (5, None, None, None, 900)


def test_a_column_of_a_batch_stands_above_a_body_that_says_default(tmp_path) -> None:
    body = {**CHAT, "service_tier": "default"}
    batch, flex = calls(
        tmp_path,
        {**CALL, "is_batch": True, "completion": json.dumps(body)},
        {**CALL, "service_tier": "flex", "completion": json.dumps(body)},
    )
    assert (batch.service_tier, flex.service_tier) == ("batch", "standard")


@pytest.mark.parametrize(
    ("total", "expected"),
    [(1250, (200, 1000, None, None, 50)), ("1250", (200, 1000, None, None, 50)), (905, (None, None, None, None, None))],
)
def test_a_total_that_is_not_that_of_a_body_makes_it_a_reply(tmp_path, total, expected) -> None:
    (request,) = calls(tmp_path, {**CALL, "total_tokens": total, "completion": json.dumps(CHAT)})
    assert tokens(request) == expected


def test_what_a_record_states_of_a_cost_or_a_model_is_kept_beside_a_body_that_does_not(tmp_path) -> None:
    usage = {"prompt_tokens": 1200, "completion_tokens": 50, "cost": 0.01}
    stated, batch, served = calls(
        tmp_path,
        {**CALL, "usage": usage, "completion": CHAT},
        {**CALL, "is_batch": True, "completion": CHAT},
        {**CALL, "served_model": "gpt-4o", "completion": CHAT},
    )
    assert stated.stated_cost_pico == 10**10
    assert (batch.model_requested, batch.model) == ("router", "gpt-4o-2024-08-06")
    assert (served.model_requested, served.model) == ("router", "gpt-4o")
