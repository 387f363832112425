from tests.sources.formats.fixture_files import requests, tokens


def test_pairs_hold_what_the_bodies_say_and_what_was_charged() -> None:
    found = requests("openrouter/pairs.jsonl")
    assert [tokens(request) for request in found] == [
        (550, 0, 0, None, 12),
        (550, 0, 0, None, 15),
        (37, 0, 0, None, 92),
        (900, 0, 0, None, 69),
        (23, 0, None, None, 48),
    ]
    dollars = ["0.00183", "0.001875", "0.00019325", "0.0160614", "0.000086"]
    assert [request.stated_cost_pico for request in found] == [round(float(cost) * 10**12) for cost in dollars]
    assert (found[0].provider, found[0].model) == ("openrouter", "anthropic/claude-4.5-sonnet-20250929")
    assert found[0].tags == ("upstream=Amazon Bedrock",)


def test_with_the_users_own_key_the_providers_charge_is_the_cost() -> None:
    (request,) = requests("openrouter/byok.jsonl")
    assert request.stated_cost_pico == 1_250_000_000
    assert tokens(request) == (300, 600, 100, None, 10)


def test_a_tool_that_openrouter_ran_is_billed_by_the_call() -> None:
    found = requests("openrouter/pairs.jsonl")
    # The fourth answer consulted another model: $0.0160614, of which its own tokens explain $0.0001764.
    assert [request.usage.tool_calls_billed for request in found] == [None, None, None, 1, None]
    assert found[3].stated_cost_pico == 16_061_400_000
