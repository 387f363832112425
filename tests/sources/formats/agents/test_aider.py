from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "aider/analytics.jsonl"


def test_a_message_sent_is_a_call() -> None:
    (request,) = requests(PATH)
    assert tokens(request) == (1000, None, None, None, 100)
    assert (request.model, request.stated_cost_pico, request.user) == ("gpt-4o", 3_500_000_000, "u")
    assert (request.time_us, request.tags) == (1_793_613_600_000_000, ("edit_format=diff",))
    assert not_calls(PATH) == ["metadata"]
    assert rejections(PATH) == [("no_model", "properties.main_model")] * 3  # none, unknown to Aider, redacted
