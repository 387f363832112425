import json

import pytest

from llm_audit.sources.records.pair import Pair, read_pair, request_of

ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
ANSWER = {"object": "chat.completion", "model": "gpt-4o-2024-08-06", "choices": [], "usage": {"prompt_tokens": 1}}


def pair(record) -> Pair:
    found = read_pair(record)
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
    assert (found.request_body["model"], found.request_body["messages"]) == (ASK["model"], ASK["messages"])
    assert found.response_body == ANSWER


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
    asked = {"method": method, "url": f"https://h.example{path}", "body": ASK}
    assert pair({"request": asked, "response": {"status": 200, "body": ANSWER}}).is_call is is_call


def test_a_url_that_is_none_is_left_alone() -> None:
    assert pair({"request": {"uri": "https://[bad", "body": ASK}, "response": ANSWER}).host == ""


def test_a_failed_or_cancelled_answer_is_told_from_a_good_one() -> None:
    states = {"completed": "ok", "incomplete": "ok", "failed": "error", "cancelled": "cancelled"}
    for state, status in states.items():
        body = {"object": "response", "model": "m", "status": state}
        assert request_of(pair(body), provider=None).status == status


def test_legacy_completions_are_read() -> None:
    body = {"object": "text_completion", "model": "m", "choices": [{"text": "Hello", "index": 0}]}
    assert request_of(pair(body), provider=None).completion == "Hello"


def test_ids_in_the_metadata_are_found() -> None:
    asked = {**ASK, "metadata": {"session_id": "s", "trace_id": "t"}}
    request = request_of(pair({"request": asked, "response": ANSWER}), provider=None)
    assert (request.conversation, request.trace, request.tags) == ("s", "t", ())
