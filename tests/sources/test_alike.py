"""Custom logs whose fields are a little like those of other formats keep their counts."""

import json

import pytest

from llm_audit.sources.entry import Rejected, Request
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.read import ShardReader
from llm_audit.sources.split import Shard

TIME = "2026-10-03T10:00:00Z"
CALL = {"model": "gpt-4o", "timestamp": TIME}
USAGE = {"prompt_tokens": 100, "completion_tokens": 20}
SPAN = {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
CHAT = {"id": "c-1", "object": "chat.completion", "model": "gpt-4o", "choices": [], "usage": USAGE}


def requests(record) -> list[Request]:
    entries = FormatDetector(all_formats(), path="x").entries(1, record)
    return [entry for _, entry in entries if isinstance(entry, Request)]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({**CALL, **USAGE, "type": "error", "severity": "high"}, id="error of Gemini CLI"),
        pytest.param({**CALL, "usage": USAGE, "type": "init", "session_id": "s"}, id="start of Gemini CLI"),
        pytest.param({**CALL, "usage": USAGE, "type": "result", "stats": {"ms": 3}}, id="result of Gemini CLI"),
        pytest.param({**CALL, "usage": USAGE, "type": "tool_use", "tool_id": "t"}, id="tool of Gemini CLI"),
        pytest.param(
            {
                "type": "message",
                "role": "assistant",
                "content": "x",
                "timestamp": TIME,
                "model_name": "gpt-4o",
                **USAGE,
            },
            id="message of Gemini CLI",
        ),
        pytest.param({"sessionId": "s", "version": 1, "requests": [{**CALL, **USAGE}]}, id="session of VS Code"),
        pytest.param({**CALL, **USAGE, "traceId": "t", "projectId": "p", "level": "info"}, id="row of Langfuse"),
        pytest.param({**CALL, **USAGE, "type": "response.done", "sequence_number": 3}, id="event of OpenAI"),
        pytest.param({**CALL, **USAGE, "response": "x", "stats": {"models": {}}}, id="answer of Gemini CLI"),
        pytest.param({**CALL, "usage": USAGE, "batch_request_id": "q", "error": None}, id="result of xAI's batches"),
        pytest.param(
            {**CALL, "usage": USAGE, "type": "content_block_stop", "index": 0}, id="event of Anthropic's streams"
        ),
        pytest.param({**CALL, **USAGE, "object": "model"}, id="object of OpenAI"),
        pytest.param({**CALL, "usage": USAGE, "object": "batch"}, id="batch of OpenAI"),
        pytest.param({**CALL, **USAGE, "run_type": "nightly", "inputs": 1, "outputs": 2}, id="run of LangSmith"),
        pytest.param({**CALL, **USAGE, "type": "stream_event", "session_id": "s"}, id="event of Claude Code"),
        pytest.param({**CALL, **USAGE, "sessionID": "s", "part": {"messageID": "m"}}, id="part of OpenCode"),
        pytest.param({**CALL, **USAGE, "exceeds_quota": False, "total_monthly_quota": 9}, id="report of Copilot"),
        pytest.param({"attributes": {**SPAN, "response_data": {"usage": {"units": 5}}}}, id="Logfire's response"),
        pytest.param({"attributes": {**SPAN, "response_data.usage.input_tokens": "many"}}, id="Logfire's usage"),
    ],
)
def test_a_call_keeps_its_counts(record) -> None:
    (request,) = requests(record)
    assert (request.model, request.usage.input_tokens, request.usage.output_tokens) == ("gpt-4o", 100, 20)


@pytest.mark.parametrize(
    "row",
    [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "message", "role": "user", "content": "x", "timestamp": TIME},
    ],
)
def test_calls_in_wrappers_are_found_beside_events_of_any_stream(row, tmp_path, source_of) -> None:
    rows = [*[row] * 8, {"ts": TIME, "payload": CHAT}, {"ts": TIME, "payload": {"x": 1}}]
    source = source_of(tmp_path / "log.jsonl", "".join(f"{json.dumps(one)}\n" for one in rows).encode())
    reader = ShardReader(Shard(source), formats=all_formats())
    *_, call, other = [entry for line, item in reader for _, entry in reader.detector.entries(line, item)]
    assert isinstance(call, Request)
    assert call.usage.input_tokens == 100
    assert isinstance(other, Rejected)
