"""The interface of a log format: its signature, and the reader of its records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

import msgspec

from llm_audit.sources.entry import Entry, Record, Request, TypedRecord

_Subject = TypeVar("_Subject")
_Result = TypeVar("_Result")


class Evidence(StrEnum):
    """The evidence that an adapter was checked against."""

    REAL = "real records"
    FIXTURE = "the project's own fixtures"
    RECONSTRUCTED = "documentation only; nesting unverified"


class Specificity(IntEnum):
    """The narrowness of a format's signature: of two that match a record, the narrower one reads it.

    Formats of equal specificity are tried in the order of their names, unless one is declared to come ``before``
    another.
    """

    ENVELOPE = 1  # names its own schema, or wraps records of other kinds
    BATCH = 2  # a line of a batch API's file, around a provider's own body
    PRODUCT = 3  # field names that only one product's export has
    TRANSCRIPT = 4  # rows of a session, recognised by the values of a common field
    SPAN = 5  # attributes of a tracing convention, whoever exported them
    PAIR = 6  # a provider's request and response, or a bare response
    PLAIN = 7  # the usual column names of custom logs


class FormatInfo(msgspec.Struct, frozen=True):
    """The description of a format for ``llm-audit formats`` and the documentation."""

    name: str  # the word for --log-format, such as "litellm"
    title: str
    evidence: Evidence
    input_counts: str = ""  # whether input counts include cached tokens, in a few words
    tells: tuple[str, ...] = ()  # of: time, id, prompts, cache, cost, latency, trace, team, service_tier
    notes: str = ""
    ordered: bool = False  # records depend on those before them: a file is never split


class KindIs(msgspec.Struct, frozen=True):
    """A signature of the formats that one function tells apart: what it returns for a record is this kind."""

    kind_of: Callable[[Record, Context], Any]
    kind: Any

    def __call__(self, record: Record, context: Context) -> bool:
        """Return whether a record is of the kind."""
        return self.kind_of(record, context) is self.kind


class Context(msgspec.Struct):
    """The surroundings of the record at hand, within one file.

    ``state`` belongs to the format that reads the record and lasts as long as the file; only an ``ordered`` format may
    use it. A signature must not depend on it.
    """

    path: str
    line: int = 0
    state: dict[str, Any] = msgspec.field(default_factory=dict)
    _shared: dict[Callable[[Any], Any], tuple[Any, Any]] = msgspec.field(default_factory=dict)

    def once(self, work: Callable[[_Subject], _Result], subject: _Subject) -> _Result:
        """Return ``work(subject)``, worked out once for all formats that ask about the same subject in a row."""
        held = self._shared.get(work)
        if held is None or held[0] is not subject:
            held = self._shared[work] = (subject, work(subject))
        result: _Result = held[1]
        return result


class RowPlan(msgspec.Struct, frozen=True):
    """What compiled code needs to read lines straight into columns, where they have certain keys and are plain.

    Attributes:
        keys: The keys, of which a line has each once and no other.
        columns: The column of each key: one of ``column_names.USUAL``, or ``other`` for a value that is not read.
        name: Returns the name that a scalar's bytes stand for; None for none.
        status: Returns, by the bytes of a scalar, how a call ended, and its HTTP status.
        metadata: Returns a request with what a value's bytes say of attribution and ids.
    """

    keys: tuple[str, ...]
    columns: tuple[str, ...]
    name: Callable[[bytes], str | None]
    status: Callable[[bytes], tuple[str, int | None]]
    metadata: Callable[[bytes], Request]


class TypedReader(msgspec.Struct, frozen=True):
    """A faster way to read lines whose records have the same keys, all of them: into a struct instead of a dictionary.

    ``decode`` raises what msgspec does where a line does not fit: other keys, or a value of another type. ``read``
    returns for a struct what the format's ``entries`` yields for the record, and raises what it raises. ``rows`` says
    how plain lines can be read without either; None where they cannot.
    """

    decode: Callable[[bytes], TypedRecord]
    read: Callable[[Any], Request]
    rows: RowPlan | None = None


class Format(msgspec.Struct, frozen=True):
    """One log format. Each module in a room of this package holds one, as ``FORMAT``.

    Attributes:
        info: Its description.
        specificity: How narrow ``matches`` is, which decides the order in which formats are tried.
        matches: Returns whether a decoded record has the format's signature.
        entries: Yields what a record holds: at least one entry. It raises nothing but ``BadRecordError``.
        keys: Every record of the format has one of these keys at least, so that ``matches`` is not called for others.
            Empty: any record may be of the format.
        types: Returns whether the field ``type`` of its records, where it is a text, may hold this one, so that
            ``matches`` is not called for others. None: any.
        keys_decide: ``matches`` depends on a record's keys alone, so that its result holds for all records with them.
        signs_all: Every record of the format has its signature, so that others in its files are read as they are
            elsewhere, though it is ``ordered``.
        before: Names of formats of the same specificity whose signatures this one's records may have too.
        fast_path: Returns a faster reader for records with the keys of this one; None where there is none. It is used
            only where ``keys_decide``.
    """

    info: FormatInfo
    specificity: Specificity
    matches: Callable[[Record, Context], bool]
    entries: Callable[[Record, Context], Iterator[Entry]]
    keys: frozenset[str] = frozenset()
    types: Callable[[str], bool] | None = None
    keys_decide: bool = False
    signs_all: bool = False
    before: tuple[str, ...] = ()
    fast_path: Callable[[Record], TypedReader | None] | None = None
