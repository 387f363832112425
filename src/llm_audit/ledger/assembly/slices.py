"""Files of several tables, each written for one reader, which reads and checks its own table alone.

A file begins with an index: offset, length and checksum of each slice. A slice is an Arrow stream, compressed. The
checksum covers the file's name and the slice's number too, so that a slice in the place of another is damage.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from xxhash import xxh3_128_digest

from llm_audit.files import PRIVATE
from llm_audit.ledger.sealed import DamagedError

_INDEX = struct.Struct("<QQ16s")


def write_slices(path: Path, tables: Sequence[Any]) -> None:
    """Write a file of tables, completely or not at all; None and a table without rows are empty slices."""
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            index = []
            offset = len(tables) * _INDEX.size
            file.seek(offset)
            for number, table in enumerate(tables):
                blob = _encode(table) if table is not None and table.num_rows else b""
                index.append(_INDEX.pack(offset, len(blob), _checksum(path, number, blob)))
                offset += file.write(blob)
            file.seek(0)
            file.write(b"".join(index))
        Path(partial).chmod(PRIVATE)
        Path(partial).replace(path)
    finally:
        Path(partial).unlink(missing_ok=True)


def read_slice(path: Path, number: int) -> Any:
    """Return one table of a file; None where it is empty.

    Raises:
        DamagedError: The file is missing or is not what was written; the message is its path.
    """
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(number * _INDEX.size)
            offset, length, checksum = _INDEX.unpack(file.read(_INDEX.size))
            file.seek(offset)
            blob = file.read(length) if length <= path.stat().st_size else b""
    except (OSError, OverflowError, struct.error):
        raise DamagedError(str(path)) from None
    if checksum != _checksum(path, number, blob) or len(blob) != length:
        raise DamagedError(str(path))
    if not blob:
        return None
    with pa.input_stream(pa.py_buffer(blob), compression="zstd") as stream, pa.ipc.open_stream(stream) as reader:
        return reader.read_all()


def compact_dictionaries(table: Any) -> Any:
    """Return a table whose dictionaries hold the words of its own rows, in one chunk a column."""
    columns = []
    for column in table.combine_chunks().columns:
        if pa.types.is_dictionary(column.type):
            [chunk] = column.chunks or [pa.array([], column.type)]
            used = np.unique(chunk.indices.drop_null().to_numpy())
            if len(used) < len(chunk.dictionary):
                codes = np.zeros(len(chunk.dictionary), np.int32)
                codes[used] = np.arange(len(used), dtype=np.int32)
                places = chunk.indices.fill_null(0).to_numpy()
                missing = chunk.indices.is_null().to_numpy(zero_copy_only=False)
                column = pa.DictionaryArray.from_arrays(  # noqa: PLW2901
                    pa.array(codes[places], mask=missing), chunk.dictionary.take(pa.array(used))
                )
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=table.schema)


def _encode(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.output_stream(sink, compression="zstd") as stream, pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def _checksum(path: Path, number: int, blob: bytes) -> bytes:
    return xxh3_128_digest(f"{path.name}\0{number}\0".encode() + blob)
