from pathlib import Path

from tests.sources.formats.fixture_files import FIXTURES, entries, not_calls, rejections, requests, tokens

from llm_audit.sources.formats.interface import Context
from llm_audit.sources.formats.tracers import otlp
from llm_audit.sources.records.times import micros

REAL = "otlp/langfuse_real_spans.otlp.jsonl"
BATCHES = "otlp/batches.jsonl"


def test_real_spans_of_openlit_and_openllmetry() -> None:
    openlit, openllmetry, _ = requests(REAL)
    assert tokens(openlit) == (14, None, None, None, 96)
    assert (openlit.stated_cost_pico, openlit.merge_key) == (
        151_000_000,
        "chatcmpl-AugxBIoQzz2zFMWFoiyS3Vmm1OuQI|gpt-3.5-turbo|ok",
    )
    assert openlit.time_us == 1_738_074_845_669_299
    assert (openlit.max_output_tokens, openlit.streamed) == (None, False)  # -1 is no limit
    assert tokens(openllmetry) == (14, None, None, None, 173)
    assert (openllmetry.model, openllmetry.model_requested) == ("gpt-3.5-turbo-0125", "gpt-3.5-turbo")
    assert (openllmetry.app, openllmetry.provider) == ("colab_kernel_launcher.py", "openai")


def test_prompts_from_an_event_numbered_attributes_and_message_events() -> None:
    asked = [[(message.role, message.text) for message in request.messages or []] for request in requests(REAL)]
    assert asked == [
        [("user", "What is LLM Observability?")],  # written "user: …" by OpenLIT
        [("user", "What is LLM Observability?")],
        [("system", "You are a helpful assistant."), ("user", "What is the capital of France?")],
    ]
    assert requests(REAL)[2].completion == "The capital of France is Paris."
    assert requests(REAL)[2].usage.usage_source == "none"


def test_a_batch_is_as_many_entries_as_spans_and_a_bad_one_costs_no_other() -> None:
    assert len(entries(BATCHES)) == 7
    assert not_calls(BATCHES) == ["not_a_model_call", "metadata", "metadata"]
    assert rejections(BATCHES) == [("bad_tokens", "input_tokens")]
    assert [(request.model, tokens(request)) for request in requests(BATCHES)] == [
        ("gpt-4o-mini", (172, 128, None, None, 20)),  # OpenInference: 300 - 128
        ("gpt-4o-mini", (30, None, None, None, 4)),  # the Vercel AI SDK
        ("gpt-4o", (11, None, None, None, 2)),  # a log record
    ]


def test_a_log_event_holds_nested_values() -> None:
    (message,) = requests(BATCHES)[2].messages or []
    assert (message.role, message.text) == ("user", "Hello?")


def test_values_nested_beyond_reason_are_dropped() -> None:
    value: dict = {"stringValue": "x"}
    for _ in range(200):
        value = {"arrayValue": {"values": [value]}}
    span = {"spanId": "s", "attributes": [{"key": "gen_ai.request.model", "value": value}]}
    record = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert len(list(otlp.FORMAT.entries(record, Context("x")))) == 1


def test_claude_codes_log_events_are_calls() -> None:
    path = "otlp/claude_code_events.jsonl"
    answered, failed = requests(path)
    assert tokens(answered) == (12, 20000, 900, None, 340)
    assert (answered.stated_cost_pico, answered.latency_ms) == (24_100_000_000, 5200.0)
    assert (answered.conversation, answered.user, answered.team) == ("cc-1", "acc-1", "platform")
    assert (failed.status, failed.status_code, failed.usage.usage_source) == ("error", 529, "none")
    assert not_calls(path) == ["metadata"]


def test_an_event_may_be_named_by_its_body_and_timed_by_its_observation() -> None:
    (request,) = requests("otlp/claude_code_body.json")
    assert (tokens(request), request.stated_cost_pico) == ((10, 900, 100, None, 50), 10_000_000_000)
    assert request.time_us == 1_780_000_000_000_000


def test_codex_counts_a_response_in_the_event_that_completes_it() -> None:
    found, refused = requests("otlp/codex_events.jsonl")
    assert (found.model, found.conversation, found.app, found.environment) == (
        "gpt-5.1-codex",
        "thread-7",
        "codex_exec",
        "dev",
    )
    assert tokens(found) == (300, 600, 100, None, 50)
    assert (found.usage.reasoning_tokens, found.time_us) == (20, micros("2026-10-02T10:00:00.123Z"))
    assert (refused.status, refused.status_code, refused.latency_ms) == ("error", 429, 40.0)
    assert not_calls("otlp/codex_events.jsonl") == ["metadata"] * 3


def test_observations_of_langfuses_sdks_are_calls_by_their_type() -> None:
    own, copied = requests("otlp/langfuse_observations.jsonl")
    assert (own.model, own.conversation, own.user, own.app) == ("claude-sonnet-4-5", "s-9", "ann", "shop")
    assert tokens(own) == (40, 900, 60, None, 12)
    assert (own.stated_cost_pico, own.latency_ms, own.completion) == (810_000_000, 2000.0, "Yes.")
    assert (own.trace, own.span, own.parent_span) == ("5" * 32, "2" * 16, "1" * 16)
    assert (copied.status, tokens(copied)) == ("error", (36, 64, None, None, 20))
    assert not_calls("otlp/langfuse_observations.jsonl") == ["parent_span"]


def test_logfire_keeps_cached_tokens_in_the_response_alone() -> None:
    openai, anthropic = requests("otlp/logfire.jsonl")
    assert tokens(openai) == (36, 64, None, None, 20)
    assert tokens(anthropic) == (10, 300, 40, None, 20)
    (row,) = requests("otel/logfire_rows.jsonl")
    assert tokens(row) == (10, 300, 40, None, 20)


def test_tempo_lists_batches_of_its_own() -> None:
    shop, search = requests("otlp/tempo.json")
    assert [(request.app, tokens(request)) for request in (shop, search)] == [
        ("shop", (100, None, None, None, 20)),
        ("search", (100, None, None, None, 20)),
    ]


def test_a_model_of_genkits_is_a_call_by_what_it_returned() -> None:
    (found,) = requests("otlp/genkit.json")
    assert (found.model, found.provider, found.latency_ms) == ("gemini-2.5-flash", "google", 1500.0)
    assert (tokens(found), found.usage.reasoning_tokens) == ((500, 400, None, None, 50), 30)
    assert ([message.text for message in found.messages or []], found.completion) == (["Is it?"], "Yes.")
    assert not_calls("otlp/genkit.json") == ["parent_span"]


def test_two_responses_of_codex_that_end_together_are_two(tmp_path: Path) -> None:
    (line,) = (FIXTURES / "otlp/codex_events.jsonl").read_text().splitlines()
    other = line.replace('"1000"', '"1001"')
    log = tmp_path / "events.jsonl"
    log.write_text(f"{line}\n{line}\n{other}")
    keys = [request.merge_key for request in requests(log) if request.status == "ok"]
    assert (len(keys), len(set(keys))) == (3, 2)
