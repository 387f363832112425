"""The names that logs give token counts, and the kind of tokens that each of them counts.

Names are compared in one form: ``promptTokens``, ``Prompt Tokens`` and ``prompt-tokens`` are ``prompt_tokens``, and a
nested name is the path to it, so that ``{"cache_read": {"input_tokens": 1}}``, ``cache_read.input_tokens`` and
``cacheReadInputTokens`` are all ``cache_read_input_tokens``.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[\s.\-/@()_]+")
_INTO = re.compile(r"(?:^|_)(?:prompt|input)_(?:tokens?_)?details_(.+)$")
_OUT_OF = re.compile(r"(?:^|_)(?:completion|output|response)_(?:tokens?_)?details_(.+)$")
_CACHED_DETAILS = re.compile(r"(?:^|_)(?:cached_tokens?|cache_tokens?|cache_read_tokens?)_details_(.+)$")
_OWN_DETAILS = re.compile(r"^(?:usage_)?details_(.+)$")
_COPIED = re.compile(r"^(?:usage_)?(?:experimental|anthropic|openai|(original_usage|native_usage|raw_usage|raw))_(.+)$")
_MAX_REMEMBERED = 1 << 14

COLUMNS: dict[str, tuple[str, ...]] = {
    "input": (
        "input_tokens", "native_tokens_prompt",  # OpenRouter's own, which it bills, beside normalised ones
        "prompt_tokens", "tokens_in", "tokens_prompt", "tokens_input", "input_token_count",
        "prompt_token_count", "num_input_tokens", "n_input_tokens", "num_prompt_tokens", "request_tokens",
        "context_tokens", "in_tokens", "message_tokens", "input_text_tokens", "input_tokens_total", "n_prompt_tokens",
        "prompt_token", "llm_prompt_tokens", "tokens_granular_input",
        "usage_prompt_tokens", "usage_input_tokens", "response_usage_prompt_tokens", "response_usage_input_tokens",
        "usage_metadata_prompt_token_count", "response_usage_metadata_prompt_token_count",  # as flat tables have it
    ),
    "output": (
        "output_tokens", "native_tokens_completion",
        "completion_tokens", "tokens_out", "tokens_completion", "tokens_output", "output_token_count",
        "completion_token_count", "num_output_tokens", "n_output_tokens", "num_completion_tokens", "response_tokens",
        "generated_tokens", "out_tokens", "answer_tokens", "candidates_token_count", "output_tokens_total",
        "n_completion_tokens", "completion_token", "llm_completion_tokens", "tokens_granular_output",
        "usage_completion_tokens", "usage_output_tokens",
        "response_usage_completion_tokens", "response_usage_output_tokens", "usage_metadata_candidates_token_count",
        "response_usage_metadata_candidates_token_count", "response_token_count",  # of Gemini's Live API
    ),
    "cached": (  # by their name a part of the input
        "cached_tokens", "native_tokens_cached",
        "cached_input_tokens", "prompt_cached_tokens", "input_cached_tokens", "tokens_cached",
        "cached_prompt_tokens", "num_cached_tokens", "cached_content_token_count", "cached_read_tokens",
        "input_tokens_cached", "prompt_tokens_cached", "cached_content_tokens", "cache_tokens", "cached_token_count",
        "usage_metadata_cached_content_token_count", "response_usage_metadata_cached_content_token_count",
    ),
    "cache_read": (
        "cache_read_tokens", "cache_read_input_tokens", "cache_read", "cache_hit_tokens", "prompt_cache_hit_tokens",
        "prompt_cache_read_tokens", "cached_read", "cache_read_input_token_count", "input_cache_read_tokens",
        "input_cache_read", "cache_read_token_count", "tokens_cache_read", "cache_reads", "input_tokens_cache_read",
        "usage_cache_read_input_tokens", "response_usage_cache_read_input_tokens", "usage_prompt_cache_hit_tokens",
        "response_usage_prompt_cache_hit_tokens",
    ),
    "cache_write": (  # of the default lifetime, or of all where lifetimes are told apart
        "cache_write_tokens", "cache_creation_tokens", "cache_write_input_tokens",
        "cache_write", "cache_creation", "prompt_cache_write_tokens", "cached_write_tokens", "cached_write",
        "cache_write_input_token_count", "input_cache_creation_tokens", "input_cache_creation", "tokens_cache_write",
        "cache_writes", "input_cache_write_tokens", "input_w_cache_write", "cached_creation_tokens",
        "input_cache_write", "input_tokens_cache_write", "input_tokens_cache_creation",
        "usage_cache_write_input_tokens", "response_usage_cache_write_input_tokens",
    ),
    "cache_created": (  # of all lifetimes
        "cache_creation_input_tokens", "prompt_cache_creation_tokens", "usage_cache_creation_input_tokens",
        "response_usage_cache_creation_input_tokens",
    ),
    "cache_write_5m": (
        "cache_write_5m_tokens", "cache_creation_5m_tokens", "ephemeral_5m_input_tokens",
        "prompt_cache_creation_5m_tokens",
    ),
    "cache_write_1h": (
        "cache_write_1h_tokens", "cache_creation_1h_tokens", "ephemeral_1h_input_tokens",
        "prompt_cache_creation_1h_tokens",
    ),
    "fresh": (  # what is left of the input without the cached tokens
        "uncached_input_tokens", "input_uncached_tokens", "uncached_tokens", "prompt_cache_miss_tokens",
        "usage_prompt_cache_miss_tokens", "response_usage_prompt_cache_miss_tokens",
        "input_w_o_cache_write", "non_cached_input_tokens", "fresh_input_tokens", "input_tokens_no_cache",
    ),
    "tool_input": ("tool_use_prompt_token_count", "tool_use_prompt_tokens"),
    "reasoning": (
        "reasoning_tokens", "native_tokens_reasoning",
        "tokens_reasoning", "reasoning_output_tokens", "output_reasoning_tokens", "output_tokens_reasoning",
        "reasoning_token_count", "completion_reasoning_tokens", "usage_reasoning_tokens",
        "response_usage_reasoning_tokens",
    ),
    "thinking": ("thinking_tokens", "tokens_thinking", "thinking_token_count"),  # of Gemini, beside its output
    "thoughts": (  # Gemini's own name for them
        "thoughts_token_count", "thoughts_tokens", "tokens_thoughts", "usage_metadata_thoughts_token_count",
        "response_usage_metadata_thoughts_token_count",
    ),
    "audio_input": ("input_audio_tokens", "audio_input_tokens", "prompt_audio_tokens"),
    "audio_output": ("output_audio_tokens", "audio_output_tokens", "completion_audio_tokens"),
    "image_input": ("input_image_tokens", "image_input_tokens", "prompt_image_tokens"),
    "image_output": (
        "output_image_tokens", "image_output_tokens", "completion_image_tokens", "native_tokens_completion_images",
    ),
    "total": (
        "total_tokens", "tokens_total", "total_token_count", "tokens", "tokens_used", "computed_total_tokens",
        "usage_total_tokens", "response_usage_total_tokens", "usage_metadata_total_token_count",
        "response_usage_metadata_total_token_count",
    ),
}  # fmt: skip
"""Kinds of tokens by the names they go by as columns of their own, the most specific first."""

SAME_COUNTS = {
    "input": frozenset(COLUMNS["input"])
    - {"native_tokens_prompt", "request_tokens", "context_tokens", "message_tokens", "input_text_tokens"},
    "output": frozenset(COLUMNS["output"])
    - {"native_tokens_completion", "response_tokens", "generated_tokens", "answer_tokens", "candidates_token_count"},
}
"""Names by which the whole input or output of a call is counted, so that of two of them one is wrong if they differ."""

_INTO_KINDS = {
    "cached": ("cached", "cache_read", "cached_read", "cache_hit", "cached_input", "cache_read_input", "cached_prompt"),
    "cache_created": (
        "cache_write", "cache_creation", "cached_write", "cached_creation", "cache_write_input", "cache_creation_input",
    ),
    "fresh": ("uncached", "fresh", "non_cached", "no_cache"),
    "audio_input": ("audio", "input_audio"),
    "image_input": ("image", "input_image"),
}  # fmt: skip
_OUT_OF_KINDS = {
    "reasoning": ("reasoning", "thinking", "thoughts"),
    "audio_output": ("audio", "output_audio"),
    "image_output": ("image", "output_image"),
}
_KINDS = {name: (kind, rank) for kind, names in COLUMNS.items() for rank, name in enumerate(names, start=1)}
_OF_INPUT, _OF_OUTPUT = (
    {leaf: kind for kind, leaves in kinds.items() for leaf in leaves} for kinds in (_INTO_KINDS, _OUT_OF_KINDS)
)
_OWN = {"input_tokens": "own_input", "prompt_tokens": "own_input"}  # as the provider counts, beside a library's sum
_INSIDE = {"thoughts_tokens": "reasoning", "thinking_tokens": "reasoning"}  # pydantic-ai's details of its own output
_WHOLE = frozenset({"input", "output", "total"})  # which a copy of the provider's usage repeats
_LIFETIMES = {"ephemeral_5m_input_tokens": "cache_write_5m", "ephemeral_1h_input_tokens": "cache_write_1h"}
_PARTS = re.compile(r"(?:^|_)(?:text|video|document|accepted_prediction|rejected_prediction|template)(?:_tokens?)?$")
_NOT_COUNTS = re.compile(
    r"(?:^|_)(?:max|min|limit|limits|budget|remaining|cost|costs|price|prices|rate|ratio|per|id|ids|name|type|time|ms|"
    r"seconds|window|avg|average|mean|p50|p90|p95|p99|share|percent|hash|key|auth|access|api|bearer|estimated|"
    r"estimate|speed|probs|logprobs|quota|first|inter|ttft|tps|throughput|requests|calls|count_method|cumulative|"
    r"session|running|messages?_count|by|at)(?:_|$)"
)
"""Words in the names of numbers that are about tokens and count none of this call's."""


