from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

EXPORT = "datadog/export.jsonl"
INTAKE = "datadog/intake.jsonl"


def test_the_export_api() -> None:
    (request,) = requests(EXPORT)
    assert tokens(request) == (176, 1024, 0, None, 90)  # its own non_cached_input_tokens
    assert request.stated_cost_pico == 157_200_000  # 157,200 nano-dollars
    assert (request.team, request.app, request.user, request.environment) == ("care", "health-coach", "u-9", "prod")
    assert (request.conversation, request.parent_span, request.latency_ms) == ("sess-1", "1", 1250.0)
    assert (request.tools, request.max_output_tokens, request.completion) == (("calendar",), 200, "Walk daily.")
    assert not_calls(EXPORT) == ["parent_span", "not_a_model_call"]


def test_a_body_for_the_intake_api_shares_its_labels_and_survives_a_bad_span() -> None:
    (request,) = requests(INTAKE)
    assert (tokens(request), request.app, request.environment) == ((60, None, None, None, 4), "weather-bot", "staging")
    assert (request.conversation, [message.text for message in request.messages or []]) == ("1", ["Rain?"])
    assert not_calls(INTAKE) == ["parent_span"]
    assert rejections(INTAKE) == [("bad_tokens", "input_tokens")]


def test_cache_writes_by_lifetime() -> None:
    (request,) = requests("datadog/lifetimes.jsonl")
    assert tokens(request) == (10, 4000, 800, 200, 50)
