"""Fields that seem to count tokens and were not used are named, whichever reader met them."""

from typing import Any

import pytest

from llm_audit.sources.records.usage import of_cohere, of_gemini, of_ollama

GEMINI = {
    "promptTokenCount": 10,
    "candidatesTokenCount": 5,
    "totalTokenCount": 15,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}],
    "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
}
OLLAMA = {"prompt_eval_count": 10, "eval_count": 5, "total_duration": 9, "message": {"tokens": 7}, "context": [1, 2]}
COHERE = {
    "billed_units": {"input_tokens": 5, "output_tokens": 2, "search_units": 1},
    "tokens": {"input_tokens": 80, "output_tokens": 2},
    "cached_tokens": 0,
}


@pytest.mark.parametrize(
    ("read", "usage", "unread"),
    [
        (of_gemini, GEMINI, None),
        (of_gemini, GEMINI | {"groundingTokenCount": 7}, "grounding_token_count"),
        (of_ollama, OLLAMA, None),
        (of_ollama, OLLAMA | {"draft_token_count": 3}, "draft_token_count"),
        (of_cohere, COHERE, None),
        (of_cohere, COHERE | {"cached_tokens": 3}, "cached_tokens"),
        (of_cohere, COHERE | {"billed_units": COHERE["billed_units"] | {"image_tokens": 9}}, "image_tokens"),
        (of_cohere, {}, None),
    ],
)
def test_what_is_not_used_is_named(read: Any, usage: dict[str, Any], unread: str | None) -> None:
    assert read(usage).unread_counts == unread
