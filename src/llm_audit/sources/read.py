"""Reading a shard: its lines, values or rows, as items for a ``FormatDetector``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from xxhash import xxh3_128

from llm_audit.sources.databases import Table, TableReader
from llm_audit.sources.detect import detect_source
from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.fast_path import NamedReader
from llm_audit.sources.files.container import Container, Located, decoded, items, parquet_items, sniff, with_columns
from llm_audit.sources.files.date_order import ordered
from llm_audit.sources.files.lines import Lines, TakeLines, packed_range_blocks, range_blocks
from llm_audit.sources.files.parquet import bytes_within, is_parquet, range_rows
from llm_audit.sources.files.storage import Source, UnreadableError, error_text, file_blocks, sha256
from llm_audit.sources.files.stream import Blocks, Compression, compression, magic_of
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.interface import Format, RowPlan
from llm_audit.sources.split import Shard

NO_CONTENT = hashlib.sha256().hexdigest()
"""The hash of a file that could not be read."""

_TABLES = (Container.CSV, Container.PARQUET, Container.SQLITE)


TakeRows = Callable[[str, RowPlan, bytes, int, int], tuple[int, int]]
"""Reads lines as ``lines.TakeLines`` does, given the name of their format and its plan."""


class ShardReader:
    """Reads one shard of a file on disk, of an object in a store, or of a table of a database.

    While it is read, ``place`` is the primary key of a table's row. Once it is read through, ``lines`` is how many
    lines a range holds, and ``content`` the hash of what was read: empty
    where that is not what the file holds, because it could not be read or has changed. ``sha256`` is that of a complete
    file, and ``note`` a remark on it. Lines that ``take`` reads are not among the items.
    """

    def __init__(
        self,
        shard: Shard,
        *,
        formats: Sequence[Format],
        forced: Format | None = None,
        date_order: str | None = None,
        take: TakeRows | None = None,
    ) -> None:
        self.lines = 0
        self.content = ""
        self.sha256 = NO_CONTENT
        self.note = ""
        self.read_bytes = 0
        self._unpacked = False  # whether a range is of unpacked bytes
        self._row_reader: TableReader | None = None
        self._shard = shard
        self._formats = formats
        self._forced = forced
        self._date_order = date_order
        self.detector = FormatDetector(formats, path=shard.source.name, forced=forced)
        self._decode_typed = None if date_order else self.detector.fast_path.decode  # dates are changed in dictionaries
        self._take_rows = None if date_order else take

    @property
    def _take(self) -> TakeLines | None:
        """What reads lines straight into rows; not kept, since a cycle would keep all that the file's records left."""
        return None if self._take_rows is None else self._take_lines

    @property
    def place(self) -> str:
        """The primary key of the row at hand, where it is one of a table."""
        return self._row_reader.place if self._row_reader is not None else ""

    def __iter__(self) -> Iterator[Located]:
        if self._shard.source.table is not None:
            yield from self._rows(self._shard.source.table)
            return
        line = 1
        try:
            located = self._located()
            for line, item in ordered(located, self._date_order) if self._date_order else located:
                yield line, item
        except (UnreadableError, OSError) as error:
            self.content = ""
            why = str(error) if isinstance(error, UnreadableError) else f"reading failed: {error_text(error)}"
            yield line, Rejected(Reason.UNREADABLE, note=why)
        else:
            if (rejected := self._changed()) is not None:
                yield line, rejected

    def _take_lines(self, block: bytes, start: int, line: int) -> tuple[int, int]:
        """Have lines read straight into rows, where lines before were of a format that says how.

        Lines of several sets of keys may alternate, so that where one reader ends another may go on.
        """
        path, lines = self.detector.fast_path, 0
        reader = path.current
        while reader is not None:
            start, taken = self._take_by(reader, block, start, line + lines)
            lines += taken
            reader = None
            for other in path.others() if block.find(b"\n", start) >= 0 else ():
                start, taken = self._take_by(other, block, start, line + lines)
                if taken:
                    lines += taken
                    path.current = reader = other
                    break
        return start, lines

    def _take_by(self, reader: NamedReader, block: bytes, start: int, line: int) -> tuple[int, int]:
        if reader.rows is None:
            return start, 0
        assert self._take_rows is not None
        start, lines = self._take_rows(reader.name, reader.rows, block, start, line)
        if lines:
            self.detector.records[reader.name] += lines
            reader.misses = 0
        return start, lines

    def _rows(self, table: Table) -> Iterator[Located]:
        """Yield the rows of a range of a table; its hash is that of the rows read, since a table has none before."""
        assert self._shard.end is not None
        reader = self._row_reader = TableReader(table, (self._shard.start, self._shard.end))
        if self._forced is None:
            self.detector.fallback = self._format_of(table)
        yield from reader
        self.lines, self.content, self.read_bytes = reader.count, f"{reader.digest:032x}", reader.read_bytes

    def _format_of(self, table: Table) -> Format | None:
        """Return the format of a known schema; of another table, that of its first rows."""
        if table.schema is not None:
            return next(known for known in self._formats if known.info.name == table.schema.format)
        return detect_source(self._shard.source, Container.TABLE, formats=self._formats).format

    def _changed(self) -> Rejected | None:
        """Note where the file is no longer as it was listed; return a rejection where it has become shorter."""
        source = self._shard.source
        if source.remote:  # which was opened in the version that it was listed in
            return None
        try:
            status = Path(source.path).stat()
        except OSError:  # removed after it was read
            self.content = ""
            return None
        if (status.st_size, status.st_mtime_ns) == (source.size_bytes, source.modified_ns):
            return None
        self.content = ""
        needed = source.size_bytes if self._shard.end is None or self._unpacked else self._shard.end
        if status.st_size < needed:
            return Rejected(Reason.TRUNCATED, note="the file became shorter while it was read")
        self.note = "the file changed while it was read; what was added is not included"
        return None

    def _located(self) -> Iterator[Located]:
        source = self._shard.source
        if self._shard.end is not None:
            yield from self._range(source, self._shard.start, self._shard.end)
            return
        container = sniff(source)
        self._detect(source, container)
        yield from items(source, container, self._decode_typed, self._take)
        self.content = self.sha256 = sha256(source)

    def _detect(self, source: Source, container: Container) -> None:
        if self._forced is None:
            found = detect_source(source, container, formats=self._formats).format
            takes_rows = found is not None and found.info.ordered and not found.signs_all
            if takes_rows or container in _TABLES:
                self.detector.fallback = found

    def _range(self, source: Source, start: int, end: int) -> Iterator[Located]:
        magic = _magic_of_range(source)
        if is_parquet(magic):
            self._unpacked = True
            yield from self._parquet_range(source, start, end)
            return
        state = xxh3_128()
        packed = compression(magic) is not Compression.NONE
        blocks = packed_range_blocks(source, start, end) if packed else _hashed(range_blocks(source, start, end), state)
        lines = Lines(blocks, None if source.columns else self._take)
        if source.columns:
            yield from with_columns(decoded(lines), source.columns)
        else:
            yield from decoded(lines, self._decode_typed)
        self.lines, self.content = lines.count, content_hash(self._shard) if packed else state.hexdigest()

    def _parquet_range(self, source: Source, start: int, end: int) -> Iterator[Located]:
        self._detect(source, Container.PARQUET)
        if source.columns:
            located = parquet_items(source, None, None, within=(start, end))
            yield from with_columns(located, source.columns)
        else:
            yield from parquet_items(source, self._decode_typed, self._take, within=(start, end))
        self.lines, self.content = range_rows(source, start, end), content_hash(self._shard)


def content_hash(shard: Shard) -> str:
    """Return the content hash of a shard: SHA-256 of a complete file, xxh3 of the bytes that decide what a range holds.

    These are all bytes of a compressed file, since unpacking begins with its first.
    """
    if shard.end is None:
        return sha256(shard.source)
    state = xxh3_128()
    for block in _deciding(shard.source, shard.start, shard.end):
        state.update(block)
    return state.hexdigest()


def _deciding(source: Source, start: int, end: int) -> Iterator[bytes]:
    magic = _magic_of_range(source)
    if is_parquet(magic):
        return bytes_within(source, start, end)
    return range_blocks(source, start, end) if compression(magic) is Compression.NONE else file_blocks(source)


def _magic_of_range(source: Source) -> bytes:
    """Return the first bytes of a file that is read in ranges; none of an object, of which these are of plain lines."""
    return b"" if source.remote else magic_of(source)


def _hashed(blocks: Blocks, state: xxh3_128) -> Blocks:
    for block in blocks:
        state.update(block)
        yield block
