"""Counts of one call that contradict each other: one of them is taken, and the other is named as not used.

What two names of one kind may well count differently is no contradiction: the input with and without what a cache
held, the output with and without reasoning, either with and without sound or images, a normalised count beside the
provider's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, combinations

from msgspec.structs import replace

from llm_audit.sources.entry import NO_USAGE, Usage
from llm_audit.sources.records.tokens.names import SAME_COUNTS, normalize_name

_WITH_INPUT = (
    "cached", "cache_read", "cache_write", "cache_created", "cache_write_5m", "cache_write_1h", "tool_input",
    "audio_input", "image_input",
)  # fmt: skip
_WITH_OUTPUT = ("reasoning", "thinking", "thoughts", "audio_output", "image_output")


def may_contradict(kind: str, name: str) -> bool:
    """Return whether a normalized name counts the whole input or output of a call, as another such name must."""
    return name in SAME_COUNTS.get(kind, ())


def contradicting(kinds: Mapping[str, int], others: Iterable[tuple[str, str, int]]) -> Iterator[str]:
    """Say which of the other counts (kind, name and count) cannot be true beside those that were taken."""
    for kind, name, count in dict.fromkeys(others):
        parts = [kinds[part] for part in (_WITH_INPUT if kind == "input" else _WITH_OUTPUT) if kinds.get(part)]
        if count not in _with_or_without(kinds[kind], parts):
            yield _words(kind, name)


def with_contradictions(usage: Usage, beside: Mapping[str, tuple[str, object]]) -> Usage:
    """Return a usage that names the counts beside it which cannot be of the same call.

    Args:
        usage: Disjoint counts.
        beside: For the kinds ``input`` and ``output``, the key and the value of the field beside the usage.
    """
    if usage is NO_USAGE or usage.input_tokens is None:
        return usage
    cached = (usage.cache_read_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens)
    into = (*cached, usage.audio_input_tokens, usage.image_input_tokens)
    out_of = (usage.reasoning_tokens, usage.audio_output_tokens, usage.image_output_tokens)
    whole = {
        "input": (usage.input_tokens, [part for part in into if part]),
        "output": (usage.output_tokens or 0, [part for part in out_of if part]),
    }
    found = [
        _words(kind, name)
        for kind, (key, value) in beside.items()
        if may_contradict(kind, name := normalize_name(key))
        and type(value) is int
        and value > 0
        and value not in _with_or_without(*whole[kind])
    ]
    return named_as_unread(usage, found)


def named_as_unread(usage: Usage, names: Iterable[str]) -> Usage:
    """Return a usage with more fields that were not used."""
    return replace(usage, unread_counts=",".join(found)) if (found := [*_unread(usage), *names]) else usage


def _unread(usage: Usage) -> list[str]:
    return usage.unread_counts.split(",") if usage.unread_counts else []


def not_fitting(key: str) -> str:
    """Return in words that a field beside a usage cannot count a part of it, or says something else than it."""
    return f"{normalize_name(key)} beside a usage that it does not fit"


def _words(kind: str, name: str) -> str:
    return f"{name} beside another {kind} count"


def _with_or_without(count: int, parts: list[int]) -> set[int]:
    """Return a count with or without any of its parts."""
    sums = {sum(some) for some in chain.from_iterable(combinations(parts, size) for size in range(len(parts) + 1))}
    return {count + part for part in sums} | {count - part for part in sums}
