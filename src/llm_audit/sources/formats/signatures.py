"""Finds the format of a record, asking only formats that its keys allow.

Records of one log mostly share their keys, so the formats in question are worked out once for each set of keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llm_audit.sources.entry import Record
from llm_audit.sources.formats.interface import Format

_MAX_SHAPES = 4096  # sets of keys remembered


class Signatures:
    """The signatures of some formats, in the order in which they are tried."""

    def __init__(self, formats: Sequence[Format]) -> None:
        self._formats = tuple(formats)
        self._allowed: dict[tuple[str, ...], tuple[Format, ...]] = {}

    def first(self, record: Record) -> Format | None:
        """Return the first format whose signature a record carries; None where it carries none."""
        for form in self._allowed_by(record):
            if form.by_keys or form.matches(record):
                return form
        return None

    def by_keys(self, record: Record) -> bool:
        """Whether all records with the keys of this one are of its format."""
        allowed = self._allowed_by(record)
        return bool(allowed) and allowed[0].by_keys

    def _allowed_by(self, record: Record) -> tuple[Format, ...]:
        shape = tuple(record)
        allowed = self._allowed.get(shape)
        if allowed is None:
            if len(self._allowed) >= _MAX_SHAPES:
                self._allowed.clear()
            allowed = self._allowed[shape] = tuple(self._find_allowed(record))
        return allowed

    def _find_allowed(self, record: Record) -> Iterator[Format]:
        """The formats that a record's keys allow; those told by keys alone only where they do match."""
        for form in self._formats:
            if (not form.keys or not form.keys.isdisjoint(record)) and (not form.by_keys or form.matches(record)):
                yield form
