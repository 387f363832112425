from tests.sources.formats.fixture_files import not_calls, requests, tokens

PATH = "portkey/export.jsonl"


def test_costs_are_in_cents_and_the_body_knows_the_cache() -> None:
    request = requests(PATH)[0]
    assert request.stated_cost_pico == 249_000_000  # 0.0249 cents = $0.000249
    assert tokens(request) == (464, 1536, None, None, 90)  # 2000 - 1536
    assert (request.model, request.model_requested) == ("gpt-4o-mini-2024-07-18", "gpt-4o-mini")
    assert (request.team, request.user, request.service_tier) == ("growth", "u1", "flex")
    assert (request.completion, request.max_output_tokens) == ("Wren, robin, tit.", 100)


def test_without_a_body_the_units_are_all_there_is() -> None:
    request = requests(PATH)[1]
    assert tokens(request) == (640, None, None, None, 32)
    assert (request.app, request.tags) == ("mailer", ("retries=2",))
    assert [message.text for message in request.messages or []] == ["Hi"]


def test_hits_and_failures() -> None:
    assert not_calls(PATH) == ["gateway_cache_hit"]
    assert (requests(PATH)[2].status, requests(PATH)[2].status_code) == ("error", 429)
