from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "gemini-cli-telemetry/telemetry.jsonl"


def test_a_response_is_a_call_once() -> None:
    request, failed = requests(PATH)
    assert tokens(request) == (3000, 6000, None, None, 750)  # 9000 - 6000; 50 + 700
    assert (request.model, request.latency_ms, request.conversation) == ("gemini-2.5-pro", 2000.0, "s9")
    assert (failed.status, failed.status_code) == ("error", 429)
    assert not_calls(PATH) == ["metadata", "metadata"]  # the same response by OpenTelemetry's names, a request
    assert rejections(PATH) == [("no_model", "model")]


def test_a_collector_receives_the_same() -> None:
    (request,) = requests("otlp/gemini_cli.json")
    assert (request.usage, request.merge_key) == (requests(PATH)[0].usage, requests(PATH)[0].merge_key)
    assert not_calls("otlp/gemini_cli.json") == ["metadata"]
