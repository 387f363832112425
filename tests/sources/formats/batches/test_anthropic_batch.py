from tests.sources.formats.fixture_files import not_calls, requests, tokens


def test_batch_results() -> None:
    (request,) = requests("anthropic-batch/results.jsonl")
    assert tokens(request) == (11, 0, 20, None, 36)
    assert request.service_tier == "batch"
    assert not_calls("anthropic-batch/results.jsonl") == ["not_sent"] * 3