def normalize_name(name: str) -> str:
    """Return a name in the form in which names are compared.

    >>> normalize_name("Input (w/o Cache Write)"), normalize_name("cacheReadInputTokens")
    ('input_w_o_cache_write', 'cache_read_input_tokens')
    """
    return _SEPARATORS.sub("_", _CAMEL.sub("_", name)).lower().strip("_")


@lru_cache(maxsize=_MAX_REMEMBERED)
def token_kind(path: str) -> tuple[str, int] | None:
    """Return the kind of tokens that a normalized path counts, and how specific its name is (0 most); None for others.

    >>> token_kind("input_token_details_cache_read"), token_kind("completion_tokens_details_image_tokens")
    (('cached', 0), ('image_output', 0))
    """
    for name, kind in _LIFETIMES.items():
        if path.endswith(name):
            return kind, 0
    if found := _CACHED_DETAILS.search(path):
        return ("cached_audio", 0) if _leaf(found[1]) == "audio" else None
    for details, kinds in ((_INTO, _OF_INPUT), (_OUT_OF, _OF_OUTPUT)):
        if found := details.search(path):
            part = kinds.get(_leaf(found[1]))
            return None if part is None else (part, 0)
    if copied := _COPIED.match(path):
        found_kind = token_kind(copied[2])
        return None if found_kind is None or found_kind[0] in _WHOLE else found_kind
    if own := _OWN_DETAILS.match(path):
        named = _OWN.get(own[1]) or _INSIDE.get(own[1])
        return (named, 0) if named else _KINDS.get(own[1])
    return _KINDS.get(path)


@lru_cache(maxsize=_MAX_REMEMBERED)
def looks_like_tokens(path: str) -> bool:
    """Return whether a number under a normalized path seems to count tokens of its call, though not of a known kind.

    >>> [looks_like_tokens(name) for name in ("cache_storage_tokens", "max_tokens", "prompt_tokens", "text_tokens")]
    [True, False, False, False]
    """
    if (copied := _COPIED.match(path)) and copied[1]:
        return looks_like_tokens(copied[2])
    if token_kind(path) or _PARTS.search(path) or _NOT_COUNTS.search(path):
        return False
    return "token" in path


def _leaf(name: str) -> str:
    return name.removesuffix("_count").removesuffix("_tokens").removesuffix("_token")
