"""Expected figures are worked out by hand from the provider's own bodies."""

from tests.sources.formats.fixture_files import not_calls, requests, tokens


def test_pairs_hold_what_the_bodies_say() -> None:
    found = requests("anthropic-messages/pairs.jsonl")
    assert [(request.model, tokens(request)) for request in found] == [
        ("claude-sonnet-4-5-20250929", (3, 1111, 0, 0, 414)),
        ("claude-sonnet-4-5-20250929", (3, 1111, 0, 0, 406)),
        ("claude-opus-4-8", (2, 1590, 0, 0, 4)),
        ("claude-sonnet-5", (2390, 0, 0, 0, 121)),
        ("claude-opus-4-8", (2518, 0, 0, 0, 22)),
        ("claude-sonnet-4-5-20250929", (3443, 0, 0, 0, 169)),
        ("claude-sonnet-5", (2411, 0, 0, 0, 145)),
        ("claude-opus-4-8", (2543, 0, 0, 0, 18)),
        ("claude-sonnet-4-6", (4714, 0, 0, 0, 304)),
    ]
    assert not_calls("anthropic-messages/pairs.jsonl") == ["not_a_model_call"]
    assert [request.usage.reasoning_tokens for request in found[2:4]] == [0, 28]


def test_an_advisor_inside_a_call_is_a_call_of_its_own() -> None:
    call, advisor = requests("anthropic-messages/pairs.jsonl")[3:5]
    assert call.merge_key is not None
    assert advisor.merge_key == f"{call.merge_key}|1"
    assert advisor.messages is None
    assert call.usage.tool_calls_billed == 0


def test_a_tool_result_is_a_message_before_the_ask() -> None:
    first = requests("anthropic-messages/made.jsonl")[0]
    assert first.messages is not None
    assert [(message.role, message.text, message.call_id) for message in first.messages] == [
        ("system", "Be brief.", ""),
        ("tool", "42", "toolu_1"),
        ("user", "So?", ""),
    ]


def test_writes_of_both_lifetimes_are_told_apart_and_never_added_to_their_sum() -> None:
    both, cut, unsplit = requests("anthropic-messages/made.jsonl")
    assert tokens(both) == (10, 5000, 600, 300, 40)
    assert (both.service_tier, both.region, both.tags) == ("fast", "us", ())
    assert both.time_us == 1_767_607_200_000_000
    assert tokens(unsplit) == (7, None, 70, None, 3)
    assert tokens(cut) == (25, None, None, None, None)  # its first output count is a placeholder


def test_the_first_event_of_a_stream_holds_a_placeholder_for_its_output() -> None:
    (begun,) = requests("anthropic-stream/first_event.jsonl")
    assert tokens(begun) == (10, 300, None, None, None)
