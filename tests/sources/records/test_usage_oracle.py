"""Counts agree with genai-prices' own reader for every provider body in the fixtures.

Its input and output counts are inclusive (of cached tokens and of audio), whatever the provider's are; the disjoint
counts are therefore summed before they are compared.
"""

import json

import pytest
from genai_prices.data import providers
from tests.sources.formats.fixture_files import FIXTURES

from llm_audit.sources.records.pair import read_pair
from llm_audit.sources.records.usage import of_any

FLAVORS = {
    "openai-chat": ("openai", "chat"),
    "openai-responses": ("openai", "responses"),
    "anthropic-messages": ("anthropic", "default"),
    "bedrock-converse": ("aws", "default"),
    "gemini": ("google", "default"),
    "openrouter": ("openrouter", "chat"),
    "ollama": ("openai", "chat"),
}
USAGE = ("usage", "usageMetadata")


def bodies():
    for folder, flavor in FLAVORS.items():
        for path in sorted((FIXTURES / folder).glob("*pairs.jsonl")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                pair = read_pair(json.loads(line))
                usage = next((pair.response_body[name] for name in USAGE if pair.response_body.get(name)), {})
                if set(usage) - {"trafficType"}:
                    yield pytest.param(pair.response_body, usage, *flavor, id=f"{folder}:{number}")


def shape_of(row):
    """Provider and flavour of a usage shape, by its key set: the fixture names only the model."""
    usage = row.get("usage") or row["usageMetadata"]
    if "usageMetadata" in row:
        return "google", "default"
    if "billed_units" in usage:
        return "cohere", "default"
    if "inputTokens" in usage:
        return "aws", "default"
    if "prompt_tokens" in usage:
        by_key = {"num_cached_tokens": ("mistral", "default"), "prompt_cache_hit_tokens": ("deepseek", "chat")}
        by_key |= {"queue_time": ("groq", "default")}
        return next((flavor for key, flavor in by_key.items() if key in usage), ("openai", "chat"))
    return ("openai", "responses") if "input_tokens_details" in usage else ("anthropic", "default")


def shapes():
    for number, line in enumerate((FIXTURES / "usage-variants" / "usage_shapes.jsonl").read_text().splitlines(), 1):
        row = json.loads(line)
        usage = row.get("usage") or row["usageMetadata"]
        body = {"model": "any", "modelVersion": "any", **row}
        yield pytest.param(body, usage, *shape_of(row), id=f"usage-variants:{number}")


@pytest.mark.parametrize(("body", "usage", "provider", "flavor"), [*bodies(), *shapes()])
def test_counts_agree_with_genai_prices(body, usage, provider, flavor) -> None:
    known = next(known for known in providers if known.id == provider)
    _, theirs = known.extract_usage(body, api_flavor=flavor)
    ours = of_any(usage)
    writes = (ours.cache_write_5m_tokens or 0) + (ours.cache_write_1h_tokens or 0)
    if "num_cached_tokens" not in usage:  # Mistral's name for cache reads, which genai-prices does not read
        assert (ours.cache_read_tokens or 0) == (theirs.cache_read_tokens or 0)
    assert writes == (theirs.cache_write_tokens or 0)
    assert (ours.output_tokens or 0) + (ours.audio_output_tokens or 0) == (theirs.output_tokens or 0)
    whole_input = (ours.input_tokens or 0) + (ours.cache_read_tokens or 0) + writes + (ours.audio_input_tokens or 0)
    assert whole_input == (theirs.input_tokens or 0)
