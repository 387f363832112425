from tests.sources.formats.fixture_files import not_calls, requests, tokens

PATH = "cloudflare/log.jsonl"


def test_requests_hits_and_failures() -> None:
    answered, failed = requests(PATH)
    assert tokens(answered) == (80, None, None, None, 9)
    assert (answered.team, answered.user, answered.stated_cost_pico) == ("web", "u1", 17_400_000)
    assert (answered.time_us, answered.latency_ms) == (1_767_607_200_000_000, 812.0)
    assert (failed.status, failed.status_code) == ("error", 500)
    assert not_calls(PATH) == ["gateway_cache_hit"]
