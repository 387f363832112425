import json

import pytest

from llm_audit.sources.entry import Message, Request
from llm_audit.sources.records.messages import is_redacted, offer_tools, read_messages, read_reply

CALL = 'add({"a":2,"b":3})'
SHAPES = {
    "openai": [
        {"role": "developer", "content": "Be exact."},
        {"role": "user", "content": [{"type": "text", "text": "2 + 3?"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"b": 3, "a": 2}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "5"},
    ],
    "responses": [
        {"role": "system", "content": [{"type": "input_text", "text": "Be exact."}]},
        {"role": "user", "content": "2 + 3?"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a":2,"b":3}'},
        {"type": "function_call_output", "call_id": "c1", "output": "5"},
    ],
    "anthropic": [
        {"role": "system", "content": "Be exact."},
        {"role": "user", "content": "2 + 3?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "tool_use", "id": "c1", "name": "add", "input": {"b": 3, "a": 2}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "5"}]}],
        },
    ],
    "converse": [
        {"role": "system", "content": [{"text": "Be exact."}, {"cachePoint": {"type": "default"}}]},
        {"role": "user", "content": [{"text": "2 + 3?"}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                {"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 2, "b": 3}}},
            ],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "5"}]}}]},
    ],
    "gemini": [
        {"role": "system", "parts": [{"text": "Be exact."}]},
        {"role": "user", "parts": [{"text": "2 + 3?"}]},
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True},
                {"functionCall": {"id": "c1", "name": "add", "args": {"a": 2, "b": 3}}},
            ],
        },
        {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "add", "response": 5}}]},
    ],
    "opentelemetry": [
        {"role": "system", "parts": [{"type": "text", "content": "Be exact."}]},
        {"role": "user", "parts": [{"type": "text", "content": "2 + 3?"}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c1", "name": "add", "arguments": {"a": 2, "b": 3}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": 5}]},
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_one_conversation_in_every_providers_shape(shape: str) -> None:
    expected = [
        Message("system", "Be exact."),
        Message("user", "2 + 3?"),
        Message("assistant", "", CALL, "c1"),
        Message("tool", "5", "", "c1"),
    ]
    assert read_messages(SHAPES[shape]) == expected
    assert read_messages(json.dumps(SHAPES[shape])) == expected


def test_system_prompts_held_apart_come_first() -> None:
    said = [Message("system", "A\nB"), Message("user", "hi")]
    assert read_messages("hi", [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]) == said
    assert read_messages("hi", {"parts": [{"text": "A"}, {"text": "B"}]}) == said
    assert read_messages("hi", "A\nB") == said


@pytest.mark.parametrize("nothing", [None, "", [], {}, "{}", 5])
def test_no_prompt_is_none(nothing: object) -> None:
    assert read_messages(nothing) is None


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:"}},
        {"type": "input_image", "image_url": "data:"},
        {"type": "image", "source": {"type": "base64", "data": ""}},
        {"image": {"format": "png", "source": {}}},
        {"inlineData": {"mimeType": "image/png", "data": ""}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "x"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf"}},
        {"document": {"format": "pdf", "name": "d"}},
    ],
)
def test_what_a_model_must_see(part) -> None:
    assert read_messages([{"role": "user", "content": [part, {"text": "?"}]}]) == [Message("user", "?", images=1)]


@pytest.mark.parametrize(
    "part",
    [{"type": "input_audio", "input_audio": {}}, {"inline_data": {"mime_type": "audio/wav"}}, {"type": "audio"}],
)
def test_what_a_model_must_hear(part) -> None:
    assert read_messages([{"role": "user", "content": [part]}]) == [Message("user", "", audio=1)]


def test_documents_of_text_are_read() -> None:
    parts = [
        {"type": "document", "source": {"type": "text", "data": "A"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "B"}]}},
        {"document": {"format": "txt", "name": "d"}},
    ]
    assert read_messages([{"role": "user", "content": parts}]) == [Message("user", "A\nB")]


