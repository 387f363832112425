"""Expected figures are worked out by hand from the provider's own bodies."""

from tests.sources.formats.fixture_files import requests, tokens


def test_responses_pairs_hold_what_the_bodies_say() -> None:
    found = requests("openai-responses/pairs.jsonl")
    assert [tokens(request) for request in found] == [
        (9299 - 8448, 8448, None, None, 577),
        (9703 - 8576, 8576, None, None, 638),
        (18, 0, None, None, 16),
        (13, 0, None, None, 77),
        (66, 0, None, None, 12),
        (153, 0, None, None, 12),
        (None, None, None, None, None),
        (15, 0, None, None, 9),
    ]
    assert [request.usage.reasoning_tokens for request in found[:4]] == [512, 576, 9, 64]
    assert [request.usage.tool_calls_billed for request in found[:3]] == [1, 1, None]
    assert [request.provider for request in found[1:3]] == ["openai", "azure"]
    assert (found[6].status, found[6].status_code) == ("error", 400)
    assert (found[7].completion, found[7].streamed) == ("2 + 2 equals 4.", True)
    assert [request.needs_json_schema for request in found] == [False] * 4 + [True] * 2 + [False] * 2


def test_instructions_come_first_and_reasoning_is_no_message() -> None:
    request = requests("openai-responses/pairs.jsonl")[1]
    assert request.messages is not None
    assert [message.role for message in request.messages] == ["system", "user", "assistant", "user"]
    assert request.messages[-1].text == "how about Mexico City?"
