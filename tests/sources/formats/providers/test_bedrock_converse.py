"""Expected figures are worked out by hand from the records."""

from tests.sources.formats.fixture_files import requests, tokens


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
