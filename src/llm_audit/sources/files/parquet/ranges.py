"""Ranges of a Parquet file, which several processes read: by bytes as they are once unpacked.

A row group takes as many bytes as its pages unpack to, and its rows are taken to be of one size. A row belongs to the
range that holds its first byte, so that ranges which follow each other have every row once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, BinaryIO

import msgspec

from llm_audit.sources.files.limits import BLOCK_BYTES, MAX_DECODED_BYTES, MAX_EXPANSION, SHARD_BYTES
from llm_audit.sources.files.parquet.footer import Chunk, read_chunks
from llm_audit.sources.files.storage import Source, UnreadableError, open_binary

MAX_GROUP_BYTES = 8 * SHARD_BYTES
"""A larger row group is cut, although each of its ranges unpacks those before it."""

_MAGIC = b"PAR1"
_LENGTH_BYTES = 8  # of the length of the footer and the magic after it


class GroupRows(msgspec.Struct, frozen=True):
    """Rows of a row group, from the first up to the last, exclusive."""

    group: int
    first: int
    last: int


def is_parquet(magic: bytes) -> bool:
    """Return whether a file that begins with these bytes is Parquet."""
    return magic.startswith(_MAGIC)


def described(source: Source) -> tuple[Any, list[list[Chunk]]]:
    """Return the metadata of a Parquet file, and the columns of its row groups.

    Raises:
        UnreadableError: It cannot be opened, or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open_binary(source) as file:
        try:
            metadata = pq.ParquetFile(pa.PythonFile(file, mode="r")).metadata
            return metadata, chunks_of(file, metadata)
        except (pa.ArrowException, OSError, ValueError):
            raise UnreadableError(f"{source.name} is damaged: its Parquet footer cannot be read.") from None


def chunks_of(file: BinaryIO, metadata: Any) -> list[list[Chunk]]:
    """Return the columns of each row group of a file with this metadata.

    Raises:
        ValueError: The footer is damaged.
    """
    return read_chunks(file, groups=metadata.num_row_groups, columns=metadata.num_columns)


def parquet_ranges(source: Source) -> list[tuple[int, int]]:
    """Return the ranges that a Parquet file is read in; none of one that is refused.

    Raises:
        UnreadableError: It cannot be opened, or is damaged.
    """
    found, groups = described(source)
    if expansion(groups) is not None:
        return []
    cuts, held, end = [0], 0, 0
    for size, _ in _groups(found):
        pieces = -(-size // MAX_GROUP_BYTES)
        for piece in range(1, pieces + 1):
            place = end + size * piece // pieces
            if place - held >= SHARD_BYTES:
                cuts.append(place)
                held = place
        end += size
    if end > held:
        cuts.append(end)
    return list(pairwise(cuts))


def expansion(groups: Sequence[Sequence[Chunk]]) -> str | None:
    """Return a note where a column is packed so tightly that unpacking it could take all memory."""
    for chunk in chain.from_iterable(groups):
        packed, size = max(1, chunk.packed_bytes), chunk.unpacked_bytes
        if size > MAX_DECODED_BYTES and size > packed * MAX_EXPANSION:
            return (
                f"the column {chunk.path} unpacks {packed:,} bytes into {size:,}, which is refused; "
                "write the file again with smaller row groups"
            )
    return None


def rows_within(metadata: Any, start: int, end: int | None) -> list[GroupRows]:
    """Return the rows of a range; of the whole file where it has no end."""
    found, before = [], 0
    for group, (size, rows) in enumerate(_groups(metadata)):
        first = _first_at(start - before, size, rows)
        last = rows if end is None else _first_at(end - before, size, rows)
        if first < last:
            found.append(GroupRows(group, first, last))
        before += size
    return found


def range_rows(source: Source, start: int, end: int) -> int:
    """Return the number of rows of a range."""
    return sum(rows.last - rows.first for rows in rows_within(described(source)[0], start, end))


def bytes_within(source: Source, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes of the file that decide the rows of a range: their row groups, and what describes them.

    Raises:
        UnreadableError: It cannot be opened.
    """
    metadata, groups = described(source)
    with open_binary(source) as file:
        for rows in rows_within(metadata, start, end):
            for chunk in groups[rows.group]:
                yield from _read(file, chunk.first_byte, chunk.packed_bytes)
        footer = metadata.serialized_size + _LENGTH_BYTES
        yield from _read(file, source.size_bytes - footer, footer)


def _groups(metadata: Any) -> Iterator[tuple[int, int]]:
    """Yield the bytes, at least one, and the rows of each row group."""
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        yield max(group.total_byte_size, 1), group.num_rows


def _first_at(place: int, size: int, rows: int) -> int:
    """Return the first row of a group that begins at a place in it or after it."""
    return min(max(-(-place * rows // size), 0), rows)


def _read(file: Any, start: int, count: int) -> Iterator[bytes]:
    file.seek(start)
    while count > 0 and (block := file.read(min(count, BLOCK_BYTES))):
        count -= len(block)
        yield block
