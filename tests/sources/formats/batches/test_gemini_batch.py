from tests.sources.formats.fixture_files import not_calls, requests, tokens

from llm_audit.sources.records.times import micros


def test_batch_prediction_is_billed_at_the_batch_price_at_its_own_time() -> None:
    gemini, claude = requests("gemini-batch/vertex.jsonl")
    assert (gemini.provider, gemini.service_tier, tokens(gemini)) == ("google", "batch", (800, None, None, None, 60))
    assert gemini.time_us == micros("2026-09-01T08:30:00Z")
    assert (claude.provider, claude.service_tier, tokens(claude)) == ("google", "batch", (30, None, None, None, 7))
    assert not_calls("gemini-batch/vertex.jsonl") == ["not_sent"]


def test_batch_mode_of_the_gemini_api_has_keys_and_no_time() -> None:
    first, second = requests("gemini-batch/gemini_api.jsonl")
    assert (first.service_tier, first.time_us, tokens(first)) == ("batch", None, (800, None, None, None, 60))
    assert second.service_tier == "batch"


def test_lines_of_claude_on_vertex_have_ids_of_the_callers_and_no_time() -> None:
    (claude,) = requests("gemini-batch/vertex_claude.jsonl")
    assert (claude.provider, claude.service_tier, tokens(claude)) == ("google", "batch", (30, None, None, None, 7))
    assert not_calls("gemini-batch/vertex_claude.jsonl") == ["not_sent"]
