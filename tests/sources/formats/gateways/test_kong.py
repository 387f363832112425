import json
from typing import Any

import pytest
from tests.sources.formats.fixture_files import not_calls, requests, tokens

from llm_audit.sources.entry import Request
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats


def test_current_versions_tell_cached_tokens() -> None:
    request = requests("kong/by_version.jsonl")[0]
    assert tokens(request) == (376, 1024, None, None, 50)  # 1400 - 1024
    assert (request.model, request.model_requested, request.provider) == ("gpt-4o-2024-08-06", "gpt-4o", "openai")
    assert (request.app, request.user, request.stated_cost_pico) == ("chat-svc", "alice", 4_100_000_000)
    assert (request.time_us, request.latency_ms) == (1_767_607_200_123_000, 900.0)
    assert (request.completion, [message.text for message in request.messages or []]) == ("Yes.", ["Is it?"])


def test_until_3_9_each_plugin_that_called_a_model_counts() -> None:
    _, proxied, transformed = requests("kong/by_version.jsonl")
    assert (proxied.model, tokens(proxied)) == ("command", (14, None, None, None, 21))
    assert (transformed.model, tokens(transformed)) == ("gpt-4o-mini", (70, None, None, None, 30))
    assert proxied.stated_cost_pico is None  # 0: the gateway has no price
    assert proxied.merge_key != transformed.merge_key


def test_the_documentations_example_is_a_hit_of_the_semantic_cache() -> None:
    assert not_calls("kong/ai_proxy_log_doc_example.json") == ["gateway_cache_hit"]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"prompt_tokens": 2000, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 1024}},
            (976, 1024, None, None, 20),
        ),
        ({"prompt_tokens": 0, "completion_tokens": 0}, (2000, None, None, None, 20)),
        ({}, (2000, None, None, None, 20)),
    ],
)
def test_the_providers_own_usage_comes_before_the_gateways_counts(
    usage: dict[str, Any], expected: tuple[int | None, ...]
) -> None:
    body = {"object": "chat.completion", "choices": [], "usage": usage, "service_tier": "flex"}
    meta = {"request_model": "gpt-5-mini", "response_model": "gpt-5-mini", "provider_name": "openai"}
    counts = {"prompt_tokens": 2000, "completion_tokens": 20, "total_tokens": 2020}
    plugin = {"meta": meta, "usage": counts, "payload": {"response": json.dumps(body)}}
    record = {"started_at": 1_767_607_200_123, "request": {"id": "k-9"}, "ai": {"proxy": plugin}}
    ((_, request),) = FormatDetector(all_formats(), path="kong.jsonl").entries(1, record)
    assert isinstance(request, Request)
    assert (tokens(request), request.service_tier) == (expected, "flex")


@pytest.mark.parametrize("count", ["N/A", [], {"a": 1}, True])
def test_a_count_that_is_no_number_is_unknown_and_named(count: object) -> None:
    record = {
        "ai": {
            "proxy": {"usage": {"prompt_tokens": count, "completion_tokens": 7}, "meta": {"request_model": "gpt-4o"}}
        }
    }
    ((_, request),) = FormatDetector(all_formats(), path="x").entries(1, record)
    assert isinstance(request, Request)
    assert (tokens(request), request.usage.unread_counts) == ((None, None, None, None, 7), "prompt_tokens")
