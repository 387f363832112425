"""Bodies of Gemini's Interactions API: its counts under the names of generateContent, and its reply.

Thoughts and what tools put into the prompt come on top of the other counts, as in generateContent.
"""

from __future__ import annotations

from typing import Any

from llm_audit.sources.records.fields import Json, first, listing, objects

_COUNTS = {
    "promptTokenCount": ("total_input_tokens", "totalInputTokens"),
    "candidatesTokenCount": ("total_output_tokens", "totalOutputTokens"),
    "thoughtsTokenCount": ("total_thought_tokens", "totalThoughtTokens"),
    "cachedContentTokenCount": ("total_cached_tokens", "totalCachedTokens"),
    "toolUsePromptTokenCount": ("total_tool_use_tokens", "totalToolUseTokens"),
    "totalTokenCount": ("total_tokens", "totalTokens"),
}
_DETAILS = {
    "promptTokensDetails": ("input_tokens_by_modality", "inputTokensByModality"),
    "cacheTokensDetails": ("cached_tokens_by_modality", "cachedTokensByModality"),
    "candidatesTokensDetails": ("output_tokens_by_modality", "outputTokensByModality"),
}


_INPUTS, _OUTPUTS = (frozenset(_COUNTS[name]) for name in ("promptTokenCount", "candidatesTokenCount"))
_BY_MODALITY = ("_by_modality", "ByModality")
_KNOWN = frozenset(name for names in (*_COUNTS.values(), *_DETAILS.values()) for name in names)


def is_interaction(usage: Json) -> bool:
    """Return whether a usage is an interaction's: it has its names, and no count under another.

    Custom logs use these names too, beside others for parts whose meaning is not that of Gemini's.
    """
    if _INPUTS.isdisjoint(usage) or _OUTPUTS.isdisjoint(usage):
        return False
    return all(name in _KNOWN or name.endswith(_BY_MODALITY) or "token" not in name.lower() for name in usage)


def usage_metadata(usage: Json) -> Json:
    """Return the counts of an interaction as generateContent has them."""
    counts = {name: first(usage, *given) for name, given in _COUNTS.items()}
    details = {
        name: [{"modality": part.get("modality"), "tokenCount": part.get("tokens")} for part in objects(found)]
        for name, given in _DETAILS.items()
        if (found := listing(first(usage, *given)))
    }
    return {**{name: count for name, count in counts.items() if count is not None}, **details}


def reply_of(body: Json) -> list[Any]:
    """Return the parts of an interaction's reply: its outputs, or the content of its last steps; none elsewhere."""
    steps = [part for step in objects(body.get("steps")) for part in (listing(step.get("content")) or [step])]
    return steps or listing(body.get("outputs"))
