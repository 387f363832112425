"""Decoding a line as the record before it was, so that a log of one shape is not recognised anew with every line.

Nothing depends on it but time: a line that does not fit is decoded and recognised as if there were no layouts.
"""

from __future__ import annotations

import msgspec

from llm_audit.sources.entry import Record
from llm_audit.sources.formats.interface import Format, TypedReader, TypedRecord
from llm_audit.sources.formats.signatures import Signatures

_MAX_LAYOUTS = 16  # tried in one file: each takes some tenth of a millisecond to make
_MAX_MISSES = 16  # in a row; a layout that does not fit its own keys then is given up
_FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Known:
    """A layout that was found, and the name of its format."""

    __slots__ = ("decode", "misses", "name", "read")

    def __init__(self, name: str, layout: TypedReader) -> None:
        self.name = name
        self.decode = layout.decode
        self.read = layout.read
        self.misses = 0


class Layouts:
    """The layouts of one file. ``current`` is that of the last record, by which the next line is decoded."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self.current: Known | None = None
        self._known: dict[tuple[str, ...], Known | None] = {}
        self._last: tuple[str, ...] = ()

    def decode(self, raw: bytes) -> TypedRecord | None:
        """Decode a line by the current layout; None where it does not fit, or there is none."""
        known = self.current
        if known is None:
            return None
        try:
            found = known.decode(raw)
        except _FAILURES:
            known.misses += 1
            return None
        known.misses = 0
        return found

    def learn(self, form: Format | None, record: Record) -> None:
        """Decode the next line like this record, if the one before has had its keys and they alone tell its format.

        Args:
            form: The record's format; None where it was not found by the signatures, or is in a wrapper.
            record: What was read the long way.
        """
        if form is None or form.layout is None:
            self.current, self._last = None, ()
            return
        shape = tuple(record)
        if shape == self._last and shape not in self._known and len(self._known) < _MAX_LAYOUTS:
            layout = form.layout(record) if self._signatures.by_keys(record) else None
            self._known[shape] = None if layout is None else Known(form.info.name, layout)
        known = self._known.get(shape)
        if known is not None and known.misses > _MAX_MISSES:
            known = self._known[shape] = None
        self.current, self._last = known, shape
