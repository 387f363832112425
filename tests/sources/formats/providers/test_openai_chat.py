"""Expected figures are worked out by hand from the provider's own bodies."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import FIXTURES, not_calls, rejections, requests, tokens

from llm_audit import api

BILLED = "openai-chat/billed.jsonl"


def test_chat_pairs_hold_what_the_bodies_say() -> None:
    found = requests("openai-chat/pairs.jsonl")
    assert [tokens(request) for request in found] == [
        (7, 0, None, None, 87),
        (577, 0, None, None, 2320),
        (46, 0, None, None, 11),
        (104, 0, None, None, 16),
        (71, 0, None, None, 12),
        (None, None, None, None, None),
        (None, None, None, None, None),
        (13, 0, None, None, 11),
        (53, 0, None, None, 15),
    ]
    assert [request.usage.reasoning_tokens for request in found[:2]] == [64, 1792]
    assert [request.status for request in found] == ["ok"] * 5 + ["error"] * 2 + ["ok"] * 2
    assert [(request.status_code, request.merge_key) for request in found[5:7]] == [(400, None), (400, None)]
    assert {request.provider for request in found} == {"openai"}


def test_a_chat_pair_tells_model_time_and_needs() -> None:
    found = requests("openai-chat/pairs.jsonl")
    first = found[0]
    assert (first.model, first.model_requested) == ("o3-mini-2025-01-31", "o3-mini")
    assert (first.time_us, first.latency_ms, first.max_output_tokens) == (1_781_536_547_000_000, 1045.0, 100)
    assert first.merge_key == "chatcmpl-Dr3KNfXKBS1oDOrhqYDuLYdjX9PM4|o3-mini-2025-01-31|ok"
    assert [request.needs_json_schema for request in found[:6]] == [False, False, False, False, True, False]
    assert found[1].needs_reasoning
    assert found[2].tools == ("get_image",)


def test_calls_of_tools_and_their_results_are_read() -> None:
    request = requests("openai-chat/pairs.jsonl")[3]
    assert request.messages is not None
    assert [message.role for message in request.messages] == ["user", "assistant", "tool", "assistant", "user"]
    assert request.messages[1].calls == 'get_capital({"country":"France"})'
    assert request.messages[1].call_id == request.messages[2].call_id == "pyd_ai_504f8147f83f44f3a5f14d87bfd01bda"
    assert request.completion is None
    assert request.completion_calls == 'get_capital({"country":"England"})'
    assert request.completion_call_id == "call_SkEQ3ZGSJC8m6AvaIGNuuKdm"


def test_streams_are_put_together() -> None:
    text, call = requests("openai-chat/pairs.jsonl")[7:]
    assert (text.streamed, text.completion, text.model) == (True, "Paris.", "gpt-5-2025-08-07")
    assert (call.streamed, call.completion_calls) == (True, 'get_capital({"country":"UK"})')
    assert call.completion_call_id == "call_ZR5UUuTt3pf61kjwAJIYdVMj"


def test_bodies_in_strings_bare_bodies_and_other_calls() -> None:
    found = requests("openai-chat/made.jsonl")
    in_strings, stream, bare, beside, embedding, azure, groq = found
    for request in (in_strings, stream, bare, beside):
        assert tokens(request) == (36, 64, None, None, 20)
        assert request.model == "gpt-4o-2024-08-06"
    assert (in_strings.time_us, in_strings.latency_ms) == (1_767_607_201_000_000, 850.0)
    assert (in_strings.team, in_strings.app, in_strings.user) == ("maths", "tutor", "u-9")
    assert (in_strings.tags, in_strings.service_tier, in_strings.trace) == (("release=7",), "flex", "t-1")
    assert (stream.completion, stream.streamed) == ("Eleven.", True)
    assert (bare.messages, bare.completion, bare.time_us) == (None, "Seven.", 1_767_607_200_000_000)
    assert (beside.time_us, beside.messages is None) == (1_767_607_201_500_000, False)
    assert (embedding.operation, tokens(embedding)) == ("embedding", (8, None, None, None, 0))
    assert (azure.provider, azure.model, azure.status, azure.status_code) == ("azure", "prod-4o", "error", 429)
    assert (groq.provider, tokens(groq)) == ("groq", (10, None, None, None, 2))
    assert not_calls("openai-chat/made.jsonl") == ["not_a_model_call"]
    assert rejections("openai-chat/made.jsonl") == [("bad_tokens", "prompt_tokens")]


def test_citations_of_a_research_model_are_billed_as_input_and_its_reasoning_beside_the_total() -> None:
    usage = requests(BILLED)[0].usage
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (33 + 20016, 7163 + 73997, 73997)
    assert (usage.tool_calls_billed, usage.ambiguous_tokens, usage.unread_counts) == (30, None, None)


def test_audio_of_a_transcription_is_told_apart_and_one_by_the_second_has_no_tokens() -> None:
    by_token, by_second = requests(BILLED)[1:]
    assert tokens(by_token) == (4, None, None, None, 45)
    assert (by_token.usage.audio_input_tokens, by_token.operation) == (10, "audio")
    assert (by_second.usage.usage_source, by_second.operation) == ("none", "audio")


def test_what_is_billed_beside_plain_text_is_priced() -> None:
    cost = api.analyze(FIXTURES / BILLED).document.cost
    # per million: 20,049 * 2 + 7,163 * 8 + 73,997 * 3, and 30 searches of half a cent; 4 * 1.25 + 10 * 3 + 45 * 5
    assert Decimal(cost.actual) == Decimal("0.319393") + Decimal("0.15") + Decimal("0.00026")
    assert (cost.priced_requests, cost.unpriced_requests) == (2, 1)  # whisper-1 is billed by the second


@pytest.mark.parametrize(("path", "operation"), [("embeddings", "embedding"), ("rerank", "rerank")])
def test_a_total_alone_is_the_input_of_a_call_without_output(path: str, operation: str, tmp_path: Path) -> None:
    """Voyage counts nothing else."""
    request = {"url": f"https://api.voyageai.com/v1/{path}", "body": {"model": "voyage-4", "input": ["a"]}}
    response = {"object": "list", "data": [], "model": "voyage-4", "usage": {"total_tokens": 10}}
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"request": request, "response": response}))
    (found,) = requests(log)
    assert (found.operation, tokens(found)) == (operation, (10, None, None, None, 0))


def test_counts_and_failures_in_places_of_their_own() -> None:
    streamed, chunks, cohere, minimax = requests("openai-chat/compatible.jsonl")
    assert tokens(streamed) == tokens(chunks) == (11, 8, None, None, 13)
    assert (streamed.completion, chunks.completion) == ("Yes.", "Yes.")
    assert tokens(cohere) == (10, None, None, None, 5)
    assert (minimax.status, minimax.usage.output_tokens) == ("error", None)
