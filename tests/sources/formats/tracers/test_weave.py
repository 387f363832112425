from tests.sources.formats.fixture_files import not_calls, requests, tokens

PATH = "weave/calls.jsonl"


def test_only_the_call_itself_counts() -> None:
    request, summed = requests(PATH)
    assert tokens(request) == (600, 400, None, None, 100)  # the provider's own answer tells the cached ones
    assert (request.model, request.model_requested, request.latency_ms) == ("gpt-4o-2024-08-06", "gpt-4o", 2000.0)
    assert (request.trace, request.span, request.parent_span) == ("wt", "w2", "w1")
    assert tokens(summed) == (1000, None, None, None, 100)  # the answer was not kept, its counts were
    assert not_calls(PATH) == ["parent_span", "not_a_model_call"]
