from tests.sources.formats.fixture_files import requests, tokens

PATH = "openrouter-csv/activity.csv"


def test_a_plain_generation() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (1000, 0, None, None, 200)
    assert (request.usage.reasoning_tokens, request.usage.usage_source) == (50, "reported")
    assert (request.provider, request.app, request.user) == ("openrouter", "Notes", "user-1")
    assert (request.streamed, request.latency_ms, request.messages) == (True, 1230.0, None)


def test_cached_tokens_keep_both_bounds() -> None:
    request = requests(PATH)[1]
    assert tokens(request) == (1500, 1200, None, None, 250)
    assert (request.usage.usage_source, request.usage.ambiguous_tokens) == ("ambiguous", 1200)


def test_with_an_own_key_the_provider_is_paid_beside_the_fee() -> None:
    assert requests(PATH)[1].stated_cost_pico == 10_000_000_000  # $0.0005 + $0.0095


def test_cancelled_generations() -> None:
    assert requests(PATH)[2].status == "cancelled"


def test_a_day_stands_for_its_requests_with_reasoning_a_part_of_the_completion() -> None:
    """2000 tokens in and 1240 out, of which 1200 of reasoning, for $0.0072."""
    first, second = requests("openrouter-csv/days.csv")
    assert tokens(first) == tokens(second) == (1000, None, None, None, 620)
    assert (first.usage.reasoning_tokens, first.usage.usage_source) == (600, "reported")
    assert first.stated_cost_pico == second.stated_cost_pico == 3_600_000_000
    assert first.merge_key != second.merge_key
