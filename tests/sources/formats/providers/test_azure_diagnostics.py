from tests.sources.formats.fixture_files import not_calls, requests, tokens


def test_diagnostics_tell_calls_but_no_tokens() -> None:
    call, throttled, gateway = requests("azure-diagnostics/records.jsonl")
    assert (call.model, call.model_requested, call.streamed) == ("gpt-4o", "prod-4o", True)
    assert (call.time_us, call.latency_ms, call.region) == (1_767_607_200_500_000, 1234.0, "eastus")
    assert tokens(call) == (None,) * 5
    assert (throttled.status, throttled.status_code, throttled.streamed) == ("error", 429, False)
    assert (tokens(gateway), gateway.completion) == ((36, 64, None, None, 20), "Seven.")
    assert not_calls("azure-diagnostics/records.jsonl") == ["not_a_model_call"]


def test_the_llm_log_of_api_management_has_counts() -> None:
    (request,) = requests("azure-diagnostics/llm_log.jsonl")
    assert (request.model, request.model_requested, tokens(request)) == (
        "gpt-4o",
        "gpt4o",
        (1000, None, None, None, 50),
    )
    assert (request.merge_key, request.time_us) == ("azure:c1|gpt-4o|ok", 1_777_888_800_000_000)
