"""Decoding of a line, or of one JSON value, into records. What cannot be read is an entry with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from llm_audit.sources.entry import Reason, Record, Rejected
from llm_audit.sources.python_values import object_at_end

Item = Record | Rejected

fast_decode = msgspec.json.Decoder().decode
_lenient = json.JSONDecoder()
_FIRST_KEY = re.compile(r'\s*\{\s*"([^"\\]{1,99})"')
_FIRST_KEY_OF = r'\{{\s*"{}"\s*:'
_MAX_STARTS = 8  # places tried after damage

_LONGEST_PREFIX = 512  # bytes that a logger writes before an object
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)?")

_FRAME = re.compile(r"(?:\{[^{}\[\]]*)?\[|\]\s*\}?,?")  # a line that begins or ends a list of which each item is a line

_NOT_JSON = Rejected(Reason.NOT_JSON)
_NOT_AN_OBJECT = Rejected(Reason.NOT_AN_OBJECT)
_FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode(raw: bytes) -> Iterator[Item]:
    """Yield the records in one line or value.

    Usually that is one object. An array holds several, and so does a line to which several were written without a
    line break. A list may be written an item a line, with commas between them. Numbers out of range, NaN, invalid UTF-8
    and lone surrogates are tolerated as far as Python's own decoder does; of equal keys the last counts.
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
    if _FRAME.fullmatch(text.strip()):
        return
    values = []
    position, end = _skip_blanks(text, 0), len(text.rstrip())
    try:
        while position < end:
            value, position = _lenient.raw_decode(text, position)
            values.append(_without_surrogates(value) if b"\\u" in raw else value)
            position = _skip_blanks(text, position, comma=isinstance(value, dict))
        damaged = not values
    except (ValueError, RecursionError):
        damaged = True
    if damaged and not any(isinstance(value, dict) for value in values):
        if record := _behind_a_prefix(text):
            yield record
            return
        values.clear()
    for value in values:
        yield from _objects(value)
    if damaged:
        yield from _after_damage(text[position:] if values else text)


def _after_damage(text: str) -> Iterator[Item]:
    """Yield what cannot be read, and the records after it where one was written into the middle of another."""
    if first := _FIRST_KEY.match(text):
        again = re.compile(_FIRST_KEY_OF.format(re.escape(first[1])))
        for start in islice((found.start() for found in again.finditer(text, 1)), _MAX_STARTS):
            rest = text[start:].encode()
            try:
                value = fast_decode(rest)
            except _FAILURES:
                continue
            yield Rejected(Reason.NOT_JSON, unread_bytes=len(text[:start].encode()))
            yield from _objects(value)
            return
    yield _NOT_JSON


def _behind_a_prefix(text: str) -> Record | None:
    """Return the object at the end of a line that a logger or a container runtime began, as ``message``, and its time.

    >>> _behind_a_prefix('2026-11-02T10:00:01.123456789Z stdout F {"n": 1}')
    {'timestamp': '2026-11-02T10:00:01.123456789Z', 'message': {'n': 1}}
    """
    if printed := object_at_end(text):
        return _with_time(*printed)
    brace = text.find("{", 0, _LONGEST_PREFIX)
    try:
        value = _lenient.decode(text[brace:]) if brace > 0 else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return None
    return _with_time(text[:brace], value)


def _with_time(prefix: str, value: Any) -> Record:
    time = _TIME.match(prefix)
    found = _without_surrogates(value)
    return {"timestamp": time[0], "message": found} if time else {"message": found}


def _skip_blanks(text: str, position: int, *, comma: bool = False) -> int:
    while text[position : position + 1].isspace():
        position += 1
    return _skip_blanks(text, position + 1) if comma and text[position : position + 1] == "," else position


def _without_surrogates(value: Any) -> Any:
    """Replace lone surrogates: half of a surrogate pair cannot be encoded."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
