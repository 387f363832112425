import json

import pytest

from llm_audit.sources.formats.providers.dialects import Dialect, dialect_of
from llm_audit.sources.formats.providers.pair import Pair, read, request_of
from llm_audit.sources.records.hosts import provider_of, region_of
from llm_audit.sources.records.streams import assemble, events

ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
ANSWER = {"object": "chat.completion", "model": "gpt-4o-2024-08-06", "choices": [], "usage": {"prompt_tokens": 1}}


def pair(record) -> Pair:
    found = read(record)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "record",
    [
        {"request": ASK, "response": ANSWER},
        {"request": json.dumps(ASK), "response": json.dumps(ANSWER)},
        {"request": {"body": ASK}, "response": {"body": json.dumps(ANSWER)}},
        {"request_body": ASK, "response_body": ANSWER},
        {"requestBody": ASK, "responseBody": ANSWER},
        {**ASK, "response": ANSWER},
    ],
)
def test_one_pair_in_many_wrappings(record) -> None:
    found = pair(record)
    assert (found.asked["model"], found.asked["messages"]) == (ASK["model"], ASK["messages"])
    assert found.answered == ANSWER
    assert dialect_of(found) is Dialect.CHAT


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
    assert read(record) is None


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("https://api.openai.com/v1/chat/completions", Dialect.CHAT),
        ("https://api.openai.com/v1/embeddings", Dialect.CHAT),
        ("https://api.openai.com/v1/responses/resp_1/cancel", Dialect.RESPONSES),
        ("https://api.anthropic.com/v1/messages?beta=true", Dialect.ANTHROPIC),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/model/x/invoke", Dialect.BEDROCK),
        ("https://generativelanguage.googleapis.com/v1beta/models/g:countTokens", Dialect.GEMINI),
        ("https://openrouter.ai/api/v1/chat/completions", Dialect.OPENROUTER),
        ("http://localhost:11434/api/generate", Dialect.OLLAMA),
    ],
)
def test_the_url_tells_the_api_even_of_a_failed_call(url: str, dialect: Dialect) -> None:
    failed = pair({"request": {"uri": url, "body": {"model": "x"}}, "response": {"status": 500, "body": "oops"}})
    assert dialect_of(failed) is dialect
    assert request_of(failed, provider=None).status == "error"


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
    asked = {"method": method, "url": f"https://h.example{path}", "body": ASK}
    assert pair({"request": asked, "response": {"status": 200, "body": ANSWER}}).is_call is is_call


def test_a_url_that_is_none_is_left_alone() -> None:
    assert pair({"request": {"uri": "https://[bad", "body": ASK}, "response": ANSWER}).host == ""


def test_hosts() -> None:
    assert provider_of("acme.openai.azure.com") == "azure"
    assert provider_of("europe-west4-aiplatform.googleapis.com") == "google"
    assert provider_of("notapi.openai.com.example") is None
    assert region_of("bedrock-runtime.eu-central-1.amazonaws.com") == "eu-central-1"
    assert region_of("api.openai.com") is None


def test_a_failed_or_cancelled_answer_is_told_from_a_good_one() -> None:
    states = {"completed": "ok", "incomplete": "ok", "failed": "error", "cancelled": "cancelled"}
    for state, status in states.items():
        body = {"object": "response", "model": "m", "status": state}
        assert request_of(pair(body), provider=None).status == status


def test_events_survive_what_surrounds_them() -> None:
    sent = (": ping", 'event: a\r\ndata: {"n": 1}', 'data: {"n":\r\ndata: 2}', "data: [DONE]", 'data: {"n": 3')
    assert events("\r\n\r\n".join(sent)) == [{"n": 1}, {"n": 2}]
    assert assemble([]) == {}


def test_chunks_of_calls_are_joined_by_their_index() -> None:
    def chunk(index: int, **function: str):
        return {"choices": [{"delta": {"tool_calls": [{"index": index, "function": function}]}}]}

    body = assemble([chunk(0, name="f", arguments='{"a"'), chunk(1, name="g"), chunk(0, arguments=":1}")])
    calls = body["choices"][0]["message"]["tool_calls"]
    assert [(call["function"]["name"], call["function"]["arguments"]) for call in calls] == [
        ("f", '{"a":1}'),
        ("g", ""),
    ]


def test_legacy_completions_are_read() -> None:
    body = {"object": "text_completion", "model": "m", "choices": [{"text": "Hello", "index": 0}]}
    assert request_of(pair(body), provider=None).completion == "Hello"


def test_ids_in_the_metadata_are_found() -> None:
    asked = {**ASK, "metadata": {"session_id": "s", "trace_id": "t"}}
    request = request_of(pair({"request": asked, "response": ANSWER}), provider=None)
    assert (request.conversation, request.trace, request.tags) == ("s", "t", ())
