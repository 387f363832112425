"""Arrow types of the ledger's columns, for the processes that read logs; ``ledger.columns`` declares the columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from llm_audit.ledger.columns import COLUMNS, ColumnType

_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
TYPES = {
    ColumnType.ID: pa.uint64(),
    ColumnType.NAME: _DICTIONARY,
    ColumnType.NAMES: _DICTIONARY,
    ColumnType.COUNT: pa.int64(),
    ColumnType.INDEX: pa.uint32(),
    ColumnType.SMALL: pa.int32(),
    ColumnType.AMOUNT: pa.float64(),
    ColumnType.SCORE: pa.float32(),
    ColumnType.FLAG: pa.bool_(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
}
ARROW_SCHEMA = pa.schema(
    [(name, TYPES[kind] if isinstance(kind, ColumnType) else _DICTIONARY) for name, kind in COLUMNS.items()]
)
"""Names and closed vocabularies are dictionaries of their words."""

_DICTIONARY_COLUMNS = [field.name for field in ARROW_SCHEMA if pa.types.is_dictionary(field.type)]


def array_of(values: npt.NDArray[Any], kind: pa.DataType, known: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return numbers or truth values as a column, which is null where they are not known.

    ``pa.array`` does so too, but loads pandas where that is installed, for half a second.

    Args:
        values: The values, of the type's width.
        kind: The type.
        known: Which of them are known; all of them by default.
    """
    data = np.packbits(values, bitorder="little") if pa.types.is_boolean(kind) else np.ascontiguousarray(values)
    validity = None if known is None or known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(data)])


def narrowed(bits: npt.NDArray[np.uint64], kind: pa.DataType) -> npt.NDArray[Any]:
    """Return a copy of values that are 64 bits each, of the width that ``array_of`` takes."""
    return bits.astype(np.bool_ if pa.types.is_boolean(kind) else f"u{kind.bit_width // 8}")


def column_of_bits(bits: npt.NDArray[np.uint64], known: npt.NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    """Return a column of values that are 64 bits each; see ``array_of``."""
    return array_of(narrowed(bits, kind), kind, known) if known.any() else pa.nulls(len(bits), kind)


def numpy_of(column: pa.Array) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return a column's numbers as bits, or its truth values, and which are known, as ``array_of`` takes them.

    Arrow would load its compute functions to do so, for a tenth of a second.
    """
    size, (validity, data) = len(column), column.buffers()
    known = np.ones(size, np.bool_) if validity is None else _flags(validity, size)
    if pa.types.is_boolean(column.type):
        return _flags(data, size), known
    return np.frombuffer(data, f"u{column.type.bit_width // 8}", size), known


def _flags(bits: pa.Buffer, size: int) -> npt.NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(bits, np.uint8), count=size, bitorder="little").view(np.bool_)


def words_of(codes: npt.NDArray[np.integer[Any]], words: Sequence[str | None]) -> pa.Array:
    """Return words as a column by their codes: a dictionary of the distinct ones in the order in which rows have them.

    Args:
        codes: The place of each row's word; -1 for none.
        words: The words, of which several may be the same, or None.
    """
    index_of: dict[str, int] = {}
    places = [-1 if word is None else index_of.setdefault(word, len(index_of)) for word in words]
    found = np.array([*places, -1], np.int32)[codes]
    known = found >= 0
    if not known.any():
        return pa.nulls(len(found), _DICTIONARY)
    first = np.full(len(index_of) + 1, len(found))  # the last is that of rows without a word
    first[found[::-1]] = np.arange(len(found))[::-1]
    order = np.argsort(first[:-1], kind="stable")
    ranks = np.zeros(len(first), np.int32)
    ranks[order] = np.arange(len(order))
    distinct = [*index_of]
    used = [distinct[place] for place in order.tolist() if first[place] < len(found)]
    return pa.DictionaryArray.from_arrays(array_of(ranks[found], pa.int32(), known), pa.array(used, pa.string()))


def numbers_of(column: pa.ChunkedArray, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return the numbers of a column that has no null, without loading pandas; see ``array_of``."""
    chunks = [
        np.frombuffer(chunk.buffers()[1], dtype, len(chunk), chunk.offset * np.dtype(dtype).itemsize)
        for chunk in column.chunks
        if len(chunk)
    ]
    return np.concatenate(chunks) if chunks else np.zeros(0, dtype)


def parquet_writer(target: Path) -> Any:
    """Open a Parquet file of the ledger's columns for writing."""
    # Dictionaries of hashes and counts would take more space than they save.
    return pq.ParquetWriter(
        target, ARROW_SCHEMA, compression="zstd", compression_level=1, use_dictionary=_DICTIONARY_COLUMNS
    )


def part_writer(target: Path) -> Any:
    """Open a Parquet file of a part, which is soon read once: written in half the time, with a third more bytes."""
    return pq.ParquetWriter(
        target, ARROW_SCHEMA, compression="lz4", write_statistics=False, use_dictionary=_DICTIONARY_COLUMNS
    )
