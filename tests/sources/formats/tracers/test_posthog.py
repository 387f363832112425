from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "posthog/events.jsonl"


def test_what_an_input_includes_is_said_or_known_by_the_provider() -> None:
    openai, anthropic, by_gateway, gemini, stated, _, embedding = requests(PATH)
    assert tokens(openai) == (50, 100, None, None, 40)
    assert tokens(anthropic) == (50, 20, 20, 10, 9)
    assert tokens(by_gateway) == (60, 40, None, None, 9)
    assert (tokens(gemini), gemini.usage.reasoning_tokens) == ((1953, None, None, None, 51), 20)
    assert tokens(stated) == (60, 40, None, None, 9)
    assert (tokens(embedding), embedding.operation) == ((12, None, None, None, 0), "embedding")
    assert {request.usage.ambiguous_tokens for request in requests(PATH)} == {None}


def test_an_event_has_its_cost_time_trace_and_owner() -> None:
    request, anonymous, *_ = requests(PATH)
    assert (request.stated_cost_pico, request.latency_ms, request.streamed) == (650_000_000, 1500.0, True)
    assert (request.time_us, request.trace, request.span) == (1_778_580_000_000_000, "t-1", "s-1")
    assert (request.team, request.app, request.user, request.max_output_tokens) == ("search", "chat", "u-1", 200)
    assert ([message.text for message in request.messages or []], request.completion) == (["Hi"], "Hello")
    assert anonymous.user is None


def test_zeros_of_a_failed_call_are_no_usage() -> None:
    failed = requests(PATH)[5]
    assert (failed.status, failed.status_code, failed.usage.usage_source) == ("error", 429, "none")


def test_other_events_are_no_calls() -> None:
    assert not_calls(PATH) == ["not_a_model_call", "metadata"]
    assert rejections(PATH) == [("no_model", "$ai_model")]
