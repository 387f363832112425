from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens


def test_an_event_of_usage_is_a_call_with_inclusive_counts() -> None:
    call, of_subagent = requests("copilot-cli/sdk.jsonl")
    assert tokens(call) == (1, 35067, 857, None, 370)
    assert (call.model, call.app, call.conversation, call.latency_ms) == ("claude-sonnet-4.6", "shop", "s1", 6456.0)
    assert [message.text for message in call.messages or []] == ["Why does the cart lose items?"]
    assert (tokens(of_subagent), of_subagent.usage.reasoning_tokens) == ((500, 0, 0, None, 80), 64)
    assert of_subagent.messages is None


def test_premium_requests_are_no_dollars_and_ai_units_are_cents() -> None:
    """$3 and $15 a million tokens, $0.30 for cached and $3.75 for written ones, add up to the stated charge."""
    call, of_subagent = requests("copilot-cli/sdk.jsonl")
    assert call.stated_cost_pico == 3_000_000 + 35067 * 300_000 + 857 * 3_750_000 + 370 * 15_000_000
    assert of_subagent.stated_cost_pico is None


def test_the_end_of_a_session_sums_up_calls_that_the_file_does_not_hold() -> None:
    assert len(not_calls("copilot-cli/sdk.jsonl")) == 4
    calls = requests("copilot-cli/events.jsonl")
    assert [tokens(call) for call in calls] == [(1, 35067, 857, None, 370)] * 3
    assert sum(call.stated_cost_pico or 0 for call in calls) == 57_860_550_000
    assert {(call.model, call.tags) for call in calls} == {("claude-sonnet-4.6", ("aggregated",))}


def test_a_call_without_a_model_is_rejected() -> None:
    assert rejections("copilot-cli/sdk.jsonl") == [("no_model", "data.model")]
