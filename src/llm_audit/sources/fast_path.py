"""Decoding of a line like the one before it, so that a log of one shape is not recognised anew with every line.

Nothing depends on it but time: a line that does not fit is decoded and recognised as if there were no typed readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from llm_audit.sources.entry import Record, TypedRecord
from llm_audit.sources.formats.interface import Context, Format, TypedReader
from llm_audit.sources.formats.signatures import Signatures

_MAX_READERS = 16  # tried in one file: each takes some tenth of a millisecond to make
_MAX_SHAPES = 256  # sets of keys remembered in one file
_MAX_OTHERS = 7
_MAX_MISSES = 16  # in a row; a reader that does not fit its own keys then is given up
_FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class NamedReader:
    """A typed reader, and the name of its format."""

    __slots__ = ("decode", "misses", "name", "read", "rows")

    def __init__(self, name: str, reader: TypedReader) -> None:
        self.name = name
        self.decode = reader.decode
        self.read = reader.read
        self.rows = reader.rows
        self.misses = 0


class FastPath:
    """The typed readers of one file. ``current`` is that of the last record, by which the next line is decoded."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self.current: NamedReader | None = None
        self._readers: dict[tuple[str, ...], NamedReader | None] = {}
        self._seen: set[tuple[str, ...]] = set()

    def decode(self, raw: bytes) -> TypedRecord | None:
        """Decode a line by the current reader; None where it does not fit, or there is none."""
        reader = self.current
        if reader is None:
            return None
        try:
            found = reader.decode(raw)
        except _FAILURES:
            reader.misses += 1
            return None
        reader.misses = 0
        return found

    def learn(self, form: Format | None, record: Record, context: Context) -> None:
        """Decode the next line like this record, if one before had the same keys and they alone decide its format.

        Args:
            form: The record's format; None where it was not found by the signatures, or is in a wrapper.
            record: The record, as a dictionary.
            context: Its context.
        """
        if form is None or form.fast_path is None:
            self.current = None
            return
        shape = tuple(record)
        if shape in self._seen and shape not in self._readers and len(self._readers) < _MAX_READERS:
            reader = form.fast_path(record) if self._signatures.keys_decide(record, context) else None
            self._readers[shape] = None if reader is None else NamedReader(form.info.name, reader)
        found = self._readers.get(shape)
        if found is not None and found.misses > _MAX_MISSES:
            found = self._readers[shape] = None
        if len(self._seen) < _MAX_SHAPES:
            self._seen.add(shape)
        self.current = found

    def others(self) -> Iterator[NamedReader]:
        """Yield the readers of other records that read rows, some of them; a line fits one at most."""
        readers = (reader for reader in self._readers.values() if reader is not None and reader.rows is not None)
        return islice((reader for reader in readers if reader is not self.current), _MAX_OTHERS)
