"""Expected figures are worked out by hand from the records."""

import pytest
from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

from llm_audit.sources.formats.providers.bedrock import model_of_arn


def test_converse_pairs_leave_cached_tokens_out_of_the_input() -> None:
    found = requests("bedrock-converse/pairs.jsonl")
    assert [tokens(request) for request in found] == [
        (433, 2752, 0, None, 16),
        (22, 2492, 0, None, 13),
        (3, 0, 1712, None, 227),
        (13, None, None, None, 5),
    ]
    assert [request.service_tier for request in found] == ["standard"] * 3 + ["flex"]
    assert found[1].model == "us.amazon.nova-lite-v1:0"
    assert (found[1].provider, found[1].region, found[1].latency_ms) == ("aws", "us-east-1", 401.0)
    assert found[0].tools == ("catalog_lookup", "diagnostics")


def test_invoke_model_and_hidden_models() -> None:
    invoked, hidden = requests("bedrock-converse/made.jsonl")
    assert invoked.model == "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert (tokens(invoked), invoked.region) == ((9, None, None, None, 4), "eu-west-1")
    assert hidden.model == "application-inference-profile/a1b2c3"
    assert tokens(hidden) == (5, None, 100, 200, 2)
    assert hidden.messages is not None
    assert hidden.messages[0].images == 1


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


def test_batch_output() -> None:
    (request,) = requests("bedrock-batch/output.jsonl")
    assert (request.service_tier, tokens(request)) == ("batch", (14, None, None, None, 6))
    assert not_calls("bedrock-batch/output.jsonl") == ["not_sent", "metadata"]
    assert rejections("bedrock-batch/output.jsonl") == [("no_model", "model")]


@pytest.mark.parametrize(
    ("arn", "model"),
    [
        ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0", "meta.llama3-8b-instruct-v1:0"),
        ("arn:aws:bedrock:us-east-1:1:provisioned-model/abc", "provisioned-model/abc"),
    ],
)
def test_models_in_arns(arn: str, model: str) -> None:
    assert model_of_arn(arn) == model
