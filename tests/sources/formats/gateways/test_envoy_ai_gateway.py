from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "envoy-ai-gateway/access.jsonl"


def test_the_named_fields_are_read() -> None:
    request = requests(PATH)[0]
    assert (request.model, request.status, request.status_code, request.latency_ms) == ("gpt-4o-mini", "ok", 200, 1526)
    assert tokens(request) == (15, None, None, None, 7)
    assert request.tags == ("backend=default/openai/route/chat/rule/0/ref/0",)


def test_the_model_sent_is_the_override_and_cached_tokens_are_part_of_the_input() -> None:
    request = requests(PATH)[1]
    assert (request.model, request.model_requested) == ("claude-sonnet-4-5", "chat")
    assert tokens(request) == (500, 1000, None, None, 40)


def test_a_dash_is_nothing() -> None:
    request = requests(PATH)[2]
    assert (request.model, request.status, request.usage.usage_source) == ("gpt-4o-mini", "error", "none")


def test_a_request_of_a_tool_is_no_call_and_counts_without_a_model_are_rejected() -> None:
    assert not_calls(PATH) == ["not_a_model_call"]
    assert rejections(PATH) == [("no_model", "genai_model_name")]
