"""A usage that a flat table spreads over columns is read as the object that it was."""

from collections.abc import Iterator
from typing import Any

import pytest

from llm_audit.sources.entry import Request
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.formats.plain.flat import FORMAT

OPENAI = {
    "prompt_tokens": 1200,
    "completion_tokens": 300,
    "total_tokens": 1500,
    "prompt_tokens_details": {"cached_tokens": 1000, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 200, "accepted_prediction_tokens": 0},
    "cost": 0.0123,
}
RESPONSES = {
    "input_tokens": 1200,
    "output_tokens": 300,
    "input_tokens_details": {"cached_tokens": 1000},
    "output_tokens_details": {"reasoning_tokens": 200},
}
ANTHROPIC = {
    "input_tokens": 12,
    "output_tokens": 300,
    "cache_read_input_tokens": 1000,
    "cache_creation_input_tokens": 500,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 400},
    "server_tool_use": {"web_search_requests": 2},
    "service_tier": "batch",
    "inference_geo": "us",
}
FAST = {"input_tokens": 12, "output_tokens": 300, "speed": "fast", "inference_geo": "not_available"}
DEEPSEEK = {
    "prompt_tokens": 1200,
    "completion_tokens": 300,
    "prompt_cache_hit_tokens": 1000,
    "prompt_cache_miss_tokens": 200,
}
XAI = {"prompt_tokens": 1200, "completion_tokens": 100, "reasoning_tokens": 200, "total_tokens": 1500}
BEDROCK = {
    "inputTokens": 12,
    "outputTokens": 300,
    "totalTokens": 1312,
    "cacheReadInputTokens": 1000,
    "cacheWriteInputTokens": 0,
}
GEMINI = {
    "promptTokenCount": 1200,
    "candidatesTokenCount": 100,
    "thoughtsTokenCount": 200,
    "cachedContentTokenCount": 1000,
    "totalTokenCount": 1500,
}
USAGES = [("usage", of) for of in (OPENAI, RESPONSES, ANTHROPIC, FAST, DEEPSEEK, XAI, BEDROCK)] + [
    ("usageMetadata", GEMINI)
]


def spread(usage: dict[str, Any], head: str, between: str) -> Iterator[tuple[str, Any]]:
    for name, value in usage.items():
        key = f"{head}{between}{name}"
        if isinstance(value, dict):
            yield from spread(value, key, between)
        else:
            yield key, value


def read(**record: Any) -> Request:
    (entry,) = FORMAT.entries({"model": "m", "time": "2026-09-01", "prompt": "Why?", **record}, Context("x"))
    assert isinstance(entry, Request)
    return entry


@pytest.mark.parametrize("between", ["_", ".", "__", "/"])
@pytest.mark.parametrize("before", ["", "response"])
@pytest.mark.parametrize(("name", "usage"), USAGES)
def test_a_spread_usage_is_read_as_an_object(name: str, usage: dict[str, Any], before: str, between: str) -> None:
    whole = read(**{name: usage})
    columns = dict(spread(usage, f"{before}{between}{name}" if before else name, between))
    assert whole.usage.usage_source == "reported"
    assert read(**columns) == whole


@pytest.mark.parametrize("searches", ["N/A", -1, None, True, {}])
def test_an_odd_number_of_searches_is_unknown(searches: object) -> None:
    assert (
        read(usage_input_tokens=1, usage_server_tool_use_web_search_requests=searches).usage.tool_calls_billed is None
    )
