"""Readers of token counts as each provider reports them.

One reader a provider's shape; ``disjoint_usage`` holds the rules they share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from llm_audit.sources.entry import NO_USAGE, Usage
from llm_audit.sources.records.disjoint import (
    Convention,
    disjoint_usage,
    read_count,
    read_single_count,
)
from llm_audit.sources.records.fields import Json, mapping, objects, text
from llm_audit.sources.records.interactions import is_interaction, usage_metadata
from llm_audit.sources.records.tokens.anthropic import plain_anthropic_usage
from llm_audit.sources.records.tokens.counts import count_tokens, usage_of_counts
from llm_audit.vocabulary import UsageSource

_plain_usage: Callable[[Json], Usage | None] | None = None
with suppress(ImportError):  # built only where a C compiler is available; any usage is read in Python then
    from llm_audit.sources.records import _fields

    _fields.prepare_usage(Usage, UsageSource.REPORTED)
    _plain_usage = _fields.plain_usage


def of_openai(usage: Json, *, model: str = "") -> Usage:
    """Read the usage of OpenAI chat completions or Responses, and of those who copy their shape. Inclusive.

    Also reads the cache counts of DeepSeek (``prompt_cache_hit_tokens``), Mistral (``num_cached_tokens``), Hugging
    Face and Moonshot (``cached_tokens``), and Anthropic's own where a proxy passes them through in this shape.
    """
    if _plain_usage and (found := _plain_usage(usage)):
        return found
    if usage.keys() <= _OPENAI_CHAT:
        return _of_openai_chat(usage)
    if "modality_tokens" in usage:
        return _of_helicone(usage)
    counts = count_tokens(usage)
    if "input" in counts.kinds:
        counts.kinds.setdefault("output", 0)  # embeddings report no output
    return usage_of_counts(
        counts,
        convention=Convention.INCLUSIVE,
        # what OpenRouter's own tools ran is billed by the call, on top of the tokens
        tool_calls=read_count(mapping(usage.get("server_tool_use_details")), "tool_calls_executed") or None,
        model=model,
    )


def _of_openai_chat(usage: Json) -> Usage:
    """Read the usage of OpenAI chat itself: the most frequent shape, so a faster path."""
    into, outof = mapping(usage.get("prompt_tokens_details")), mapping(usage.get("completion_tokens_details"))
    if not (into.keys() <= _INTO and outof.keys() <= _OUT_OF):
        counts = count_tokens(usage)
        if "input" in counts.kinds:
            counts.kinds.setdefault("output", 0)
        return usage_of_counts(counts, convention=Convention.INCLUSIVE)
    prompt, completion = read_single_count(usage, "prompt_tokens"), read_single_count(usage, "completion_tokens")
    if completion is None and prompt is not None:
        completion = 0
    if len(into) <= 1 and not outof and "cached_tokens" in into:  # all that most logs keep
        cached, total = read_single_count(into, "cached_tokens"), read_single_count(usage, "total_tokens")
        return disjoint_usage(prompt, completion, cache_read=cached, total=total, convention=Convention.INCLUSIVE)
    return disjoint_usage(
        prompt,
        completion,
        cache_read=read_single_count(into, "cached_tokens"),
        cache_write=read_single_count(into, "cache_write_tokens"),
        reasoning=read_single_count(outof, "reasoning_tokens"),
        audio_input=read_single_count(into, "audio_tokens"),
        audio_output=read_single_count(outof, "audio_tokens"),
        image_input=read_single_count(into, "image_tokens"),
        total=read_single_count(usage, "total_tokens"),
        convention=Convention.INCLUSIVE,
    )


def _of_helicone(usage: Json) -> Usage:
    """Read what Helicone's AI gateway makes of any provider's usage.

    The prompt includes cache reads, but neither writes nor what ``modality_tokens`` counts; the total adds up
    everything, the reads twice.
    """
    into, outof = mapping(usage.get("prompt_tokens_details")), mapping(usage.get("completion_tokens_details"))
    lifetimes, modalities = mapping(into.get("cache_write_details")), mapping(usage.get("modality_tokens"))
    read = read_count(into, "cached_tokens") or 0
    short = read_count(lifetimes, "write_5m_tokens")
    images, sounds = mapping(modalities.get("image")), mapping(modalities.get("audio"))
    beside = [mapping(counts) for counts in modalities.values()]
    fresh = max((read_count(usage, "prompt_tokens") or 0) - read, 0)
    return disjoint_usage(
        fresh + sum(read_count(counts, "input_tokens") or 0 for counts in beside),
        (read_count(usage, "completion_tokens") or 0)
        + sum(read_count(counts, "output_tokens") or 0 for counts in beside),
        cache_read=read + sum(read_count(counts, "cached_tokens") or 0 for counts in beside),
        cache_write=read_count(into, "cache_write_tokens") if short is None else short,
        cache_write_1h=read_count(lifetimes, "write_1h_tokens"),
        reasoning=read_count(outof, "reasoning_tokens"),
        audio_input=read_count(sounds, "input_tokens") or None,
        audio_output=read_count(sounds, "output_tokens") or None,
        image_input=read_count(images, "input_tokens") or None,
        image_output=read_count(images, "output_tokens") or None,
        convention=_EXCLUSIVE,
    )


def of_anthropic(usage: Json) -> Usage:
    """Read the usage of Anthropic Messages. Exclusive; thinking is part of the output.

    Top-level counts leave out the ``iterations`` that other models or a compaction ran; those are calls of their own.
    """
    plain = plain_anthropic_usage(usage)
    if plain is not None:
        return plain
    tools = usage.get("server_tool_use")
    return usage_of_counts(
        count_tokens(usage),
        convention=_EXCLUSIVE,
        tool_calls=None if tools is None else read_count(mapping(tools), "web_search_requests"),
    )


def of_bedrock(usage: Json) -> Usage:
    """Read the ``usage`` of Bedrock Converse. Exclusive; its ``*TokenCount`` fields repeat the ``*Tokens`` ones."""
    counts = count_tokens({name: count for name, count in usage.items() if name != "cacheDetails"})
    long = sum(
        read_count(detail, "inputTokens") or 0
        for detail in objects(usage.get("cacheDetails"))
        if detail.get("ttl") == "1h"
    )
    if long:
        counts.kinds.update(cache_created=counts.get("cache_created", "cache_write") or long, cache_write_1h=long)
    # others have the same names in camelCase, and a name of their own for cached tokens
    return usage_of_counts(counts, convention=None if counts.get("cached") else Convention.EXCLUSIVE)


def of_gemini(usage: Json) -> Usage:
    """Read Gemini's ``usageMetadata`` in camelCase or, as BigQuery has it, snake_case. Inclusive.

    Thoughts are billed on top of the candidates, and what tools put into the prompt on top of the prompt count.
    """
    prompt = read_count(usage, "promptTokenCount", "prompt_token_count")
    candidates = read_count(usage, *_GENERATED)
    thoughts = read_count(usage, "thoughtsTokenCount", "thoughts_token_count")
    by_tools = read_count(usage, "toolUsePromptTokenCount", "tool_use_prompt_token_count") or 0
    cached = read_count(usage, "cachedContentTokenCount", "cached_content_token_count")
    total = read_count(usage, "totalTokenCount", "total_token_count")
    if prompt is None and candidates is None and thoughts is None:
        return NO_USAGE
    output = candidates or 0
    if thoughts and not (total is not None and total == (prompt or 0) + by_tools + output):
        output += thoughts
    if total is not None and total + by_tools == (prompt or 0) + by_tools + output:
        total += by_tools  # some totals leave these out
    into = _by_modality(usage, "promptTokensDetails", "prompt_tokens_details")
    hit = _by_modality(usage, "cacheTokensDetails", "cache_tokens_details")
    outof = _by_modality(usage, "candidatesTokensDetails", "candidates_tokens_details", "responseTokensDetails")
    found = disjoint_usage(
        (prompt or 0) + by_tools,
        output,
        cache_read=cached,
        reasoning=thoughts,
        audio_input=max(into["AUDIO"] - hit.get("AUDIO", 0), 0) if "AUDIO" in into else None,
        audio_output=outof.get("AUDIO"),
        image_input=max(into["IMAGE"] - hit.get("IMAGE", 0), 0) if "IMAGE" in into else None,
        image_output=outof.get("IMAGE"),
        total=total,
        convention=Convention.INCLUSIVE,
    )
    return _naming_unread(found, usage)


def of_ollama(body: Json) -> Usage:
    """Read Ollama's native counts. Inclusive: the cached part of the prompt is in ``prompt_eval_count``."""
    found = disjoint_usage(
        read_count(body, "prompt_eval_count"),
        read_count(body, "eval_count"),
        cache_read=read_count(body, "prompt_eval_cached_count"),
        convention=Convention.INCLUSIVE,
    )
    return _naming_unread(found, {name: count for name, count in body.items() if not isinstance(count, Mapping)})


