from tests.sources.formats.fixture_files import not_calls, once, rejections, requests, tokens


def test_diagnostics_tell_calls_but_no_tokens() -> None:
    call, throttled, gateway = requests("azure-diagnostics/records.jsonl")
    assert (call.model, call.model_requested, call.streamed) == ("gpt-4o", "prod-4o", True)
    assert (call.time_us, call.latency_ms, call.region) == (1_767_607_200_500_000, 1234.0, "eastus")
    assert tokens(call) == (None,) * 5
    assert (throttled.status, throttled.status_code, throttled.streamed) == ("error", 429, False)
    assert (tokens(gateway), gateway.completion) == ((36, 64, None, None, 20), "Seven.")
    assert not_calls("azure-diagnostics/records.jsonl") == ["not_a_model_call"]


def test_gateway_log_is_read_from_its_bodies() -> None:
    (request,) = requests("azure-apim-gateway/rows.jsonl")
    assert (request.provider, request.model_requested, request.model) == ("azure", "prod-4o", "gpt-4o-2024-08-06")
    assert (tokens(request), request.latency_ms) == ((36, 64, None, None, 20), 640.0)
    assert not_calls("azure-apim-gateway/rows.jsonl") == ["not_a_model_call"]


def test_rows_of_one_call_merge_into_the_one_with_the_counts() -> None:
    found = requests("azure-apim-llm/rows.jsonl")
    assert len(found) == 2
    (call,) = once(found)
    assert (tokens(call), call.completion) == ((12, None, None, None, 9), "hello")
    assert not_calls("azure-apim-llm/rows.jsonl") == ["metadata"]
    assert rejections("azure-apim-llm/rows.jsonl") == [("bad_tokens", "PromptTokens")]
