"""Files of several tables, each written for one reader, which reads and checks its own table alone.

A file begins with an index: offset, length and checksum of each slice. A slice is an Arrow stream, compressed to
little for a store and in little time for a disk. The checksum covers the file's name and the slice's number too, so
that a slice in the place of another is damage.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
from xxhash import xxh3_128_digest

from llm_audit.ledger.sealed import DamagedError
from llm_audit.ledger.shared.folder import SharedFolder

_AT_ONCE = 16
_INDEX = struct.Struct("<QQ16s")


def write_slices(folder: SharedFolder, name: str, tables: Sequence[Any]) -> None:
    """Write a file of tables, completely or not at all; None and a table without rows are empty slices."""
    index, blobs = [], []
    offset = len(tables) * _INDEX.size
    for number, table in enumerate(tables):
        blob = _encode(table, _codec(folder)) if table is not None and table.num_rows else b""
        index.append(_INDEX.pack(offset, len(blob), _checksum(name, number, blob)))
        blobs.append(blob)
        offset += len(blob)
    folder.store(name, [*index, *blobs])


def read_slice(folder: SharedFolder, name: str, number: int) -> Any:
    """Return one table of a file; None where it is empty.

    Raises:
        DamagedError: The file is missing or is not what was written; the message is its name.
    """
    try:
        with folder.ranges(name) as read:
            offset, length, checksum = _INDEX.unpack(read(number * _INDEX.size, _INDEX.size))
            blob = read(offset, length)
    except (FileNotFoundError, OverflowError, struct.error):
        raise DamagedError(name) from None
    if checksum != _checksum(name, number, blob) or len(blob) != length:
        raise DamagedError(name)
    if not blob:
        return None
    with (
        pa.input_stream(pa.py_buffer(blob), compression=_codec(folder)) as stream,
        pa.ipc.open_stream(stream) as reader,
    ):
        return reader.read_all()


def read_slices(folder: SharedFolder, places: Sequence[tuple[str, int]]) -> Iterator[Any]:
    """Yield the tables of some files and numbers that are not empty, in order.

    Raises:
        DamagedError: A file is missing or is not what was written; the message is its name.
    """
    if folder.path is not None or len(places) < 2:
        for name, number in places:
            if (table := read_slice(folder, name, number)) is not None:
                yield table
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # a store takes long to answer, and answers many at once
        found = pool.map(lambda place: read_slice(folder, *place), places)
        yield from (table for table in found if table is not None)


def compact_dictionaries(table: Any) -> Any:
    """Return a table whose dictionaries hold the words of its own rows, in one chunk a column."""
    columns = []
    for column in table.combine_chunks().columns:
        if pa.types.is_dictionary(column.type) and column.num_chunks:
            column = _compact(column.chunk(0))  # noqa: PLW2901
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=table.schema)


def _compact(chunk: Any) -> Any:
    words = len(chunk.dictionary)
    codes = chunk.indices.fill_null(words).to_numpy()  # a null is one word more
    used = np.zeros(words + 1, bool)
    used[codes] = True
    used[words] = False
    if used[:words].all():
        return chunk
    kept = pa.array(np.flatnonzero(used))
    return pa.DictionaryArray.from_arrays(
        pa.array((np.cumsum(used, dtype=np.int32) - 1)[codes], mask=codes == words), chunk.dictionary.take(kept)
    )


def _codec(folder: SharedFolder) -> str:
    return "zstd" if folder.path is None else "lz4"


def _encode(table: Any, codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.output_stream(sink, compression=codec) as stream, pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def _checksum(name: str, number: int, blob: bytes) -> bytes:
    return xxh3_128_digest(f"{name}\0{number}\0".encode() + blob)
