"""Search for the format of a record among those that its keys allow.

Records of one log mostly share their keys, so the formats in question are worked out once for each set of keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llm_audit.sources.entry import Record
from llm_audit.sources.formats.interface import Context, Format

_MAX_SHAPES = 4096  # sets of keys remembered


class Signatures:
    """The signatures of some formats, in the order in which they are tried."""

    def __init__(self, formats: Sequence[Format]) -> None:
        self._formats = tuple(formats)
        self._allowed: dict[tuple[str, ...], tuple[Format, ...]] = {}

    def first(self, record: Record, context: Context) -> Format | None:
        """Return the first format whose signature a record has; None where it has none."""
        for form in self._allowed_by(record, context):
            if form.keys_decide or form.matches(record, context):
                return form
        return None

    def keys_decide(self, record: Record, context: Context) -> bool:
        """Return whether all records with the keys of this one are of its format."""
        allowed = self._allowed_by(record, context)
        return bool(allowed) and allowed[0].keys_decide

    def _allowed_by(self, record: Record, context: Context) -> tuple[Format, ...]:
        shape = tuple(record)
        allowed = self._allowed.get(shape)
        if allowed is None:
            if len(self._allowed) >= _MAX_SHAPES:
                self._allowed.clear()
            allowed = self._allowed[shape] = tuple(self._find_allowed(record, context))
        return allowed

    def _find_allowed(self, record: Record, context: Context) -> Iterator[Format]:
        """Yield the formats that a record's keys allow; of those that keys decide, only the ones that match."""
        for form in self._formats:
            possible = not form.keys or not form.keys.isdisjoint(record)
            if possible and (not form.keys_decide or form.matches(record, context)):
                yield form
