"""Attributes of spans: their dotted names, and what sets of names tell, worked out once for each set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from llm_audit.sources.records.fields import Json

_DEEPEST = 8  # levels of nested attributes; real ones have five
_METADATA = (
    "traceloop.association.properties.",
    "ai.telemetry.metadata.",
    "langfuse.trace.metadata.",
    "langfuse.observation.metadata.",
    "metadata.",
)
_USAGE = ("gen_ai.usage.", "llm.usage.")
_GEN_AI = ("gen_ai.", "llm.request.", "llm.usage.")
_INDEX_DIGITS = 7  # more than the number of a message
_MAX_SHAPES = 4096  # sets of names remembered
_FLAT = frozenset({str, int, float, bool, list})
OWN = (
    ("gen_ai.conversation.id", "session.id", "langfuse.session.id"),
    ("gen_ai.application_name", "ai.telemetry.functionId", "gen_ai.agent.name"),
    ("user.id", "enduser.id", "langfuse.user.id", "gen_ai.request.user"),
    ("gen_ai.environment",),
    ("metadata",),
)
"""Names that say whose a span is: its conversation, app, user and environment, and the caller's own metadata."""


def flatten(attributes: Json) -> Json:
    """Give nested attributes dotted names. Lists stay lists; nulls are left out."""
    for item in attributes.values():
        if type(item) not in _FLAT:
            flat: dict[str, Any] = {}
            _flatten(attributes, "", flat, 0)
            return flat
    return attributes


def indexed(attributes: Json, prefix: str) -> list[dict[str, Any]]:
    """Collect ``prefix.0.…``, ``prefix.1.…`` as a list of objects with the rest of the name as key, by number."""
    if prefix not in names_of(attributes).numbered:
        return []
    found: dict[int, dict[str, Any]] = {}
    start = f"{prefix}."
    for name, value in attributes.items():
        if name.startswith(start):
            index, _, rest = name[len(start) :].partition(".")
            if _is_index(index) and rest:
                found.setdefault(int(index), {})[rest] = value
    return [found[index] for index in sorted(found)]


class Names(NamedTuple):
    """What the names of a span's attributes tell, whatever their values.

    Attributes:
        numbered: The prefixes that ``indexed`` finds.
        metadata: Names of the caller's own metadata, each with the key that the caller gave.
        usage: Names of token counts, each without its prefix.
        is_gen_ai: Whether any name is of generative AI.
        has_owner: Whether any says whose the span is, or of which conversation.
    """

    numbered: frozenset[str]
    metadata: tuple[tuple[str, str], ...]
    usage: tuple[tuple[str, str], ...]
    is_gen_ai: bool
    has_owner: bool


def names_of(attributes: Json) -> Names:
    """Return what the names of attributes tell; most spans of a log have one of a few sets of names."""
    names = tuple(attributes)
    found = _known.get(names)
    if found is None:
        if len(_known) >= _MAX_SHAPES:
            _known.clear()
        found = _known[names] = Names(
            numbered=frozenset(prefix for name in names for prefix in _numbered(name)),
            metadata=tuple(
                (name, name.removeprefix(prefix)) for name in names for prefix in _METADATA if name.startswith(prefix)
            ),
            usage=tuple((name, name.partition(".usage.")[2]) for name in names if name.startswith(_USAGE)),
            is_gen_ai=any(name.startswith(_GEN_AI) for name in names),
            has_owner=any(name in attributes for group in OWN for name in group),
        )
    return found


def _numbered(name: str) -> Iterator[str]:
    """Yield what stands before each number in a name that has more after it."""
    parts = name.split(".")
    for place, part in enumerate(parts[:-1]):
        if place and _is_index(part) and (len(parts) > place + 2 or parts[-1]):
            yield ".".join(parts[:place])


def _is_index(part: str) -> bool:
    return part.isdecimal() and len(part) < _INDEX_DIGITS


def _flatten(value: Json, prefix: str, flat: dict[str, Any], depth: int) -> None:
    for name, item in value.items():
        if type(item) not in _FLAT and isinstance(item, Mapping) and depth < _DEEPEST:
            _flatten(item, f"{prefix}{name}.", flat, depth + 1)
        elif item is not None:
            flat[f"{prefix}{name}"] = item


_known: dict[tuple[str, ...], Names] = {}
