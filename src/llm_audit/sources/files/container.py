"""The container of a source, recognised by its bytes, and its items with their lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import assert_never

import msgspec

from llm_audit.sources.databases import TableReader
from llm_audit.sources.decode import Item, decode, fast_decode
from llm_audit.sources.entry import Reason, Rejected, TypedRecord
from llm_audit.sources.files.archives import archive_kind
from llm_audit.sources.files.cells import settled
from llm_audit.sources.files.csv_rows import csv_rows, delimiter, fitting_rows
from llm_audit.sources.files.limits import SNIFF_BYTES
from llm_audit.sources.files.lines import Lines, TakeLines
from llm_audit.sources.files.parquet import is_parquet, parquet_pieces, parquet_rows
from llm_audit.sources.files.storage import Source
from llm_audit.sources.files.stream import Compression, blocks, compression, head, magic_of
from llm_audit.sources.files.tables import sqlite_rows
from llm_audit.sources.files.values import RECORDS_WRAPPER, values
from llm_audit.sources.python_values import object_at_end

_PACKED_SUFFIXES = (".gz", ".zst", ".bz2", ".xz", ".lz4")
_DELIMITED_SUFFIXES = (".csv", ".tsv")
_NO_ARCHIVE = "an archive that is damaged, of another kind, or inside another; unpack it and read its files"
_LINES_SUFFIXES = (".jsonl", ".ndjson")
_ARRAY = re.compile(rb"\s*\[\s*([\[\]{]|\Z)")
_CONTINUED = (b" ", b"\t", b'"', b"}", b"]")  # how the second line of a printed object begins


class Container(StrEnum):
    """The ways in which a file holds records."""

    EMPTY = "empty"
    LINES = "JSON lines"
    VALUES = "JSON"  # an array, an object printed over many lines, or several in a row
    CSV = "CSV"
    PARQUET = "Parquet"
    SQLITE = "SQLite"
    TABLE = "database table"
    ARCHIVE = "archive"  # one that is not opened
    BINARY = "binary"


_NO_RECORDS: dict[Container, list[tuple[int, Item]]] = {
    Container.EMPTY: [],
    Container.BINARY: [(1, Rejected(Reason.BINARY))],
    Container.ARCHIVE: [(1, Rejected(Reason.ARCHIVE, note=_NO_ARCHIVE))],
}

Located = tuple[int, Item | TypedRecord]
"""Line or record number from 1, and a record or why there is none."""

DecodeTyped = Callable[[bytes], TypedRecord | None]
"""Decodes a line straight into a struct; None where it does not fit."""


def sniff(source: Source) -> Container:  # noqa: PLR0911 - a container a branch
    """Return a source's container by its first bytes, and delimited text by its name or its header.

    Raises:
        UsageError: The source cannot be opened.
    """
    if source.table is not None:
        return Container.TABLE
    magic = magic_of(source)
    if is_parquet(magic):
        return Container.PARQUET
    if magic.startswith(b"SQLite format 3\0"):
        return Container.SQLITE
    first = head(source)
    if archive_kind(magic) or archive_kind(first):
        return Container.ARCHIVE
    if not first.strip():
        # Compressed data that gives nothing is broken; let the reader say so.
        packed = magic and compression(magic) is not Compression.NONE
        return Container.LINES if packed or source.cut or len(first) == SNIFF_BYTES else Container.EMPTY
    begins_as_json = first.lstrip().startswith((b"{", b"["))
    if b"\0" in first and not begins_as_json and not _has_whole_line(first):  # damage among good records costs itself
        return Container.BINARY
    return _text(first, source.name)


def items(
    source: Source, container: Container, decode_typed: DecodeTyped | None = None, take: TakeLines | None = None
) -> Iterator[Located]:
    """Yield everything in a source that is an entry: its records, and a reason for each that cannot be read.

    Without ``decode_typed`` each record is a dictionary. What ``take`` reads of lines is not among the items.
    """
    if source.columns:
        return with_columns(_items(source, container, None, None), source.columns)
    return _items(source, container, decode_typed, take)


def with_columns(located: Iterable[Located], columns: Sequence[tuple[str, str]]) -> Iterator[Located]:
    """Give each record the columns that its file's folders state, where it has none of that name itself."""
    stated = dict(columns)
    for number, item in located:
        yield number, {**stated, **item} if type(item) is dict else item


