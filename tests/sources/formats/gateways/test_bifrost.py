from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "bifrost/logs.jsonl"


def test_cached_tokens_are_part_of_the_prompt() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (1232, 50000, 0, None, 129)  # 51232 - 50000
    assert (request.model, request.provider, request.latency_ms) == ("gpt-4o", "openai", 812.5)
    assert (request.stated_cost_pico, request.completion) == (66_000_000_000, "hello")


def test_rows_of_the_store_hold_json_in_columns() -> None:
    request = requests(PATH)[1]
    assert (tokens(request), request.status) == ((100, None, None, None, 9), "error")
    assert [message.text for message in request.messages or []] == ["hey"]


def test_hits_and_rows_without_a_model() -> None:
    assert not_calls(PATH) == ["gateway_cache_hit"]
    assert rejections(PATH) == [("no_model", "model")]


def test_responses_name_the_lifetime_of_writes_and_the_canonical_model() -> None:
    request = requests(PATH)[2]
    assert tokens(request) == (200, 300, 100, 400, 20)  # 1000 - 300 - 500
    assert (request.model, request.model_requested) == ("claude-sonnet-4-5", "smart")
    assert (request.team, request.app, request.user) == ("core", "shop", "ann")


def test_a_failed_call_without_usage_is_a_call() -> None:
    assert (requests(PATH)[3].status, requests(PATH)[3].usage.usage_source) == ("error", "none")
