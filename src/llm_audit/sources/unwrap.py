"""Records inside the records of log collectors, queues, databases and cloud services.

A record that no format recognises is searched, level by level, for one that a format does recognise: as an object, in
an array, or in a string (JSON, JSON behind a logger's prefix, base64, gzip). So no wrapper needs to be known by name.
Text of prompts and replies is never searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from llm_audit.sources.entry import Record
from llm_audit.sources.packed_text import plain, record_in

_LISTS = ("logEvents", "records", "Records", "events", "data", "items", "results", "value", "rows", "logs")
_TEXTS = ("message", "log", "@message", "line", "payload", "_raw", "RECORD_CONTENT")
# A provider's own body may have a field called data or message; it then says what it is.
_BODY = frozenset({"model", "usage", "object", "choices", "request", "response", "id"})
_SPAN = frozenset({"attributes", "spanContext", "context", "context.span_id", "traceId", "trace_id", "span_id"})
_NOT_WRAPPED = _BODY | _SPAN  # a span's events are its own
_CONTENT = frozenset(
    {
        "messages", "prompt", "prompts", "completion", "choices", "content", "contents", "parts", "input", "output",
        "inputs", "outputs", "tools", "tool_calls", "arguments", "answer", "query", "text", "request_text",
        "response_text", "OldImage",  # what a changed row was before
    }
)  # fmt: skip
_DEEPEST = 8
_MOST_PLACES = 512  # looked at in one record

Recognises = Callable[[Record], int | None]
"""Returns how narrow the signature is that a record has (1 the narrowest); None where it has none."""


class Found(NamedTuple):
    """A record, and the objects around it, the nearest first. None where the record was in no wrapper."""

    record: Record
    around: tuple[Record, ...]


def unwrap(record: Record, recognises: Recognises) -> Iterator[Found]:
    """Yield the records inside a wrapper, or the record itself where it is none."""
    if recognises(record) is not None:
        yield Found(record, ())
        return
    yield from _search(record, recognises, _DEEPEST) or _opened(record, ())


def _search(record: Record, recognises: Recognises, depth: int) -> list[Found] | None:
    """Return the recognised record nearest to the surface, or all the items of an array that holds one."""
    level: list[tuple[Record, tuple[Record, ...]]] = [(record, ())]
    places = 0
    while depth and level and places <= _MOST_PLACES:
        depth -= 1
        following: list[tuple[Record, tuple[Record, ...]]] = []
        best: tuple[int, Found] | None = None
        for holder, outer in level:
            around = (holder, *outer)
            for value in _values(holder):
                places += 1
                if isinstance(value, list):
                    items = _items(value, around, recognises, depth)
                    if items:
                        return items
                    continue
                rank = recognises(value)
                if rank is not None and (best is None or rank < best[0]):
                    best = rank, Found(value, around)
                following.append((value, around))
        if best is not None:
            return [best[1]]
        level = following
    return None


def _values(holder: Record) -> Iterator[Any]:
    """Yield the objects and arrays in an object, also those in its strings."""
    for name, value in holder.items():
        if name in _CONTENT:
            continue
        found = record_in(value) if isinstance(value, str) else value
        if isinstance(found, dict | list):
            yield plain(found) if isinstance(found, dict) else found


def _items(items: list[Any], around: tuple[Record, ...], recognises: Recognises, depth: int) -> list[Found] | None:
    """Return the records of an array in which at least one is recognised, be it in a wrapper of its own."""
    objects = [found for item in items if (found := _as_object(item)) is not None]
    if not objects or len(objects) < len(items):
        return None
    inside = [
        [Found(item, ())] if recognises(item) is not None else _search(item, recognises, depth) for item in objects
    ]
    if not any(inside):
        return None
    return [
        Found(found.record, (*found.around, *around))
        for item, records in zip(objects, inside, strict=True)
        for found in records or _opened(item, ())
    ]


def _as_object(item: Any) -> Record | None:
    """Return an item of an array as an object; a pair of a time and a line, as Loki writes it, is one."""
    found = record_in(item) if isinstance(item, str) else item
    if isinstance(found, list) and len(found) in (2, 3) and all(isinstance(part, str) for part in found[:2]):
        return {"timestamp": found[0], "line": found[1]}
    return plain(found) if isinstance(found, dict) else None


def _opened(record: Record, around: tuple[Record, ...]) -> Iterator[Found]:
    """Yield what a wrapper of a usual name holds where no format recognises it, so that all of it is counted."""
    inside = _listed(record) if _NOT_WRAPPED.isdisjoint(record) else None
    if inside is None:
        found = _written(record)
        inside = None if found is None else [found]
    if inside is None:
        yield Found(record, around)
        return
    for item in inside:
        yield from _opened(item, (record, *around))


def _listed(record: Record) -> list[Record] | None:
    for name in _LISTS:
        found = record.get(name)
        if isinstance(found, list) and found and all(isinstance(item, dict) for item in found):
            return found
    return None


def _written(record: Record) -> Record | None:
    for name in _TEXTS:
        text: Any = record.get(name)
        found = record_in(text) if isinstance(text, str) and text.lstrip()[:1] == "{" else None
        if isinstance(found, dict):
            return found
    return None
