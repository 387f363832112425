import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests.sources.formats.fixture_files import not_calls, requests, tokens

NESTED = "openinference/phoenix_nested.jsonl"


def test_flat_attributes() -> None:
    (request,) = requests("openinference/openinference_client_span_tool_calls.attributes.json")
    assert tokens(request) == (97, None, None, None, 52)
    assert (request.model, request.model_requested) == ("gpt-4-0613", "gpt-4")
    assert [(message.role, message.text, message.calls) for message in request.messages or []] == [
        ("user", "Weather in Paris?", ""),
        ("assistant", "Absolutely! Let me check the weather for you.", 'get_weather({"location":"Paris"})'),
        ("tool", "rainy, 57°F", ""),
    ]


def test_phoenix_json_keeps_both_bounds_where_nothing_settles_them() -> None:
    (request,) = requests(NESTED)
    assert (tokens(request), request.usage.ambiguous_tokens) == ((2000, 1500, 200, None, 40), 1700)
    assert (request.usage.reasoning_tokens, request.stated_cost_pico) == (10, 3_210_000_000)
    assert (request.conversation, request.user, request.tools) == ("se-1", "u-1", ("zoom",))
    assert [(message.role, message.images) for message in request.messages or []] == [("system", 0), ("user", 1)]
    assert request.completion == "A bird."
    assert not_calls(NESTED) == ["parent_span", "not_a_model_call"]


def test_phoenix_parquet(tmp_path) -> None:
    started = datetime(2026, 1, 5, 10, tzinfo=UTC)
    ended = datetime(2026, 1, 5, 10, 0, 1, tzinfo=UTC)
    rows = [
        {
            "name": "ChatCompletion",
            "span_kind": "LLM",
            "parent_id": "p0",
            "start_time": started,
            "end_time": ended,
            "status_code": "ERROR",
            "context.span_id": "s1",
            "context.trace_id": "t1",
            "attributes.openinference.span.kind": "LLM",
            "attributes.llm.model_name": "gpt-4o-mini",
            "attributes.llm.provider": "openai",
            "attributes.llm.token_count.prompt": 1200.0,
            "attributes.llm.token_count.completion": 30.0,
            "attributes.llm.token_count.prompt_details.cache_read": 1024.0,
            "attributes.llm.input_messages": [{"message.role": "user", "message.content": "Hi"}],
        },
        {
            "name": "agent",
            "span_kind": "AGENT",
            "start_time": started,
            "end_time": ended,
            "status_code": "OK",
            "context.span_id": "p0",
            "context.trace_id": "t1",
        },
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "spans.parquet")
    (request,) = requests(tmp_path / "spans.parquet")
    assert tokens(request) == (176, 1024, None, None, 30)
    assert (request.trace, request.span, request.parent_span) == ("t1", "s1", "p0")
    assert (request.status, request.latency_ms) == ("error", 1000.0)
    assert [message.text for message in request.messages or []] == ["Hi"]
    assert not_calls(tmp_path / "spans.parquet") == ["parent_span"]


def test_counts_that_are_not_read_are_named(tmp_path: Path) -> None:
    counts = {"prompt": 100, "completion": 9, "prompt_details": {"cache_read": 60, "text": 100, "novel": 7, "other": 0}}
    llm = {"provider": "openai", "model_name": "gpt-4o", "token_count": counts}
    log = tmp_path / "spans.jsonl"
    log.write_text(json.dumps({"name": "x", "attributes": {"openinference": {"span": {"kind": "LLM"}}, "llm": llm}}))
    (request,) = requests(log)
    assert (tokens(request), request.usage.unread_counts) == ((40, 60, None, None, 9), "prompt_details.novel")
