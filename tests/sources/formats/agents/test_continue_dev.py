from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "continue-dev/events.jsonl"


def test_a_call_counts_once_however_many_events_tell_it() -> None:
    (request,) = requests(PATH)
    assert (request.model, request.provider, request.user) == ("gpt-4o", "openai", "u1")
    assert tokens(request) == (900, None, None, None, 40)
    assert not_calls(PATH) == ["metadata", "metadata"]
    assert rejections(PATH) == [("no_model", "model")]
