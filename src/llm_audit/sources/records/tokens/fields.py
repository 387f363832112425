"""What the names of an object's fields tell of the tokens they count, worked out once for each set of names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from llm_audit.sources.records.disjoint import MAX_TOKENS, MOST_DIGITS
from llm_audit.sources.records.fields import Json
from llm_audit.sources.records.tokens.names import looks_like_tokens, normalize_name, token_kind

_MAX_SHAPES = 4096  # sets of keys remembered
_CONTAINERS = frozenset({"usage", "token_usage", "usage_metadata", "usage_details", "tokens"})


class Field(NamedTuple):
    """What the path of a field tells."""

    key: str
    path: str  # normalized
    own: tuple[str, int] | None  # the kind of tokens that it counts
    nested_kind: tuple[str, int] | None  # the same, in an object of counts alone
    is_count_in_text: bool  # where it is a text, that may be a number
    is_usage: bool
    is_details: bool
    may_count: bool  # tokens of no known kind
    within: str  # the path of what is in it


def _field(key: str, path: str) -> Field:
    own = token_kind(path)
    return Field(
        key=key,
        path=path,
        own=own,
        nested_kind=own or token_kind(f"tokens_{path}"),
        is_count_in_text=own is not None or "token" in path,
        is_usage="token" in path or "usage" in path or "cache" in path,
        is_details=path.endswith("details"),
        may_count=looks_like_tokens(path),
        within="" if path in _CONTAINERS else path,
    )


def fields_of(prefix: str, record: Json) -> tuple[Field, ...]:
    """Return the fields of an object; most logs repeat a few sets of keys."""
    shape = (prefix, tuple(record))
    found = _known.get(shape)
    if found is None:
        if len(_known) >= _MAX_SHAPES:
            _known.clear()
        start = f"{prefix}_" if prefix else ""
        found = _known[shape] = tuple(
            _field(key, start + normalize_name(key)) for key in record if isinstance(key, str)
        )
    return found


def plain_counts(record: Json) -> dict[str, int] | None:
    """Return the counts of an object whose fields are whole numbers, each of a kind of its own; None for any other."""
    shape = tuple(record)
    fields = _kinds.get(shape)
    if fields is None:
        if len(_kinds) >= _MAX_SHAPES:
            _kinds.clear()
        fields = _kinds[shape] = _kinds_of(fields_of("", record))
    found = {}
    for key, kind in fields:
        value = record[key]
        if type(value) is int:
            if not 0 <= value <= MAX_TOKENS:
                return None
            found[kind] = value
        elif type(value) is str and value.isdecimal() and len(value) < MOST_DIGITS:
            found[kind] = int(value)
        elif value is not None:
            return None
    return found if fields else None


def _kinds_of(fields: Sequence[Field]) -> tuple[tuple[str, str], ...]:
    """Return the fields with their kinds, where each has one of its own and may be a number in a string; else none."""
    named = {field.nested_kind[0]: field.key for field in fields if field.nested_kind and field.is_count_in_text}
    return tuple((key, kind) for kind, key in named.items()) if len(named) == len(fields) else ()


_known: dict[tuple[str, tuple[str, ...]], tuple[Field, ...]] = {}
_kinds: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
