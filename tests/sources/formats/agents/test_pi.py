from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "pi/session.jsonl"


def test_counts_are_disjoint() -> None:
    request, aborted = requests(PATH)
    assert tokens(request) == (10, 20000, 1000, None, 100)
    assert (request.model, request.provider, request.app) == ("claude-sonnet-4-5", "anthropic", "shop")
    assert (request.stated_cost_pico, request.time_us) == (11_280_000_000, 1_793_613_600_000_000)
    assert [message.text for message in request.messages or []] == ["Fix it"]
    assert (request.completion, aborted.status) == ("ok", "cancelled")
    assert request.merge_key != aborted.merge_key


def test_headers_questions_and_changes_are_no_calls() -> None:
    assert not_calls(PATH) == ["metadata"] * 3
    assert rejections(PATH) == [("no_model", "message.model")]
