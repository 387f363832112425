import json
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import not_calls, requests, tokens

from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.tracing import convention

CONSOLE = "otel/spans_console.jsonl"


@pytest.mark.parametrize("name", ["otel_genai_client_span_tool_calls", "otel_genai_deprecated_client_span_tool_calls"])
def test_current_and_older_names_say_the_same(name: str) -> None:
    (request,) = requests(f"otel/{name}.attributes.json")
    assert tokens(request) == (97, None, None, None, 52)
    assert (request.model, request.model_requested, request.provider) == ("gpt-4-0613", "gpt-4", "openai")
    assert request.max_output_tokens == 200
    assert [(message.role, message.call_id) for message in request.messages or []] == [
        ("user", ""),
        ("assistant", "1234"),
        ("tool", "1234"),
    ]
    assert request.completion == "The weather in Paris is currently rainy with a temperature of 57°F."


def test_cached_tokens_are_settled_where_they_can_be() -> None:
    agent, inclusive_or_not, exclusive, inclusive, embedding = requests(CONSOLE)
    assert (tokens(inclusive_or_not), inclusive_or_not.usage.ambiguous_tokens) == ((2000, 1500, 100, None, 60), 1600)
    assert tokens(exclusive) == (50, 2600, None, None, 50)  # 2600 cached cannot be among 50
    assert tokens(inclusive) == (176, 1024, None, None, 10)  # OpenAI's counts are inclusive either way
    assert tokens(embedding) == (8, None, None, None, 0)
    assert embedding.operation == "embedding"
    assert (agent.wraps_calls, agent.span, inclusive.parent_span) == (True, "1" * 16, "1" * 16)


def test_spans_beside_calls_are_none() -> None:
    assert not_calls(CONSOLE) == ["not_a_model_call", "not_a_model_call"]  # a tool, an HTTP request


def test_place_payer_and_needs() -> None:
    _, call, failed, light, _ = requests(CONSOLE)
    assert (call.trace, call.span, call.conversation) == ("ab" * 16, "2" * 16, "c-9")
    assert (call.team, call.app, call.user, call.environment) == ("core", "planner", "u-3", "prod")
    assert (call.tools, call.completion_calls, call.completion_call_id) == (("book",), 'book({"city":"Rome"})', "c1")
    assert [message.text for message in call.messages or []] == ["Plan trips.", "Three days in Rome?"]
    assert (failed.status, light.service_tier, light.needs_json_schema) == ("error", "flex", True)
    assert ([message.text for message in light.messages or []], light.completion) == (["Sum it up."], "Rome.")
    assert (call.time_us, call.latency_ms) == (1_767_607_200_000_000, 2500.0)


def test_counts_that_frameworks_name_in_their_own_ways() -> None:
    adk, thinking, agent_framework = requests("otel/frameworks.jsonl")
    # ADK 1.x wrote the total as the output; the response inside says 53 and 40 of thoughts
    assert (tokens(adk), adk.usage.reasoning_tokens) == ((61, 300, None, None, 93), 40)
    assert (tokens(thinking), thinking.usage.reasoning_tokens) == ((100, None, None, None, 60), 10)
    assert tokens(agent_framework) == (10, 4000, 300, None, 50)


def test_rows_of_logfire() -> None:
    (request,) = requests("otel/logfire.csv")
    assert (tokens(request), request.stated_cost_pico) == ((400, 600, None, None, 50), 3_000_000_000)
    assert (request.time_us, request.latency_ms) == (1_777_888_800_000_000, 2000.0)


@pytest.mark.parametrize(
    ("vendor", "model", "inclusive"),
    [
        ("openai", "", True),
        (None, "gpt-5-mini", True),
        ("langchain", "openai/o3-mini", True),
        ("openrouter", "google/gemini-2.5-pro", True),
        (None, "claude-sonnet-4-5", False),
        ("aws", "openai.gpt-oss-120b-1:0", False),
        (None, "my-gpt", False),
        ("anthropic", "gpt-5", False),
    ],
)
def test_what_an_input_includes_is_known_by_provider_or_model(vendor: str | None, model: str, inclusive: bool) -> None:
    assert (convention(vendor, model) is Convention.INCLUSIVE) is inclusive


def test_a_span_of_ones_own_that_names_a_model_and_counts_is_a_call(tmp_path: Path) -> None:
    log = tmp_path / "spans.jsonl"
    span = {"name": "ask", "trace_id": "t", "span_id": "s", "timestamp": "2026-05-28T20:26:40Z"}
    attributes = ({"model": "gpt-4o", "input_tokens": 1000, "output_tokens": 50}, {"model": "gpt-4o"}, {"db": "pg"})
    log.write_text("".join(json.dumps({**span, "attributes": given}) + "\n" for given in attributes))
    (request,) = requests(log)
    assert (request.model, tokens(request)) == ("gpt-4o", (1000, None, None, None, 50))
    assert not_calls(log) == ["not_a_model_call"] * 2


@pytest.mark.parametrize(
    ("charge", "cost"),
    [
        ({"github.copilot.aiu": 1_928_685_000}, 19_286_850_000),
        ({"github.copilot.nano_aiu": "1928685000"}, 19_286_850_000),
        ({"github.copilot.aiu": 2}, None),
        ({}, None),
    ],
)
def test_copilots_spans_are_inclusive_and_charged_in_ai_units(
    charge: dict[str, object], cost: int | None, tmp_path: Path
) -> None:
    """The counts and the charge are those of a real span: at Anthropic's list prices they agree to the last digit."""
    usage = {"input_tokens": 35925, "output_tokens": 370, "cache_read.input_tokens": 35067}
    usage |= {"cache_creation.input_tokens": 857}
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "github",
        "gen_ai.request.model": "claude-sonnet-4.6",
        **{f"gen_ai.usage.{name}": count for name, count in usage.items()},
        "github.copilot.cost": 1,
        **charge,
    }
    log = tmp_path / "spans.jsonl"
    log.write_text(json.dumps({"name": "chat", "traceId": "5c", "spanId": "31", "attributes": attributes}))
    (request,) = requests(log)
    assert (tokens(request), request.usage.ambiguous_tokens) == ((1, 35067, 857, None, 370), None)
    assert request.stated_cost_pico == cost


def test_a_span_keeps_its_place_in_its_trace_in_any_store() -> None:
    found = requests("otel/stores.jsonl")
    places = [(request.trace, request.span, request.parent_span) for request in found]
    assert places == [("t1", "a1", "p1"), ("t2", "b1", "p2"), ("t3", "c1", "p3"), ("t4", "d1", "p4")]
    assert [request.merge_key for request in found] == [f"span|{t}|{s}|gpt-4o|ok" for t, s, _ in places]
    assert all(request.time_us is not None and tokens(request)[0] == 100 for request in found)


@pytest.mark.parametrize(("name", "value"), [("time", "3.2s"), ("time", 12), ("Timestamp", "n/a")])
def test_what_is_no_time_of_a_store_costs_no_span(name: str, value: object, tmp_path: Path) -> None:
    attributes = {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100}
    log = tmp_path / "spans.jsonl"
    log.write_text(json.dumps({"trace_id": "t", "span_id": "s", name: value, "attributes": attributes}))
    (request,) = requests(log)
    assert (request.usage.input_tokens, request.time_us) == (100, None)
