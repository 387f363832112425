"""Compiled readers of lines that are one JSON object of known keys, for what is plain in every way.

It walks a line once, sixteen bytes at a time where the machine can, and makes no dictionary. A line that is odd in any
way (an escaped key, a surrogate alone, a number of many digits, bytes that are no UTF-8, a key twice) is not read here
but by the decoder that reads such lines without a compiler, so that both give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import partial
from typing import Any, NamedTuple

from llm_audit.sources.entry import NO_USAGE, Request, Usage
from llm_audit.sources.records.fields import text
from llm_audit.sources.records.messages import LONGEST_PLACEHOLDER, is_placeholder
from llm_audit.vocabulary import Status, UsageSource

try:
    from llm_audit.sources.formats.plain.flat import _object
except ImportError:  # built only where a C compiler is available
    COMPILED = False
else:
    COMPILED = True

MAX_KEYS = 64


class Kind(IntEnum):
    """What a value may be; null always."""

    SCALAR = 0  # a text, a number or a truth value
    COUNT = 1  # a whole number of tokens
    NESTED = 2  # an object or array, whose bytes are converted
    ANY = 3  # the same, or a scalar
    MESSAGES = 4  # a list of objects of a role and a content, both texts


class Value(NamedTuple):
    """What a key's value may be, and what makes an object of its bytes, or a message of a role and a text."""

    kind: Kind
    make: Callable[..., Any] | None = None


def object_reader(make: Callable[..., Any], values: Mapping[str, Value]) -> Callable[[bytes], Any] | None:
    """Return a function that reads a line, or None where the line is odd; None where there is no such function.

    Args:
        make: Is called with the values of a line, in the order of ``values``.
        values: What each key's value may be. A line has all of these keys and no others.
    """
    plain = all(key.isascii() and key.isprintable() and not {'"', "\\"} & set(key) for key in values)
    if not COMPILED or not plain or not 0 < len(values) <= MAX_KEYS:
        return None
    keys = tuple(f'{key}"'.encode() for key in values)
    return partial(_object.read, _object.prepare(make, keys, tuple(values.values())))


def request_reader() -> Callable[[Any], Request | None]:
    """Return a function that makes a request of a record's values where each is plain, and else returns None.

    A value is plain where it has the form that most logs write: a time in UTC, an id of some length, a status code,
    counts that add up. Attribution is not read, and nothing is plain without a compiler.
    """
    if not COMPILED:
        return lambda _: None
    tools = (
        Request, Usage, NO_USAGE, text, is_placeholder, LONGEST_PLACEHOLDER, Status.OK.value, Status.ERROR.value,
        UsageSource.REPORTED,
    )  # fmt: skip
    return partial(_object.request, tools)
