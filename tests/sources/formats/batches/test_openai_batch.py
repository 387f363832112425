from tests.sources.formats.fixture_files import not_calls, requests, tokens


def test_batch_lines_are_billed_at_the_batch_price() -> None:
    first, second = requests("openai-batch/output.jsonl")
    assert (tokens(first), tokens(second)) == ((20, 0, None, None, 10), (22, 0, None, None, 10))
    (responses,) = requests("openai-batch/made.jsonl")
    assert tokens(responses) == (500 - 256, 256, None, None, 3)
    assert {request.service_tier for request in (first, second, responses)} == {"batch"}
    assert not_calls("openai-batch/made.jsonl") == ["not_sent", "not_sent"]