def _items(  # noqa: PLR0911 - a container a branch
    source: Source, container: Container, decode_typed: DecodeTyped | None, take: TakeLines | None
) -> Iterator[Located]:
    match container:
        case Container.EMPTY | Container.BINARY | Container.ARCHIVE:
            return iter(_NO_RECORDS[container])
        case Container.CSV:
            return settled(csv_rows(blocks(source)))
        case Container.PARQUET:
            return parquet_items(source, decode_typed, take) if decode_typed else parquet_rows(source)
        case Container.SQLITE:
            return sqlite_rows(source)
        case Container.TABLE:
            assert source.table is not None
            return iter(TableReader(source.table))
        case Container.LINES:
            return decoded(Lines(blocks(source), take), decode_typed)
        case Container.VALUES:
            return decoded(values(blocks(source)), decode_typed)
    assert_never(container)


def decoded(
    pieces: Iterable[tuple[int, bytes | Rejected]], decode_typed: DecodeTyped | None = None
) -> Iterator[Located]:
    """Decode each line or value; one that holds several records gives as many items.

    With ``decode_typed``, a line that it decodes is that typed record.
    """
    for number, raw in pieces:
        if isinstance(raw, bytes):
            if decode_typed is not None and (typed := decode_typed(raw)) is not None:
                yield number, typed
                continue
            try:
                value = fast_decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                value = None
            if type(value) is dict:
                yield number, value
            else:
                for item in decode(raw):
                    yield number, item
        else:
            yield number, raw


def parquet_items(
    source: Source,
    decode_typed: DecodeTyped | None,
    take: TakeLines | None,
    *,
    within: tuple[int, int] | None = None,
) -> Iterator[Located]:
    """Yield the rows of a Parquet file or of a range, those that have JSON lines as if they were such lines."""
    for number, piece in parquet_pieces(source, within=within):
        if isinstance(piece, bytes):
            yield from decoded(Lines([piece], take, number - 1), decode_typed)
        else:
            yield number, piece


def _text(first: bytes, name: str) -> Container:
    start = first.lstrip()[:1]
    bare = name.lower()
    for suffix in _PACKED_SUFFIXES:
        bare = bare.removesuffix(suffix)
    if bare.endswith(_DELIMITED_SUFFIXES):
        return Container.LINES if _holds_json_lines(first) else Container.CSV
    if start == b"[":
        lines = _is_complete(_first_line(first)) or (not _ARRAY.match(first) and _has_whole_line(first))
        return Container.LINES if lines else Container.VALUES
    if start != b"{":
        if bare.endswith(_LINES_SUFFIXES) or _holds_json_lines(first):
            return Container.LINES
        header = _first_line(first).decode(errors="replace")
        is_header = header.count(delimiter(header)) >= 2 and "{" not in header and object_at_end(header) is None
        return Container.CSV if is_header and header.replace('"', "")[:1].isalpha() else Container.LINES
    broken_list = RECORDS_WRAPPER.match(first) and not _has_whole_line(first)
    return Container.VALUES if broken_list or not _is_lines(first) else Container.LINES


def _holds_json_lines(first: bytes) -> bool:
    """Return whether whole JSON lines outweigh rows that fit a header, so that what comes before them is a banner."""
    if not _has_whole_line(first):
        return False
    fitting, braces = fitting_rows(first.decode(errors="replace"))
    return fitting <= braces


def _is_lines(first: bytes) -> bool:
    """Return whether each line is one object. Otherwise an object continues on the next line."""
    following = next((line for line in first.lstrip().split(b"\n")[1:] if line.strip()), b"")
    return not following or not following.startswith(_CONTINUED) or _has_whole_line(first)


def _has_whole_line(first: bytes) -> bool:
    lines = first.lstrip().splitlines()
    return any(line.startswith((b"{", b"[")) and _is_complete(line) for line in lines)


def _first_line(first: bytes) -> bytes:
    return first.lstrip().partition(b"\n")[0]


def _is_complete(line: bytes) -> bool:
    read = [] if line.strip() in (b"{}", b"[]") else list(decode(line))
    return bool(read) and not any(isinstance(item, Rejected) for item in read)
