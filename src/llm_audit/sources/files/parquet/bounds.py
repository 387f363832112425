"""Batches of rows whose values take a bounded amount of memory once texts are no longer in dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_audit.sources.files.limits import MAX_DECODED_BYTES, MAX_RECORD_BYTES


def bounded(batch: Any) -> Iterator[Any]:
    """Yield a batch whole where its rows are of a bounded size, else row by row; None for a row over the limit."""
    if decoded_bytes_of(batch) <= MAX_DECODED_BYTES:
        yield batch
        return
    for place in range(batch.num_rows):
        row = batch.slice(place, 1)
        yield row if decoded_bytes_of(row) <= MAX_RECORD_BYTES else None


def decoded_bytes_of(batch: Any) -> int:
    """Return an estimate of the bytes of a batch's values, each text counted as often as it occurs."""
    return sum(_decoded_bytes(column) for column in batch.columns)


def _decoded_bytes(array: Any) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        return pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0
    if pa.types.is_map(kind):
        start, end = array.offsets[0].as_py(), array.offsets[-1].as_py()
        return sum(_decoded_bytes(side.slice(start, end - start)) for side in (array.keys, array.items))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _decoded_bytes(array.flatten())
    if pa.types.is_struct(kind):
        return sum(_decoded_bytes(field) for field in array.flatten())
    return int(array.nbytes)
