"""Expected figures are worked out by hand from the provider's own bodies."""

from tests.sources.formats.fixture_files import requests, tokens


def test_vertex_log() -> None:
    (request,) = requests("vertex-log/rows.jsonl")
    assert (tokens(request), request.usage.reasoning_tokens) == ((40 - 16, 16, None, None, 3 + 20), 20)
    assert (request.model, request.time_us) == ("gemini-2.5-flash", 1_767_607_200_250_000)
    assert (request.completion, request.max_output_tokens, request.streamed) == ("Lima.", 99, False)
