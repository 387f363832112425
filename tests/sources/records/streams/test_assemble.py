import json
import random

import pytest

from llm_audit.sources.records.streams import assemble, streamed_body

HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "system_fingerprint": None}
BODY = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m"}
ODD: tuple[dict[str, object], ...] = (
    {"choices": None},
    {"choices": [{"index": 0, "delta": None}, {"delta": {}, "content": "in the choice itself"}]},
    {"choices": [{"index": 0, "delta": {"content": 7}}]},
    {"choices": [{"index": 0, "text": "of a legacy completion"}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f"}}]}}]},
    {
        "choices": [
            {"index": 1, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop", "logprobs": None}
        ]
    },
    {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": None}, "model": "served"},
    {"usage": None, "service_tier": "flex", "x_own": 1},
    {"error": {"message": "overloaded"}},
    {"type": "ping"},
    {"candidates": []},
)


def text_chunk(text: str) -> dict[str, object]:
    return {**HEAD, "choices": [{"index": 0, "delta": {"content": text}}]}


def test_a_stream_of_texts_is_one_message_with_the_last_of_all_fields() -> None:
    chunks = [text_chunk("Hel"), text_chunk("lo\u2028"), {**HEAD, "choices": [], "usage": {"prompt_tokens": 2}}]
    data = [json.dumps(chunk) for chunk in chunks]
    expected = {
        **BODY,
        "usage": {"prompt_tokens": 2},
        "choices": [{"message": {"role": "assistant", "content": "Hello\u2028", "tool_calls": []}}],
    }
    assert assemble(chunks) == expected
    assert streamed_body("".join(f"data: {line}\n\n" for line in data) + "data: [DONE]\n\n") == expected


@pytest.mark.parametrize("seed", range(40))
def test_a_stream_adds_up_to_what_its_chunks_do(seed: int) -> None:
    chance = random.Random(seed)
    chunks = [chance.choice([text_chunk(str(number)), {**HEAD, **chance.choice(ODD)}]) for number in range(6)]
    data = [json.dumps(chunk) for chunk in chunks]
    assert streamed_body("".join(f"data: {line}\n\n" for line in data)) == assemble(chunks)


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


def test_a_stream_of_responses_that_was_cut_says_what_it_said() -> None:
    begun = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}}
    deltas = [{"type": "response.output_text.delta", "delta": part} for part in ("Ye", "s.", None)]
    body = assemble([begun, *deltas])
    assert body["output"] == [{"type": "message", "role": "assistant", "content": "Yes."}]
    done = {"type": "response.output_item.done", "item": {"type": "message", "content": "No."}}
    assert assemble([begun, *deltas, done])["output"] == [done["item"]]
