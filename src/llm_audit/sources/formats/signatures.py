"""Search for the format of a record among those that its keys, and the text of its field ``type``, allow.

Records of one log mostly share their keys, so the formats in question are worked out once for each set of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from llm_audit.sources.entry import Record
from llm_audit.sources.formats.interface import Context, Format, KindIs, Specificity
from llm_audit.sources.records.column_names import ABSENT, columns_of

_MAX_SHAPES = 4096  # sets of keys remembered
_MAX_TYPES = 64  # remembered for one set of keys
_PLAIN = Specificity.PLAIN  # members of enumerations are looked up slowly
_Allowed = tuple[Callable[[Record, Context], Any] | None, Format | dict[Any, Format]]
"""A format, and what decides whether a record is of it; None where its keys do. Or formats by what this returns."""


class _ByType(dict[str, tuple[_Allowed, ...]]):
    """The formats that a set of keys allows, by the text of the field ``type``; ``any`` are those where it is none."""

    __slots__ = ("any", "is_used")

    def __init__(self, found: tuple[_Allowed, ...]) -> None:
        super().__init__()
        self.any = found
        self.is_used = any(_types_of(form) is not None for _, form in found)

    def __missing__(self, kind: str) -> tuple[_Allowed, ...]:
        found = tuple(allowed for allowed in self.any if (types := _types_of(allowed[1])) is None or types(kind))
        if len(self) < _MAX_TYPES:
            self[kind] = found
        return found


class Signatures:
    """The signatures of some formats, in the order in which they are tried."""

    def __init__(self, formats: Sequence[Format]) -> None:
        self._formats = tuple(formats)
        self._allowed: dict[tuple[str, ...], _ByType] = {}
        self._last: tuple[Record | None, Format | None] = None, None  # asked for a second time when a record is read

    def first(self, record: Record, context: Context) -> Format | None:
        """Return the first format whose signature a record has; None where it has none."""
        if self._last[0] is record:
            return self._last[1]
        found: Format | None = None
        for decides, form in self._allowed_by(record, context):
            decided = True if decides is None else decides(record, context)
            if isinstance(form, dict):
                found = form.get(decided)
            elif decided:
                found = form
            if found is not None:
                break
        self._last = record, found
        return found

    def rank(self, record: Record, context: Context) -> int | None:
        """Return the specificity of a record's format, the narrowest being 1; None where it is of none for sure.

        Names of custom logs are so usual that a wrapper may have some of them: a call then needs tokens or text too.
        """
        form = self.first(record, context)
        if form is None or (form.specificity is _PLAIN and not _states_a_call(record)):
            return None
        return form.specificity

    def keys_decide(self, record: Record, context: Context) -> bool:
        """Return whether all records with the keys of this one are of its format."""
        allowed = self._allowed_by(record, context)
        return bool(allowed) and allowed[0][0] is None

    def _allowed_by(self, record: Record, context: Context) -> tuple[_Allowed, ...]:
        shape = tuple(record)
        allowed = self._allowed.get(shape)
        if allowed is None:
            if len(self._allowed) >= _MAX_SHAPES:
                self._allowed.clear()
            allowed = self._allowed[shape] = _ByType(tuple(self._find_allowed(record, context)))
        if allowed.is_used and type(kind := record.get("type")) is str:
            return allowed[kind]
        return allowed.any

    def _find_allowed(self, record: Record, context: Context) -> Iterator[_Allowed]:
        """Yield the formats that a record's keys allow; of those that keys decide, only the ones that match."""
        possible = (form for form in self._formats if not form.keys or not form.keys.isdisjoint(record))
        for kind_of, forms in groupby(possible, _kind_of):
            if kind_of is not None:
                kinds = [(form.matches.kind, form) for form in forms if isinstance(form.matches, KindIs)]
                yield kind_of, dict(reversed(kinds))  # the first of several
                continue
            for form in forms:
                if not form.keys_decide:
                    yield form.matches, form
                elif form.matches(record, context):
                    yield None, form


def _types_of(form: Format | dict[Any, Format]) -> Callable[[str], bool] | None:
    return None if isinstance(form, dict) else form.types


def _kind_of(form: Format) -> Callable[[Record, Context], Any] | None:
    return form.matches.kind_of if isinstance(form.matches, KindIs) and not form.keys_decide else None


def _states_a_call(record: Record) -> bool:
    columns = columns_of(record)
    evidence = (columns.usage, columns.input, columns.output, columns.total, columns.messages, columns.prompt)
    return any(column is not ABSENT and record[column] is not None for column in evidence)
