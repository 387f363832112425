import pytest

from llm_audit.sources.records.streams import assemble, events


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


@pytest.mark.parametrize("part", ["text", None, 7, ["text"]])
def test_a_gemini_part_of_another_type_is_passed_over(part: object) -> None:
    chunk = {"candidates": [{"content": {"parts": [{"text": "Yes."}, part]}}]}
    body = assemble([{**chunk, "usageMetadata": {"totalTokenCount": 3}}])
    assert body["candidates"][0]["content"]["parts"][0] == {"text": "Yes."}
    assert body["usageMetadata"] == {"totalTokenCount": 3}
