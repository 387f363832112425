"""Expected figures are worked out by hand from the provider's own bodies."""

import json
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import requests, tokens


def test_pairs_hold_what_the_bodies_say() -> None:
    found = requests("gemini/pairs.jsonl")
    assert [tokens(request) for request in found] == [
        (17713 - 17379 - (1917 - 1881), 17379, None, None, 68 + 821),
        (13, None, None, None, 10 + 61),
        (23, None, None, None, 25 + 158),
        (95 + 439, None, None, None, 66 + 132),
        (None, None, None, None, None),
        (427 + 771, None, None, None, 122 + 447),
    ]
    assert found[0].usage.audio_input_tokens == 1917 - 1881
    assert [request.usage.reasoning_tokens for request in found] == [821, 61, 158, 132, None, 447]


def test_a_prompt_blocked_before_the_model_saw_it_is_an_error() -> None:
    blocked = requests("gemini/pairs.jsonl")[4]
    assert (blocked.status, blocked.region) == ("error", "europe-west4")


def test_streams_as_arrays_tools_and_images() -> None:
    streamed, drawn = requests("gemini/made.jsonl")
    assert (tokens(streamed), streamed.usage.reasoning_tokens) == ((20, 30, None, None, 10), 4)
    assert (streamed.model, streamed.region, streamed.completion) == ("gemini-2.5-pro", "us-central1", "It is grey.")
    assert streamed.messages is not None
    assert [(message.role, message.text, message.calls) for message in streamed.messages] == [
        ("system", "Use the tool.", ""),
        ("user", "Weather?", ""),
        ("assistant", "", 'weather({"city":"Oslo","days":2})'),
        ("tool", '{"sky":"grey"}', ""),
    ]
    assert (streamed.tools, streamed.max_output_tokens) == (("weather",), 300)
    assert (drawn.operation, tokens(drawn)) == ("image", (12, None, None, None, 1300))


def test_interactions_count_thoughts_and_tools_on_top() -> None:
    pair, bare, streamed = requests("gemini/interactions.jsonl")
    assert (pair.provider, pair.completion, tokens(pair)) == ("google", "Yes.", (350, 400, None, None, 50))
    assert (pair.usage.audio_input_tokens, pair.usage.reasoning_tokens) == (300, 30)
    assert (bare.completion, tokens(bare)) == ("No.", (7, None, None, None, 10))
    assert (streamed.streamed, streamed.request_id, tokens(streamed)) == (True, "v-3", (7, None, None, None, 12))


def test_the_live_api_calls_its_output_a_response() -> None:
    (live,) = requests("gemini/live.jsonl")
    assert (tokens(live), live.usage.audio_output_tokens) == ((20, None, None, None, 10), 40)
    assert (live.usage.unread_counts, live.usage.unexplained_tokens) == (None, None)


@pytest.mark.parametrize(("second", "counted"), [({"token_count": 5}, 12), ({}, None)])
def test_embeddings_of_vertex_count_each_by_itself(second: object, counted: int | None, tmp_path: Path) -> None:
    """Where one is not counted the sum is unknown."""
    path = "/v1/projects/p/locations/us-central1/publishers/google/models/text-embedding-005:predict"
    embeddings = [{"embeddings": {"values": [0.1], "statistics": one}} for one in ({"token_count": 7}, second)]
    asked = {"instances": [{"content": "a"}, {"content": "b"}]}
    record = {
        "request": asked,
        "response": {"predictions": embeddings},
        "url": f"https://aiplatform.googleapis.com{path}",
    }
    (tmp_path / "log.jsonl").write_text(json.dumps(record))
    (request,) = requests(tmp_path / "log.jsonl")
    assert (request.operation, request.usage.input_tokens) == ("embedding", counted)