def of_cohere(usage: Json) -> Usage:
    """Read Cohere's usage: ``billed_units`` are charged, ``tokens`` (which count its own template) are not."""
    billed = mapping(usage.get("billed_units")) or mapping(usage.get("tokens"))
    found = disjoint_usage(read_count(billed, "input_tokens"), read_count(billed, "output_tokens"))
    return _naming_unread(found, {**usage, **billed, "billed_units": None, "tokens": None}, "cached_tokens")


def _naming_unread(usage: Usage, record: Json, *others: str) -> Usage:
    """Return a usage with the fields that seem to count tokens and were not used, ``others`` among them."""
    if usage is NO_USAGE:
        return usage
    unread = [*count_tokens(record).unread, *(name for name in others if read_count(record, name))]
    return replace(usage, unread_counts=",".join(unread)) if unread else usage


def of_any(usage: Json, *, model: str = "") -> Usage:
    """Read a provider's usage object by its own field names, whoever logged it; of thinking, the model decides."""
    if "prompt_tokens" in usage:  # the most usual first
        return of_openai(usage, model=model)
    reader = next((reader for names, reader in _READERS if not names.isdisjoint(usage)), None)
    if reader is None and is_interaction(usage):
        return of_gemini(usage_metadata(usage))
    return of_openai(usage, model=model) if reader is None else reader(usage)


