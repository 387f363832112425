"""Rows of tables as records: Parquet, and the SQLite database of the ``llm`` tool."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from llm_audit.sources.decode import Item
from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files.limits import MAX_DECODED_BYTES, MAX_EXPANSION, MAX_RECORD_BYTES, SNIFF_BYTES
from llm_audit.sources.files.storage import Source, open_binary

_ROWS_AT_ONCE = 512
_LOCK_SECONDS = 5.0  # to wait for a database that another program has locked
_SQLITE_ROWS = "SELECT * FROM responses ORDER BY rowid"

Row = tuple[int, Item]
"""Line or row number from 1, and the row."""


def parquet_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of a Parquet file that are not deleted, without the columns that are null in a row."""
    if not source.deleted:
        return _stored_rows(source)
    from llm_audit.sources.files.lakes.deleted import places_of

    deleted = places_of(source.deleted)
    return ((number, item) for number, item in _stored_rows(source) if number - 1 not in deleted)


def _stored_rows(source: Source) -> Iterator[Row]:
    """Yield all rows of a Parquet file.

    Texts stay in their dictionaries until a row is made of them, so that a value repeated in every row is held once.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with open_binary(source) as file:
        try:
            described = pq.ParquetFile(pa.PythonFile(file, mode="r")).metadata
            if (bomb := _expansion(described)) is not None:
                yield 1, Rejected(Reason.UNREADABLE, note=bomb)
                return
            texts = [
                column.path
                for column in map(described.schema.column, range(described.num_columns))
                if column.physical_type == "BYTE_ARRAY" and column.logical_type.type != "DECIMAL"
            ]
            # Of an object, which is not fetched whole to see its first rows, columns are read a piece at a time.
            pieces = SNIFF_BYTES if source.remote else 0
            table = pq.ParquetFile(pa.PythonFile(file, mode="r"), read_dictionary=texts, buffer_size=pieces)
            plain = frozenset(column.name for column in table.schema_arrow if _is_plain(column.type))
            for batch in table.iter_batches(_ROWS_AT_ONCE):
                for part in _bounded(batch):
                    if part is None:
                        number += 1
                        yield number, Rejected(Reason.TOO_LONG)
                        continue
                    for number, row in enumerate(part.to_pylist(), number + 1):  # noqa: B020 - goes on from before
                        yield (
                            number,
                            {
                                name: value if name in plain else _plain(value)
                                for name, value in row.items()
                                if value is not None
                            },
                        )
        except (pa.ArrowException, OSError, ValueError, OverflowError):
            yield number + 1, Rejected(Reason.TRUNCATED)


def _is_plain(kind: Any) -> bool:
    """Return whether Arrow gives values of a type as ``_plain`` would: without bytes, decimals or maps in them."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_plain(kind.value_type)
    if pa.types.is_struct(kind):
        return all(_is_plain(field.type) for field in kind)
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(texts or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _expansion(described: Any) -> str | None:
    """Return a note where a column is packed so tightly that unpacking it could take all memory."""
    for group in map(described.row_group, range(described.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            packed, size = max(1, column.total_compressed_size), column.total_uncompressed_size
            if size > MAX_DECODED_BYTES and size > packed * MAX_EXPANSION:
                return (
                    f"the column {column.path_in_schema} unpacks {packed:,} bytes into {size:,}, which is refused; "
                    "write the file again with smaller row groups"
                )
    return None


def _bounded(batch: Any) -> Iterator[Any]:
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


def sqlite_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of the table ``responses`` of a database on disk, in the order they were written."""
    number = 0
    try:
        with closing(sqlite3.connect(f"{Path(source.path).as_uri()}?mode=ro", _LOCK_SECONDS, uri=True)) as database:
            database.row_factory = sqlite3.Row
            for number, row in enumerate(database.execute(_SQLITE_ROWS), 1):
                yield number, {name: _plain(row[name]) for name in row.keys() if row[name] is not None}  # noqa: SIM118
    except sqlite3.Error as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            yield (
                number + 1,
                Rejected(Reason.UNREADABLE, note="another program has locked it; try again when it is done"),
            )
        else:
            yield number + 1, Rejected(Reason.TRUNCATED if number else Reason.UNKNOWN_FORMAT)


def _plain(value: Any) -> Any:
    """Convert values of types that JSON does not have to those that adapters expect; times stay times."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        # Arrow gives a map as a list of pairs.
        if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
            return {str(key): _plain(item) for key, item in value}
        return [_plain(item) for item in value]
    return value
