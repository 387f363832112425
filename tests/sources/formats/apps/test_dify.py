from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "dify/messages.jsonl"


def test_stated_counts_are_taken() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (5000, None, None, None, 200)
    assert (request.model, request.provider, request.latency_ms) == ("gpt-4o", "openai", 1200.0)
    assert request.stated_cost_pico == 14_500_000_000
    assert [message.text for message in request.messages or []] == ["Where is my parcel?"]


def test_a_price_in_another_currency_is_no_dollars() -> None:
    assert (requests(PATH)[1].stated_cost_pico, requests(PATH)[1].status) == (None, "error")
    assert not_calls(PATH) == []
    assert rejections(PATH) == [("no_model", "model_id")]
