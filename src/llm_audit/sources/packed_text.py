"""Records in text: JSON, JSON behind a logger's prefix, JSON of JSON, base64 and gzip; and typed JSON of databases."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from llm_audit.sources.decode import fast_decode
from llm_audit.sources.entry import Record
from llm_audit.sources.files.limits import MAX_RECORD_BYTES
from llm_audit.sources.python_values import object_at_end

_FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_BASE64_OF_JSON = ("ey", "ew", "W3", "Wy", "H4sI")  # of a brace, a bracket, the magic bytes of gzip
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+=*\s*")
_GZIP = b"\x1f\x8b"
_LONGEST_PREFIX = 512  # of a logger, before the JSON of its message
_DEEPEST = 4  # JSON in a string in a string
_DEEPEST_TYPED = 32
_DYNAMODB = frozenset({"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"})
_MONGO_NUMBERS = frozenset({"$numberLong", "$numberInt", "$numberDouble", "$numberDecimal"})
_MONGO = _MONGO_NUMBERS | {"$oid", "$date", "$uuid"}


def record_in(text: str, *, depth: int = 0) -> Any:
    """Return the object or array that a text holds; None where it holds none."""
    start = text.lstrip()[:4]
    if start[:1] in ("{", "[", '"'):
        return _opened(_decoded(text), depth)
    if start.startswith(_BASE64_OF_JSON) and _BASE64.fullmatch(text):
        return _opened(_decoded(_unpacked(text)), depth)
    if printed := object_at_end(text):
        return _opened(printed[1], depth)
    brace = text.find("{", 0, _LONGEST_PREFIX)
    return _opened(_decoded(text[brace:].rstrip()), depth) if brace > 0 and text.rstrip()[-1:] == "}" else None


def plain(record: Record) -> Record:
    """Return a record of MongoDB's or DynamoDB's typed JSON as plain JSON, and any other as it is."""
    return _plain(record) if _may_be_typed(record) else record


def _has_single(record: Record) -> bool:
    return any(type(value) is dict and len(value) == 1 for value in record.values())


_may_be_typed: Callable[[Record], bool] = _has_single
with suppress(ImportError):  # built only where a C compiler is available
    from llm_audit.sources.records._fields import has_single as _may_be_typed


def _plain(record: Record) -> Record:
    singles = [value for value in record.values() if type(value) is dict and len(value) == 1]
    names = {name for value in singles for name in value}
    typed = not names.isdisjoint(_MONGO) or (len(singles) == len(record) and names <= _DYNAMODB)
    return {name: _untyped(item, depth=0) for name, item in record.items()} if typed else record


def _untyped(value: Any, *, depth: int) -> Any:
    if depth > _DEEPEST_TYPED:
        return None
    if isinstance(value, list):
        return [_untyped(item, depth=depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name, inner), *_ = value.items()
        if name in _DYNAMODB or name in _MONGO:
            return _value(name, inner, depth)
    return {name: _untyped(item, depth=depth + 1) for name, item in value.items()}


def _value(name: str, inner: Any, depth: int) -> Any:
    if name == "M" and isinstance(inner, dict):
        return {key: _untyped(item, depth=depth + 1) for key, item in inner.items()}
    if name == "L":
        return _untyped(inner, depth=depth + 1)
    if name == "NULL":
        return None
    if name == "N" or name in _MONGO_NUMBERS:
        return _number(inner)
    return _untyped(inner, depth=depth + 1)  # a date of MongoDB may be a number of its own


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        try:
            return float(value)
        except ValueError:
            return value


def _opened(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return record_in(value, depth=depth + 1) if depth < _DEEPEST else None
    if isinstance(value, dict):
        return plain(value)
    return value if isinstance(value, list) else None


def _decoded(raw: str | bytes | None) -> Any:
    try:
        return None if raw is None else fast_decode(raw)
    except _FAILURES:
        return None


def _unpacked(text: str) -> bytes | None:
    packed = "".join(text.split()).replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
        if not raw.startswith(_GZIP):
            return raw
        unzipped = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        found = unzipped.decompress(raw, MAX_RECORD_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        return None
    return found if unzipped.eof else None  # cut, or larger than any record
