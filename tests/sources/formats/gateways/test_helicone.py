from tests.sources.formats.fixture_files import not_calls, requests, tokens

PATH = "helicone/requests.jsonl"


def test_own_counts_leave_out_cached_tokens_and_reasoning() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (100, 800, 50, None, 50)  # 20 answered, 30 reasoned
    assert request.usage.reasoning_tokens == 30
    assert sum(count or 0 for count in tokens(request)) == 1000  # its own total


def test_the_providers_body_is_preferred() -> None:
    request = requests(PATH)[1]
    assert tokens(request) == (100, 1024, None, None, 20)
    assert request.completion == "ok"


def test_labels_cost_and_outcome() -> None:
    first, _, cancelled = requests(PATH)
    assert (first.team, first.app, first.user, first.conversation) == ("care", "triage", "u-1", "s1")
    assert (first.tags, first.stated_cost_pico, first.latency_ms) == ((), 1_230_000_000, 1400.0)
    assert (cancelled.status, cancelled.status_code) == ("cancelled", None)
    assert not_calls(PATH) == ["gateway_cache_hit"]


def test_audio_is_counted_beside_text() -> None:
    (request,) = requests("helicone/audio.jsonl")
    assert tokens(request) == (100, 0, 0, None, 50)
    assert (request.usage.audio_input_tokens, request.usage.audio_output_tokens) == (30, 40)
    assert request.usage.unexplained_tokens is None  # 220 = 100 + 30 + 50 + 40
