import json
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import not_calls, requests, tokens


def test_calls_count_and_the_spans_around_them_do_not() -> None:
    first, second = requests("vercel-ai/ai-generateText-doGenerate.jsonl")
    (streamed,) = requests("vercel-ai/ai-streamText-doStream.jsonl")
    assert [tokens(first), tokens(second)] == [(14, None, None, None, 20), (50, None, None, None, 9)]
    assert (tokens(streamed), streamed.streamed) == ((15, 0, None, None, 112), True)
    assert not_calls("vercel-ai/ai-generateText.jsonl") == ["parent_span", "parent_span"]


def test_a_real_spans_fields() -> None:
    request = requests("vercel-ai/ai-generateText-doGenerate.jsonl")[0]
    assert (request.model, request.model_requested, request.provider) == (
        "gpt-4o-mini-2024-07-18",
        "gpt-4o-mini",
        "openai",
    )
    assert (request.time_us, request.latency_ms) == (1_770_131_992_242_000, 1779.416)
    assert (request.app, request.tags) == (
        "test-generate-text",
        ("customField=custom-value", "testCategory=text-generation"),
    )
    assert [message.text for message in request.messages or []] == ["Write a haiku about programming."]


def test_the_providers_own_usage_is_preferred_and_tools_are_read() -> None:
    object_call, embedding = requests("vercel-ai/tools_cache.jsonl")
    assert tokens(object_call) == (12, 4000, 50, None, 9)
    assert (object_call.user, object_call.conversation) == ("u-5", "sess-5")
    assert (object_call.needs_json_schema, object_call.max_output_tokens) == (True, 800)
    assert [(message.role, message.text, message.calls, message.call_id) for message in object_call.messages or []] == [
        ("user", "Price for 3?", "", ""),
        ("assistant", "", 'price({"n":3})', "c1"),
        ("tool", '{"eur":30}', "", "c1"),
    ]
    assert (embedding.operation, tokens(embedding), embedding.status) == (
        "embedding",
        (7, None, None, None, 0),
        "error",
    )
    assert not_calls("vercel-ai/tools_cache.jsonl") == ["not_a_model_call"]


def test_cached_tokens_of_each_provider_and_version_of_the_sdk() -> None:
    found = requests("vercel-ai/provider_metadata.jsonl")
    assert [tokens(request) for request in found] == [
        (4, 0, 2183, None, 104),  # Anthropic's stream: the metadata holds the output that it began with, 1
        (12, 4000, 200, None, 60),  # version 4, Anthropic
        (23, 0, 4425, None, 60),  # version 5, Bedrock: what was written is in the metadata only
        (976, 1024, None, None, 60),  # version 4, OpenAI: 2000 with what was cached
        (600, 400, None, None, 560),  # Google: 1560 = 1000 + 60 + 500 of thoughts
        (1000, 3500, 500, None, 60),  # version 6: 5000 with what was read and written, of Anthropic too
        (2000, 3000, None, None, 60),  # OpenRouter
        (500, 1500, None, None, 60),  # DeepSeek
    ]
    assert [request.usage.ambiguous_tokens for request in found] == [None] * 8
    assert [request.usage.reasoning_tokens for request in found if request.usage.reasoning_tokens] == [10, 500, 20]
    assert found[6].stated_cost_pico == 12_300_000_000


@pytest.mark.parametrize(
    ("provider", "details", "output"),
    [
        ("google.generative-ai", {"ai.usage.reasoningTokens": 29}, 60),  # version 5, which copies the candidates
        ("google.generative-ai", {"ai.usage.outputTokenDetails.reasoningTokens": 29}, 31),  # version 6, which adds both
        ("google.generative-ai", {"ai.usage.reasoningTokens": 29, "ai.usage.totalTokens": 131}, 31),
        ("openai.responses", {"ai.usage.reasoningTokens": 29}, 31),
    ],
)
def test_geminis_reasoning_is_on_top_of_its_candidates(
    provider: str, details: dict[str, int], output: int, tmp_path: Path
) -> None:
    attributes = {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.id": "gemini-2.5-pro",
        "ai.model.provider": provider,
        "ai.usage.inputTokens": 100,
        "ai.usage.outputTokens": 31,
        **details,
    }
    log = tmp_path / "spans.jsonl"
    log.write_text(json.dumps({"name": "x", "spanContext": {"traceId": "1", "spanId": "2"}, "attributes": attributes}))
    (request,) = requests(log)
    assert (request.usage.input_tokens, request.usage.output_tokens) == (100, output)
