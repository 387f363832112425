"""Parts of a usage that a custom log counts in columns beside it: reasoning, sound, images and writes to a cache.

A part that the usage leaves open is taken where it fits the counts of the usage. What does not fit, or says something
else than the usage, is named as not used.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from llm_audit.sources.entry import NO_USAGE, Usage
from llm_audit.sources.records.column_names import Columns, columns_of
from llm_audit.sources.records.disjoint import MAX_TOKENS
from llm_audit.sources.records.fields import Json, as_int
from llm_audit.sources.records.tokens import perhaps_on_top, thinks
from llm_audit.sources.records.tokens.contradictions import named_as_unread, not_fitting

_REASONING = ("reasoning", "thoughts", "thinking")
_PARTS = ("audio_input", "audio_output", "image_input", "image_output")
_LIFETIMES = ("cache_write_5m", "cache_write_1h")


def with_parts_beside(usage: Usage, nested: Json, record: Json, columns: Columns, model: str) -> Usage:
    """Return the counts of a record's usage, ``nested``, with the parts of them that its columns count."""
    if usage is NO_USAGE or not nested:
        return usage
    has_total = as_int(nested.get(columns_of(nested).total)) is not None
    for kind in _REASONING:
        if count := _count(record, columns, kind):
            usage = _placed(usage, columns, kind, _with_reasoning(usage, kind, count, model, has_total=has_total))
    for kind in _PARTS:
        if count := _count(record, columns, kind):
            usage = _placed(usage, columns, kind, _WITH_PART[kind](usage, count))
    short, long = (_count(record, columns, kind) for kind in _LIFETIMES)
    if short or long:
        usage = _placed(usage, columns, _LIFETIMES[1 if long else 0], _with_lifetimes(usage, short, long))
    return usage


def _count(record: Json, columns: Columns, kind: str) -> int:
    """Return a column's count; 0 where it has none that is one."""
    return max(as_int(record.get(getattr(columns, kind))) or 0, 0)


def _placed(usage: Usage, columns: Columns, kind: str, found: Usage | None) -> Usage:
    """Return a usage with a part, or with its name where it does not fit."""
    return named_as_unread(usage, [not_fitting(getattr(columns, kind))]) if found is None else found


def _with_reasoning(usage: Usage, kind: str, count: int, model: str, *, has_total: bool) -> Usage | None:
    """Return a usage with its reasoning; None where it says another.

    Reasoning is a part of the output unless the total leaves room for it, or, where there is no total, its name or size
    tells that it is on top. Of Gemini's models neither is sure then.
    """
    if usage.reasoning_tokens is not None:
        return usage if usage.reasoning_tokens == count else None
    output = usage.output_tokens or 0
    placed = replace(usage, reasoning_tokens=count)
    hidden = usage.unexplained_tokens or 0
    if hidden and (hidden == count or kind == "thoughts" or thinks(model)):
        on_top = replace(placed, output_tokens=output + count, unexplained_tokens=hidden - count or None)
        return on_top if count <= hidden else None
    if has_total:
        return placed if count <= output + (usage.audio_output_tokens or 0) else None
    if count > output and "claude" in model.lower():
        return None  # whose output includes it: a budget
    if count > output or kind == "thoughts" or (kind == "thinking" and thinks(model)):
        return replace(placed, output_tokens=output + count) if count <= MAX_TOKENS else None
    return perhaps_on_top(placed) if thinks(model) else placed


def _with_audio_input(usage: Usage, count: int) -> Usage | None:
    fresh = usage.input_tokens or 0
    if usage.audio_input_tokens is not None:
        return usage if usage.audio_input_tokens == count else None
    if count > fresh + (usage.cache_read_tokens or 0):
        return None
    heard = min(count, fresh)  # the rest of it was read from the cache
    return replace(usage, input_tokens=fresh - heard, audio_input_tokens=heard)


def _with_audio_output(usage: Usage, count: int) -> Usage | None:
    output = usage.output_tokens or 0
    if usage.audio_output_tokens is not None:
        return usage if usage.audio_output_tokens == count else None
    return replace(usage, output_tokens=output - count, audio_output_tokens=count) if count <= output else None


def _with_image_input(usage: Usage, count: int) -> Usage | None:
    if usage.image_input_tokens is not None:
        return usage if usage.image_input_tokens == count else None
    fresh = usage.input_tokens or 0
    if count > fresh + (usage.cache_read_tokens or 0):
        return None
    return replace(usage, image_input_tokens=min(count, fresh))


def _with_image_output(usage: Usage, count: int) -> Usage | None:
    if usage.image_output_tokens is not None:
        return usage if usage.image_output_tokens == count else None
    return replace(usage, image_output_tokens=count) if count <= (usage.output_tokens or 0) else None


_WITH_PART: dict[str, Callable[[Usage, int], Usage | None]] = {
    "audio_input": _with_audio_input,
    "audio_output": _with_audio_output,
    "image_input": _with_image_input,
    "image_output": _with_image_output,
}


def _with_lifetimes(usage: Usage, short: int, long: int) -> Usage | None:
    """Return a usage whose writes to a cache, which it counts as a sum, are told apart; None where they are others."""
    written = usage.cache_write_5m_tokens or 0
    if usage.cache_write_1h_tokens is not None:
        return usage if short in (0, written) and long in (0, usage.cache_write_1h_tokens) else None
    if long > written or (short and short + long != written):
        return None
    return replace(usage, cache_write_5m_tokens=written - long, cache_write_1h_tokens=long or None)
