"""What a log format is: a signature, and how a record becomes entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from llm_audit.sources.entry import Entry, Record, Request


class Evidence(StrEnum):
    """What an adapter was checked against."""

    REAL = "real records"
    FIXTURE = "the project's own fixtures"
    RECONSTRUCTED = "documentation only; nesting unverified"


@dataclass(frozen=True, slots=True)
class FormatInfo:
    """What ``llm-audit formats`` says of a format."""

    name: str  # the word for --log-format, such as "litellm"
    title: str
    evidence: Evidence
    tells: tuple[str, ...] = ()  # of: time, id, prompts, cache, cost, latency, trace, team, service_tier
    notes: str = ""
    ordered: bool = False  # records depend on those before them: a file is never split


@dataclass(slots=True)
class Context:
    """Where a record stands. ``state`` is an ordered format's own memory within one file."""

    path: str
    line: int = 0
    state: dict[str, Any] = field(default_factory=dict)


class TypedRecord(msgspec.Struct):
    """A record as a layout decodes it: a base of structs made for some keys."""


@dataclass(frozen=True, slots=True)
class TypedReader:
    """How lines whose records share their keys, all of them, are decoded into a struct, and how that is read.

    ``decode`` raises what msgspec does where a line does not fit: other keys, or a value of other kind. ``read`` makes
    of a struct what the format's ``entries`` makes of the record, and raises as it does.
    """

    decode: Callable[[bytes], TypedRecord]
    read: Callable[[Any], Request]


@dataclass(frozen=True, slots=True)
class Format:
    """One log format. Modules in this package each hold one, as ``FORMAT``.

    ``matches`` says whether a decoded record carries the format's signature. ``entries`` yields what the record holds,
    at least one entry, and raises nothing but ``BadRecordError``. Every record of the format has one of ``keys`` at
    least, so that ``matches`` need not be asked about others; empty: nothing is promised. ``by_keys`` says that
    ``matches`` looks at the keys of a record alone. ``layout`` finds the shorter way, if there is one, for records with
    the keys of this one, which is of the format.
    """

    info: FormatInfo
    matches: Callable[[Record], bool]
    entries: Callable[[Record, Context], Iterator[Entry]]
    keys: frozenset[str] = frozenset()
    by_keys: bool = False
    layout: Callable[[Record], TypedReader | None] | None = None
