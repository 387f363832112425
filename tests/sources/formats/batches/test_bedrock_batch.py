from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens


def test_batch_output() -> None:
    (request,) = requests("bedrock-batch/output.jsonl")
    assert (request.service_tier, tokens(request)) == ("batch", (14, None, None, None, 6))
    assert not_calls("bedrock-batch/output.jsonl") == ["not_sent", "metadata"]
    assert rejections("bedrock-batch/output.jsonl") == [("no_model", "model")]
