from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "new-api/logs.jsonl"


def test_cached_tokens_are_in_the_details() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (476, 1024, None, None, 50)  # 1500 - 1024
    assert (request.model, request.user, request.app, request.team) == ("gpt-4o", "ann", "shop", "core")
    assert (request.latency_ms, request.streamed, request.stated_cost_pico) == (3000.0, True, None)


def test_anthropics_counts_come_on_top() -> None:
    request = requests(PATH)[1]
    assert tokens(request) == (1500, 9000, 200, 500, 50)
    assert (request.model, request.model_requested) == ("claude-sonnet-4-5", "claude")


def test_audio_is_told_apart() -> None:
    usage = requests(PATH)[3].usage
    assert (usage.input_tokens, usage.audio_input_tokens) == (1100, 400)
    assert (usage.output_tokens, usage.audio_output_tokens) == (30, 20)


def test_top_ups_are_no_calls_and_failures_are() -> None:
    assert not_calls(PATH) == ["metadata", "metadata"]  # a top-up, and a test of a channel by one-api
    assert requests(PATH)[2].status == "error"
    assert rejections(PATH) == [("no_model", "model_name")]
