"""Chunks of streams, one a line: of a response the last count is taken, and no piece of it is a call."""

import json
from pathlib import Path
from typing import Any

from tests.sources.formats.fixture_files import not_calls, read, rejections

from llm_audit.cli import run

CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_788_256_800, "model": "gpt-4o-2024-08-06"}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1_788_256_800, "model": "gpt-5", "output": []}
GEMINI = {"modelVersion": "gemini-2.5-flash"}


def log(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def audited(path: Path, code: int = 0) -> tuple[int, int, int | None, int]:
    """The calls, duplicates, output tokens and requests without a price of a log."""
    target = path.with_suffix(".json")
    assert run(["analyze", str(path), "-q", "-o", str(target)]) == code
    found = json.loads(target.read_bytes())
    requests, cost = found["requests"], found["cost"]
    return requests["audited"], requests["duplicates"], found["tokens"]["output"], cost["unpriced_requests"]


def said(text: str, **more: Any) -> dict[str, Any]:
    return CHUNK | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]} | more


def piece(text: str, output: int, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, **more}
    return GEMINI | {
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": output, "totalTokenCount": 10 + output},
    }


def test_chunks_of_a_chat_are_one_call_with_the_last_usage(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    path = log(tmp_path / "chat.jsonl", said("It"), said(" is."), CHUNK | {"choices": [], "usage": usage})
    assert audited(path) == (1, 2, 50, 0)


def test_chunks_of_a_chat_without_usage_have_no_counts_of_a_piece(tmp_path: Path) -> None:
    assert audited(log(tmp_path / "chat.jsonl", said("It"), said(" is grey.")), code=3) == (1, 1, 0, 1)
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "How is the sky?"}], "stream": True}
    pairs = [{"request": asked, "response": said(text)} for text in ("It", " is grey.")]
    assert audited(log(tmp_path / "pairs.jsonl", *pairs), code=3) == (1, 1, 0, 1)


def test_events_of_responses_are_one_call_with_the_last_state(tmp_path: Path) -> None:
    usage = {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150}
    path = log(
        tmp_path / "responses.jsonl",
        {"type": "response.created", "sequence_number": 0, "response": RESPONSE | {"status": "in_progress"}},
        {"type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_1", "delta": "It"},
        {"type": "response.completed", "sequence_number": 2, "response": RESPONSE | {"usage": usage}},
    )
    assert audited(path) == (1, 1, 50, 0)
    assert not_calls(path) == ["metadata"]
    assert {name for name, _ in read(path)} == {"openai-responses"}


def test_chunks_of_gemini_with_the_id_of_their_response_are_one_call(tmp_path: Path) -> None:
    rows = [piece("It", 3), piece(" is grey.", 8, finishReason="STOP")]
    assert audited(log(tmp_path / "id.jsonl", *(row | {"responseId": "r1"} for row in rows))) == (1, 1, 8, 0)


def test_a_chunk_of_gemini_that_nothing_joins_to_the_last_one_is_rejected(tmp_path: Path) -> None:
    rows = [piece("It", 3), piece(" is grey.", 8, finishReason="STOP")]
    path = log(tmp_path / "none.jsonl", *rows)
    assert rejections(path) == [("bad_shape", "finishReason")]
    assert audited(path, code=3) == (1, 0, 8, 0)
