"""Expected figures are worked out by hand from the provider's own bodies."""

from tests.sources.formats.fixture_files import requests, tokens


def test_a_real_record_of_the_invocation_log() -> None:
    (request,) = requests("bedrock-log/record.jsonl")
    assert tokens(request) == (4, None, None, None, 38)
    assert (request.time_us, request.streamed, request.max_output_tokens) == (1_741_653_482_000_000, True, 512)
    assert (request.model, request.user, request.latency_ms) == ("amazon.nova-lite-v1:0", "USER", 302.0)
    assert (request.completion or "").startswith("Hello! I'm doing well")


def test_streams_routers_counts_and_failures_of_the_invocation_log() -> None:
    stream, routed, counts, embedding, throttled, cloudwatch = requests("bedrock-log/made.jsonl")
    assert (tokens(stream), stream.completion) == ((12, 2000, 0, None, 31), "On its way.")
    assert (stream.team, stream.user, stream.environment) == ("support", "support-app", "prod")
    assert (stream.model, stream.region) == ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us-west-2")
    assert (routed.model_requested, routed.model) == (
        "default-prompt-router/anthropic.claude:1",
        "anthropic.claude-3-haiku-20240307-v1:0",
    )
    assert (tokens(counts), counts.messages) == ((7, 3, 5, None, 8), None)
    assert (embedding.operation, embedding.usage.input_tokens) == ("embedding", 2)
    assert (throttled.status, tokens(throttled)) == ("error", (None,) * 5)
    assert (tokens(cloudwatch), cloudwatch.completion) == ((4, None, None, None, 2), "Hello")
