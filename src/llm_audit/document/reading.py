"""Read a document that anyone may have written: what does not fit is named by its path."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")
_MAX_DEPTH = 32  # a document has 5
_TIMES = frozenset({"date", "first_day", "last_day", "since", "start", "end"})
_YEARS = range(1970, 2200)


def read(data: bytes, kind: type[_T], *, extra_fields: bool = False) -> _T:
    """Read JSON as a type.

    Args:
        data: The JSON.
        kind: The type of the document.
        extra_fields: Accept fields that the type does not have, as those of a later version.

    Raises:
        msgspec.DecodeError: It is not valid; the message ends with the path of the field at fault.
    """
    try:
        found = msgspec.json.decode(data, type=kind)
        raw = msgspec.json.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise msgspec.DecodeError(_malformed(data, error)) from None
    except RecursionError:
        raise msgspec.DecodeError(_too_deep()) from None
    for path, value in _values(raw, "$"):
        if path.rpartition(".")[2] in _TIMES and isinstance(value, str) and not _is_time(value):
            raise msgspec.ValidationError(f"{value[:40]!r} is not a date or time - at `{path}`")
    if not extra_fields and (unknown := _unknown(raw, msgspec.to_builtins(found), "$")):
        raise msgspec.ValidationError(f"Object contains a field that no audit has - at `{unknown}`")
    return found


def _malformed(data: bytes, error: msgspec.DecodeError) -> str:
    """Return what is wrong with JSON; other tools write numbers that are not finite, and are told where."""
    try:
        raw = json.loads(data)
    except RecursionError:
        return _too_deep()
    except ValueError:
        return str(error)
    for path, value in _values(raw, "$"):
        if isinstance(value, float) and not math.isfinite(value):
            return f"{value} is not a number that JSON can hold - at `{path}`"
    return str(error)


def _too_deep() -> str:
    return f"its values are nested more than {_MAX_DEPTH} deep"


def _values(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the path and value of every leaf."""
    if depth > _MAX_DEPTH:
        raise msgspec.DecodeError(f"{_too_deep()} - at `{path[:80]}`")
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _values(item, f"{path}.{name}", depth + 1)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _values(item, f"{path}[{number}]", depth + 1)
    else:
        yield path, value


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).year in _YEARS
    except (ValueError, OverflowError):
        return False


def _unknown(raw: Any, known: Any, path: str) -> str | None:
    """Return the path of the first field of ``raw`` that was not read into ``known``."""
    if isinstance(raw, dict) and isinstance(known, dict):
        for name, value in raw.items():
            if name not in known:
                return f"{path}.{name}"
            if found := _unknown(value, known[name], f"{path}.{name}"):
                return found
    elif isinstance(raw, list) and isinstance(known, list):
        for number, (value, kept) in enumerate(zip(raw, known, strict=False)):
            if found := _unknown(value, kept, f"{path}[{number}]"):
                return found
    return None