def test_calls_listed_one_by_one_are_one_reply() -> None:
    items = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "Two steps."},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "g", "arguments": "{}"},
    ]
    assert read_messages(items) == [Message("user", "go"), Message("assistant", "Two steps.", "f({})\ng({})", "a")]
    assert read_reply(items[1:]) == ("Two steps.", "f({})\ng({})", "a")


def test_a_providers_own_tools_are_no_calls_to_answer() -> None:
    blocks = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "text", "text": "Found."},
    ]
    assert read_messages([{"role": "assistant", "content": blocks}]) == [Message("assistant", "Found.")]


@pytest.mark.parametrize(
    ("tools", "names", "defined"),
    [
        ([{"type": "function", "function": {"name": "f"}}, {"name": "g"}], ("f", "g"), (True, False)),
        (
            [{"name": "f", "input_schema": {"type": "object"}}, {"type": "web_search"}],
            ("f", "web_search"),
            (True, False),
        ),
        ({"tools": [{"toolSpec": {"name": "f"}}, {"cachePoint": {"type": "default"}}]}, ("f",), (True,)),
        ([{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}], ("f", "googleSearch"), (True, False)),
        ([{"name": "f", "input_schema": {}, "defer_loading": True}], ("f",), (False,)),
        ([], (), ()),
    ],
)
def test_names_of_tools_and_which_of_them_the_caller_defines(tools, names, defined) -> None:
    request = Request(model="m")
    offer_tools(request, tools)
    assert request.tools == names
    assert tuple(size > 0 for size in request.tool_chars) == defined


def test_the_size_of_a_tool_is_that_of_its_definition() -> None:
    request = Request(model="m")
    offer_tools(request, [{"input_schema": {}, "name": "né"}])
    assert request.tool_chars == (len('{"input_schema":{},"name":"né"}'),)


@pytest.mark.parametrize(
    "result",
    [
        {"type": "tool_result", "tool_use_id": "c", "content": "no", "is_error": True},
        {"type": "tool-result", "role": "tool", "tool_call_id": "c", "content": "no", "isError": True},
        {"toolResult": {"toolUseId": "c", "content": [{"text": "no"}], "status": "error"}},
        {"role": "tool", "tool_call_id": "c", "content": "no", "status": "error"},
        {"functionResponse": {"id": "c", "response": {"error": "no"}}},
        {"type": "function_call_output", "call_id": "c", "output": '{"output":"no","metadata":{"exit_code":1}}'},
    ],
)
def test_a_result_that_says_that_the_call_failed(result) -> None:
    content = result if "role" in result else {"role": "user", "content": [result]}
    assert [message.failed for message in read_messages([content]) or ()] == [True]


@pytest.mark.parametrize(
    "result",
    [
        {"type": "tool_result", "tool_use_id": "c", "content": "Error: no", "is_error": False},
        {"toolResult": {"toolUseId": "c", "content": [], "status": "success"}},
        {"type": "tool_result", "tool_use_id": "c", "content": "ok", "status": {"error": 1}},
        {"functionResponse": {"id": "c", "response": {"output": "o", "error": "a warning"}}},
        {"functionResponse": {"id": "c", "response": {"error": None}}},
        {"type": "function_call_output", "call_id": "c", "output": '{"output":"o","metadata":{"exit_code":0}}'},
        {"type": "function_call_output", "call_id": "c", "output": '{"output":'},
    ],
)
def test_a_result_that_does_not(result) -> None:
    assert [message.failed for message in read_messages([{"role": "user", "content": [result]}]) or ()] == [False]


@pytest.mark.parametrize("said", ["redacted-by-litellm", " [REDACTED] ", "a (litellm_truncated skipped 9 chars) b"])
def test_marks_of_redaction(said: str) -> None:
    assert is_redacted(read_messages(said))
    assert not is_redacted(read_messages("Was it redacted, or did they hide it from us?"))
    assert not is_redacted(None)


def test_no_depth_of_nesting_is_followed_forever() -> None:
    part: dict[str, object] = {"type": "text", "text": "end"}
    for _ in range(5000):
        part = {"type": "tool_result", "tool_use_id": "x", "content": [part]}
    assert read_messages([{"role": "user", "content": [part]}]) is not None
