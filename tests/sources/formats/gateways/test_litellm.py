from tests.sources.formats.fixture_files import not_calls, requests, tokens

from llm_audit.sources.formats.gateways.litellm import usage_within
from llm_audit.sources.records.messages import is_redacted


def test_a_payload_of_litellms_own_tests() -> None:
    (request,) = requests("litellm/standard_logging_payload.json")
    assert tokens(request) == (10, None, None, None, 20)
    assert (request.model, request.provider, request.streamed) == ("gpt-4o", "openai", True)
    assert request.time_us == 1_737_710_446_847_371  # 2025-01-24 09:20:46.847371 UTC
    assert request.stated_cost_pico == 225_000_000  # $0.000225
    assert request.latency_ms is not None
    assert round(request.latency_ms, 6) == 7.394075
    assert [(message.role, message.text) for message in request.messages or []] == [("user", "Hello, world!")]
    assert request.completion == "hi"


def test_cached_tokens_are_taken_out_of_the_prompt_once() -> None:
    inclusive, exclusive, _failed = requests("litellm/cached_redacted_hit_failed.jsonl")
    assert tokens(inclusive) == (100, 700, 150, 50, 200)  # 1000 = 100 + 700 + 150 + 50
    assert tokens(exclusive) == (12, 4000, 0, None, 5)  # 4000 cached cannot be among 12
    assert {inclusive.usage.usage_source, exclusive.usage.usage_source} == {"reported"}


def test_who_pays_and_what_was_asked_for() -> None:
    request = requests("litellm/cached_redacted_hit_failed.jsonl")[0]
    assert (request.team, request.app, request.user) == ("search", "ranker", "u-7")
    assert request.tags == ("batch:nightly", "key=key-a", "prod")
    assert (request.model_requested, request.conversation, request.trace) == ("smart", "s-1", "t-1")
    assert (request.tools, request.needs_json_schema, request.max_output_tokens) == (("lookup",), True, 300)
    assert (request.time_us, request.latency_ms) == (1_767_607_200_250_000, 1500.0)


def test_redacted_prompts_are_marked() -> None:
    request = requests("litellm/cached_redacted_hit_failed.jsonl")[1]
    assert request.redacted
    assert is_redacted(request.messages)


def test_cache_hits_and_file_uploads_are_no_calls_and_failures_keep_their_code() -> None:
    path = "litellm/cached_redacted_hit_failed.jsonl"
    assert not_calls(path) == ["gateway_cache_hit", "not_a_model_call"]
    failed = requests(path)[2]
    assert (failed.status, failed.status_code, tokens(failed)) == ("error", 429, (0, None, None, None, 0))
    assert failed.merge_key != requests(path)[0].merge_key


def test_a_prompt_that_may_hold_reads_but_not_writes_keeps_both_bounds() -> None:
    usage = {"prompt_tokens": 5031, "completion_tokens": 9, "cache_read_input_tokens": 5000}
    found = usage_within({"usage": {**usage, "cache_creation_input_tokens": 1253}}, {})
    assert (found.input_tokens, found.cache_read_tokens, found.cache_write_5m_tokens) == (5031, 5000, 1253)
    assert (found.usage_source, found.ambiguous_tokens) == ("ambiguous", 5000)


def test_writes_beside_a_small_prompt_are_exclusive() -> None:
    usage = {"prompt_tokens": 31, "completion_tokens": 467, "total_tokens": 498, "cache_creation_input_tokens": 1253}
    found = usage_within({"usage": {**usage, "cache_read_input_tokens": 0}}, {})
    assert (found.input_tokens, found.cache_write_5m_tokens, found.usage_source) == (31, 1253, "reported")


def test_a_finished_batch_is_billed_and_one_in_progress_is_no_call() -> None:
    (batch,) = requests("litellm/batches.jsonl")
    assert (batch.model, batch.service_tier, batch.team) == ("gpt-4o", "batch", "data")
    assert (tokens(batch), batch.stated_cost_pico) == ((10_000, None, None, None, 2000), 16_500_000_000)
    assert batch.tags == ("aggregated", "request-count-unknown")
    assert not_calls("litellm/batches.jsonl") == ["not_a_model_call"]
