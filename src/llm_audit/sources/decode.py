"""Decoding of a line, or of one JSON value, into records. What cannot be read is an entry with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from llm_audit.sources.entry import Reason, Record, Rejected

Item = Record | Rejected

fast_decode = msgspec.json.Decoder().decode
_lenient = json.JSONDecoder()

_NOT_JSON = Rejected(Reason.NOT_JSON)
_NOT_AN_OBJECT = Rejected(Reason.NOT_AN_OBJECT)
_FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode(raw: bytes) -> Iterator[Item]:
    """Yield the records in one line or value.

    Usually that is one object. An array holds several, and so does a line to which several were written without a
    line break. Numbers out of range, NaN, invalid UTF-8 and lone surrogates are tolerated as far as Python's own
    decoder does; of equal keys the last counts.
    """
    try:
        value = fast_decode(raw)
    except _FAILURES:
        yield from _decode_leniently(raw)
        return
    yield from _objects(value)


def _objects(value: Any) -> Iterator[Item]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list) and value:
        for item in value:
            yield item if isinstance(item, dict) else _NOT_AN_OBJECT
    else:
        yield _NOT_AN_OBJECT


def _decode_leniently(raw: bytes) -> Iterator[Item]:
    text = raw.decode(errors="replace")
    values = []
    position, end = _skip_blanks(text, 0), len(text.rstrip())
    try:
        while position < end:
            value, position = _lenient.raw_decode(text, position)
            values.append(_without_surrogates(value) if b"\\u" in raw else value)
            position = _skip_blanks(text, position)
    except (ValueError, RecursionError):
        values.clear()
    if not values:
        yield _NOT_JSON
    for value in values:
        yield from _objects(value)


def _skip_blanks(text: str, position: int) -> int:
    while text[position : position + 1].isspace():
        position += 1
    return position


def _without_surrogates(value: Any) -> Any:
    """Replace lone surrogates: half of a surrogate pair cannot be encoded."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
