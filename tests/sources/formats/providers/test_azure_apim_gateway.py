from tests.sources.formats.fixture_files import not_calls, requests, tokens


def test_gateway_log_is_read_from_its_bodies() -> None:
    (request,) = requests("azure-apim-gateway/rows.jsonl")
    assert (request.provider, request.model_requested, request.model) == ("azure", "prod-4o", "gpt-4o-2024-08-06")
    assert (tokens(request), request.latency_ms) == ((36, 64, None, None, 20), 640.0)
    assert not_calls("azure-apim-gateway/rows.jsonl") == ["not_a_model_call"]
