"""Records that cloud services wrap: CloudWatch events, Azure and API exports, container logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from llm_audit.sources.decode import fast_decode
from llm_audit.sources.entry import Record

_LISTS = ("logEvents", "records", "Records", "events", "data", "items", "results", "value", "rows", "logs")
_TEXTS = ("message", "log", "@message")
_WRAPPERS = frozenset(_LISTS + _TEXTS)
# A provider's own body may have a field called data or message; it then says what it is.
_BODY = frozenset({"model", "usage", "object", "choices", "request", "response", "id"})
_SPAN = frozenset({"attributes", "spanContext", "context", "context.span_id", "traceId", "trace_id", "span_id"})
_NOT_WRAPPED = _BODY | _SPAN  # a span's events are its own


def is_plain(record: Record) -> bool:
    """Return whether the keys of a record alone rule out that it is a wrapper."""
    return _WRAPPERS.isdisjoint(record)


def unwrap(record: Record) -> Iterable[Record]:
    """Return the records inside a wrapper, or the record itself where it is none."""
    return (record,) if is_plain(record) else _unwrapped(record)


def _unwrapped(record: Record) -> Iterator[Record]:
    inside = _listed(record) if _NOT_WRAPPED.isdisjoint(record) else None
    if inside is None:
        found = _written(record)
        inside = None if found is None else [found]
    if inside is None:
        yield record
        return
    for item in inside:
        yield from unwrap(item)


def _listed(record: Record) -> list[Record] | None:
    for name in _LISTS:
        found = record.get(name)
        if isinstance(found, list) and found and all(isinstance(item, dict) for item in found):
            return found
    return None


def _written(record: Record) -> Record | None:
    """Return a record that is a string in another, as in CloudWatch and container logs."""
    for name in _TEXTS:
        text: Any = record.get(name)
        if isinstance(text, str) and text.lstrip()[:1] == "{":
            try:
                value = fast_decode(text)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if isinstance(value, dict):
                return value
    return None
