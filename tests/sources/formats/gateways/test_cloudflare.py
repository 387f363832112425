from tests.sources.formats.fixture_files import not_calls, requests, tokens

PATH = "cloudflare/log.jsonl"


def test_requests_hits_and_failures() -> None:
    answered, failed = requests(PATH)
    assert tokens(answered) == (80, None, None, None, 9)
    assert (answered.team, answered.user, answered.stated_cost_pico) == ("web", "u1", 17_400_000)
    assert (answered.time_us, answered.latency_ms) == (1_767_607_200_000_000, 812.0)
    assert (failed.status, failed.status_code) == ("error", 500)
    assert not_calls(PATH) == ["gateway_cache_hit"]


def test_logpush_events_have_the_bodies_and_hits_of_the_gateway_are_no_calls() -> None:
    encrypted, decrypted = requests("cloudflare/logpush.jsonl")
    assert (encrypted.model, encrypted.model_requested, encrypted.team) == ("gpt-4o", "cloudflare/auto", "x")
    assert (tokens(encrypted), encrypted.latency_ms) == ((1000, None, None, None, 50), 1234.0)
    assert (encrypted.time_us, encrypted.stated_cost_pico) == (1_780_000_000_000_000, 4_200_000_000)
    assert (decrypted.model, tokens(decrypted)) == ("gpt-4o-2024-08-06", (400, 600, None, None, 50))
    assert not_calls("cloudflare/logpush.jsonl") == ["gateway_cache_hit"]
