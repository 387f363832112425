import pytest

from llm_audit.sources.entry import Request
from llm_audit.sources.records.bodies import model_of, read_parameters, read_request_body, read_response_body, usage_of


def asked(body: dict) -> Request:
    request = Request(model="m")
    read_parameters(request, body)
    return request


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, True),
        ({"response_format": {"type": "json_object"}}, False),
        ({"text": {"format": {"type": "json_schema"}}}, True),
        ({"generationConfig": {"responseSchema": {"type": "OBJECT"}}}, True),
        ({"generation_config": {"response_json_schema": {}}}, True),
        ({"messages": []}, False),
    ],
)
def test_a_schema_is_asked_for(body, wanted) -> None:
    assert asked(body).needs_json_schema is wanted


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"reasoning_effort": "high"}, True),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning": {"effort": "low"}}, True),
        ({"reasoning": {"summary": "auto"}}, False),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, True),
        ({"thinking": {"type": "disabled"}}, False),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": -1}}}, True),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}, False),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}}, True),
    ],
)
def test_reasoning_is_asked_for(body, wanted) -> None:
    assert asked(body).needs_reasoning is wanted


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": "7", "max_tokens": 5}, 7),
        ({"inferenceConfig": {"maxTokens": 9}}, 9),
        ({"generationConfig": {"maxOutputTokens": 11}}, 11),
        ({"max_tokens": -1}, None),
        ({}, None),
    ],
)
def test_the_limit_of_output(body, limit) -> None:
    assert asked(body).max_output_tokens == limit


@pytest.mark.parametrize(
    ("body", "said", "calls", "call_id"),
    [
        ({"choices": [{"message": {"role": "assistant", "content": "a"}}]}, "a", "", None),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
            "a",
            "f({})",
            "t",
        ),
        ({"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}}]}, "a", "", None),
        ({"output": {"message": {"role": "assistant", "content": [{"text": "a"}]}}}, "a", "", None),
        (
            {
                "output": [
                    {"type": "reasoning"},
                    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                ]
            },
            None,
            "f({})",
            "c",
        ),
        ({}, None, "", None),
    ],
)
def test_the_reply_of_any_provider(body, said, calls, call_id) -> None:
    request = Request(model="m")
    read_response_body(request, body)
    assert (request.completion, request.completion_calls, request.completion_call_id) == (said, calls, call_id)


def test_the_prompt_the_model_and_the_usage() -> None:
    request = Request(model="m")
    read_request_body(
        request,
        {"system": "S", "messages": [{"role": "user", "content": "U"}], "stream": True, "tools": [{"name": "f"}]},
    )
    assert [(message.role, message.text) for message in request.messages or []] == [("system", "S"), ("user", "U")]
    assert (request.streamed, request.tools) == (True, ("f",))
    assert model_of({"modelVersion": "gemini-2.5-flash"}) == "gemini-2.5-flash"
    assert usage_of({"usage": {"prompt_tokens": 3, "completion_tokens": 1}}).input_tokens == 3
    assert usage_of({}).usage_source == "none"