def total_of_input(usage: Json) -> Usage:
    """Read the usage of a call without output, where it counts nothing but a total."""
    total = read_count(usage, "total_tokens", "totalTokens")
    return NO_USAGE if total is None else disjoint_usage(total, 0)


def first_of(record: Json, *names: str) -> Any:
    """Return the first of these fields that is not null."""
    for name in names:
        value = record.get(name)
        if value is not None:
            return value
    return None


_GENERATED = ("candidatesTokenCount", "candidates_token_count", "responseTokenCount", "response_token_count")
_EXCLUSIVE = Convention.EXCLUSIVE  # members of enumerations are looked up slowly
_INTO = frozenset({"cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "text_tokens"})
_OUT_OF = frozenset(
    {"reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens", "text_tokens"}
)
_OPENAI_CHAT = frozenset(
    {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"}
)
_READERS: tuple[tuple[frozenset[str], Callable[[Json], Usage]], ...] = (
    (frozenset({"billed_units"}), of_cohere),
    (frozenset({"inputTokens", "inputTokenCount"}), of_bedrock),
    (frozenset({"promptTokenCount", "totalTokenCount", "prompt_token_count", "total_token_count"}), of_gemini),
    (frozenset({"prompt_eval_count", "eval_count"}), of_ollama),
    (
        frozenset({"cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation", "server_tool_use"}),
        of_anthropic,
    ),
)  # by the field names that identify a shape


def _by_modality(usage: Json, *names: str) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for detail in objects(first_of(usage, *names)):
        modality = text(detail.get("modality"))
        if modality is not None:
            tokens = read_count(detail, "tokenCount", "token_count") or 0
            found[modality.upper()] = found.get(modality.upper(), 0) + tokens
    return found
