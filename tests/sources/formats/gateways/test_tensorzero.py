from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "tensorzero/model_inference.jsonl"


def test_the_providers_own_response_tells_what_was_cached() -> None:
    anthropic, _, streamed = requests(PATH)
    assert tokens(anthropic) == (10, 2000, 100, None, 20)
    assert (anthropic.model, anthropic.model_requested) == ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5")
    assert (anthropic.provider, anthropic.app, anthropic.tags) == ("anthropic", "draft_reply", ("variant=short",))
    assert (anthropic.stated_cost_pico, anthropic.latency_ms) == (1_305_000_000, 1200.0)
    assert (tokens(streamed), streamed.streamed, streamed.completion) == ((172, 128, None, None, 2), True, "Hello")


def test_counts_of_the_row_hold_cached_tokens_and_thoughts() -> None:
    row = requests(PATH)[1]
    assert (row.model, tokens(row)) == ("gemini-2.5-pro", (600, 400, None, None, 360))
    assert [(message.role, message.text) for message in row.messages or []] == [("system", "Be brief"), ("user", "Hi")]
    assert row.completion == "Hello"


def test_an_id_holds_the_time_of_its_row() -> None:
    assert requests(PATH)[1].time_us == 0x0196C68272E0 * 1000


def test_hits_of_the_gateways_cache_are_no_calls() -> None:
    assert not_calls(PATH) == ["gateway_cache_hit"]
    assert rejections(PATH) == [("no_model", "model_name")]
