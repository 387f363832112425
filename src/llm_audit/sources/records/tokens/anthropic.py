"""The usage of Anthropic's own API, read by the names that it has and no others; ``usage.of_anthropic`` reads any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llm_audit.sources.entry import Usage
from llm_audit.sources.records.disjoint import plain_counts
from llm_audit.sources.records.fields import Json
from llm_audit.vocabulary import UsageSource

_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_LIFETIMES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
_SERVER_TOOLS = ("web_search_requests", "web_fetch_requests")
_WORDS = ("service_tier", "inference_geo", "speed")
_NAMES = frozenset({*_COUNTS, *_WORDS, "cache_creation", "server_tool_use", "iterations"})
_KNOWN_WORDS = frozenset(
    {None, "", "standard", "priority", "batch", "fast", "not_available", "global", "us", "eu", "default"}
)
_REPORTED: Final = UsageSource.REPORTED  # members of enums are looked up slowly
_NOT_SPLIT = (None, None)


def plain_anthropic_usage_in_python(usage: Json) -> Usage | None:
    """Return the usage of plain counts under Anthropic's names alone; None where anything else is among them."""
    counts = plain_counts(usage, _COUNTS)
    if counts is None or not usage.keys() <= _NAMES or not _says_nothing_else(usage):
        return None
    fresh, output, read, created = counts
    split = _counts_of(usage.get("cache_creation"), _LIFETIMES)
    tools = _counts_of(usage.get("server_tool_use"), _SERVER_TOOLS)
    if split is None or tools is None or (fresh is None and output is None):
        return None
    short, long = split
    return Usage(
        usage_source=_REPORTED,
        input_tokens=fresh,
        cache_read_tokens=read,
        cache_write_5m_tokens=short if created is None else max(created - (long or 0), short or 0),
        cache_write_1h_tokens=long,
        output_tokens=output,
        tool_calls_billed=tools[0],
    )


def _says_nothing_else(usage: Json) -> bool:
    """Return whether what is no count holds none, as JSON in a text may."""
    if len(usage) <= len(_COUNTS) and usage.keys() <= _ONLY_COUNTS:
        return True
    for name in _WORDS:
        value = usage.get(name)
        if not (value is None or type(value) is str) or value not in _KNOWN_WORDS:
            return False
    return type(usage.get("iterations", _NO_ITEMS)) is list


def _counts_of(record: object, names: tuple[str, ...]) -> tuple[int | None, ...] | None:
    """Return an object's counts, of which it has no others; None where it has."""
    if record is None:
        return _NOT_SPLIT
    found = plain_counts(record, names)
    return found if found is not None and isinstance(record, dict) and record.keys() <= set(names) else None


_ONLY_COUNTS = frozenset(_COUNTS)
_NO_ITEMS: Final[list[object]] = []

plain_anthropic_usage: Callable[[Json], Usage | None]
try:
    from llm_audit.sources.records import _fields
except ImportError:  # built only where a C compiler is available; the Python form returns the same
    plain_anthropic_usage = plain_anthropic_usage_in_python
else:
    _fields.prepare_usage(Usage, _REPORTED)
    _fields.prepare_anthropic(_KNOWN_WORDS)
    plain_anthropic_usage = _fields.plain_anthropic_usage
