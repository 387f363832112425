import json

import pytest
from tests.sources.formats.fixture_files import requests, tokens

from llm_audit.sources.records.pair import Pair, read_pair
from llm_audit.sources.records.streams import assemble

REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
RESPONSE = {"object": "chat.completion", "model": "gpt-4o-2024-08-06", "choices": [], "usage": {"prompt_tokens": 1}}


def pair(record) -> Pair:
    found = read_pair(record)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "record",
    [
        {"request": REQUEST, "response": RESPONSE},
        {"request": json.dumps(REQUEST), "response": json.dumps(RESPONSE)},
        {"request": {"body": REQUEST}, "response": {"body": json.dumps(RESPONSE)}},
        {"request_body": REQUEST, "response_body": RESPONSE},
        {"requestBody": REQUEST, "responseBody": RESPONSE},
        {**REQUEST, "response": RESPONSE},
    ],
)
def test_one_pair_in_many_wrappings(record) -> None:
    found = pair(record)
    assert (found.request_body["model"], found.request_body["messages"]) == (REQUEST["model"], REQUEST["messages"])
    assert found.response_body == RESPONSE


@pytest.mark.parametrize(
    "record",
    [
        {"model": "m", "prompt": "Hi", "response": "Hello"},
        {"model": "m", "prompt": "Hi", "response": {"text": "Hello"}},
        {"request": "GET /", "response": "200"},
        {"type": "message", "text": "no usage"},
        {"message": "done", "done": True},
    ],
)
def test_what_is_no_pair(record) -> None:
    assert read_pair(record) is None


@pytest.mark.parametrize(
    ("method", "path", "is_call"),
    [
        ("POST", "/v1/messages", True),
        ("POST", "/v1/messages/count_tokens", False),
        ("GET", "/v1/responses/resp_1", False),
        ("POST", "/v1beta/models/g:countTokens", False),
        ("POST", "/v1/files", False),
    ],
)
def test_calls_that_run_no_model(method: str, path: str, is_call: bool) -> None:
    request_body = {"method": method, "url": f"https://h.example{path}", "body": REQUEST}
    assert pair({"request": request_body, "response": {"status": 200, "body": RESPONSE}}).is_call is is_call


def test_a_url_that_is_none_is_left_alone() -> None:
    assert pair({"request": {"uri": "https://[bad", "body": REQUEST}, "response": RESPONSE}).host == ""


def test_usage_in_a_column_beside_the_request_is_that_of_the_response() -> None:
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    for column in ("usage", "token_usage", "usage_metadata"):
        pair = read_pair({"request": request, column: {"prompt_tokens": 7, "completion_tokens": 2}})
        assert pair is not None
        assert pair.request_body == request
        assert pair.response_body["usage"] == {"prompt_tokens": 7, "completion_tokens": 2}


CHUNKS = {
    "chat": [
        {"object": "chat.completion.chunk", "id": "c", "model": "gpt-4o", "choices": [{"delta": {"content": "Hi"}}]},
        {
            "object": "chat.completion.chunk",
            "id": "c",
            "choices": [],
            "usage": {"prompt_tokens": 9, "completion_tokens": 2},
        },
    ],
    "anthropic": [
        {
            "type": "message_start",
            "message": {"id": "m", "model": "claude", "usage": {"input_tokens": 9, "output_tokens": 1}},
        },
        {"type": "message_delta", "usage": {"output_tokens": 60}},
    ],
    "responses": [
        {"type": "response.created", "response": {"id": "r", "model": "gpt-5", "usage": None}},
        {"type": "response.completed", "response": {"id": "r", "model": "gpt-5", "usage": {"input_tokens": 9}}},
    ],
    "gemini": [  # as streamGenerateContent answers, without an id in older logs
        {"candidates": [{"content": {"parts": [{"text": "H"}]}}], "usageMetadata": {"promptTokenCount": 9}},
        {"candidates": [], "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 20}},
    ],
    "ollama": [
        {"model": "llama3.2", "message": {"content": "H"}, "done": False},
        {"model": "llama3.2", "message": {"content": "i"}, "done": True, "prompt_eval_count": 9, "eval_count": 2},
    ],
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_a_stream_in_any_wrapping_is_one_body(chunks) -> None:
    expected = assemble(chunks)
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    for body in (chunks, json.dumps(chunks), "\n".join(map(json.dumps, chunks)), events):
        for record in (
            {"request": REQUEST, "response": body},
            {"request_body": REQUEST, "response_body": body},
            {"request": {"body": REQUEST}, "response": {"status": 200, "body": body}},
            {**REQUEST, "response": body},
        ):
            found = pair(record)
            assert (found.response_body, found.streamed) == (expected, True)


@pytest.mark.parametrize(
    "response",
    [
        [{"role": "assistant", "content": "Hi"}],
        [{"type": "text", "text": "Hi"}],
        [RESPONSE, RESPONSE],  # two calls are not one
        ["data"],
        [],
        '["a", "b"]',
        '{"answer": 1}\n{"answer": 2}',
    ],
    ids=str,
)
def test_a_list_of_anything_else_is_no_stream(response) -> None:
    assert read_pair({"model": "m", "prompt": "Hi", "response": response}) is None


@pytest.mark.parametrize("reply", ["Hello", [{"role": "assistant", "content": "Hello"}]], ids=["text", "messages"])
@pytest.mark.parametrize(
    "counts",
    [
        {"usage": {"prompt_tokens": 10, "completion_tokens": 5}},
        {"prompt_tokens": 10, "completion_tokens": 5},
        {"tokens": {"prompt": 10, "completion": 5}},
    ],
    ids=["usage", "columns", "tokens"],
)
def test_a_reply_alone_is_a_response_with_the_counts_beside_it(reply, counts, tmp_path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"request": REQUEST, "response": reply, "time": "2026-09-01T00:00:00Z", **counts}))
    (request,) = requests(log)
    assert tokens(request) == (10, None, None, None, 5)
    assert (request.model, request.completion, request.status) == ("gpt-4o", "Hello", "ok")
    assert [message.text for message in request.messages or []] == ["Hi"]
