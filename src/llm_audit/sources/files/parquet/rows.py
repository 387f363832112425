"""Rows of a Parquet file: as records, or many at once as JSON lines, which compiled code reads in less time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llm_audit.sources.decode import Item
from llm_audit.sources.entry import Reason, Record, Rejected
from llm_audit.sources.files.limits import MAX_DECODED_BYTES, MAX_RECORD_BYTES, SNIFF_BYTES
from llm_audit.sources.files.parquet.json_lines import has_json_form, with_lines
from llm_audit.sources.files.parquet.ranges import GroupRows, expansion, rows_within
from llm_audit.sources.files.storage import Source, open_binary
from llm_audit.sources.files.tables import Row, plain

_ROWS_AT_ONCE = 512
_WRITTEN_OUT = frozenset({"PLAIN", "RLE", "BIT_PACKED"})
"""Encodings that write each text as often as it occurs."""

Piece = tuple[int, Item | bytes]
"""A row's number from 1 and the row, or the number of the first of several rows and their lines."""


def parquet_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of a Parquet file that are not deleted, without the columns that are null in a row."""
    rows = ((number, item) for number, item in _pieces(source, as_lines=False) if not isinstance(item, bytes))
    if not source.deleted:
        return rows
    from llm_audit.sources.files.lakes.deleted import places_of

    deleted = places_of(source.deleted)
    return ((number, item) for number, item in rows if number - 1 not in deleted)


def parquet_pieces(source: Source, *, within: tuple[int, int] | None = None) -> Iterator[Piece]:
    """Yield the rows that ``parquet_rows`` yields, or those of a range, as JSON lines where these hold the same values.

    The rows of a range are numbered from 1.
    """
    return parquet_rows(source) if source.deleted else _pieces(source, as_lines=True, within=within)


def _pieces(source: Source, *, as_lines: bool, within: tuple[int, int] | None = None) -> Iterator[Piece]:
    """Yield all rows of a Parquet file, or those of a range.

    Texts stay in their dictionaries until a row is made of them, so that a value repeated in every row is held once.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with open_binary(source) as file:
        try:
            described = pq.ParquetFile(pa.PythonFile(file, mode="r")).metadata
            if (bomb := expansion(described)) is not None:
                yield 1, Rejected(Reason.UNREADABLE, note=bomb)
                return
            # Of an object, which is not fetched whole to see its first rows, columns are read a piece at a time.
            table = pq.ParquetFile(
                pa.PythonFile(file, mode="r"),
                read_dictionary=_repeated_texts(described),
                buffer_size=SNIFF_BYTES if source.remote else 0,
            )
            as_lines = as_lines and has_json_form(table.schema_arrow)
            as_they_are = frozenset(column.name for column in table.schema_arrow if _is_plain(column.type))
            for batch in _batches(table, rows_within(described, *(within or (0, None)))):
                for bounded in _bounded(batch):
                    if bounded is None:
                        number += 1
                        yield number, Rejected(Reason.TOO_LONG)
                        continue
                    for part, lines in with_lines(bounded) if as_lines else [(bounded, None)]:
                        if lines is not None:
                            yield number + 1, lines
                            number += part.num_rows
                            continue
                        for row in part.to_pylist():
                            number += 1
                            yield number, _record(row, as_they_are)
        except (pa.ArrowException, OSError, ValueError, OverflowError):
            yield number + 1, Rejected(Reason.TRUNCATED)


def _batches(table: Any, wanted: Sequence[GroupRows]) -> Iterator[Any]:
    """Yield the rows of one row group after another; Arrow cannot join dictionaries inside of lists and objects."""
    for rows in wanted:
        before = 0
        for batch in table.iter_batches(_ROWS_AT_ONCE, row_groups=[rows.group]):
            first, last = max(rows.first - before, 0), min(rows.last - before, batch.num_rows)
            if first < last:
                yield batch.slice(first, last - first)
            before += batch.num_rows
            if before >= rows.last:
                break


def _record(row: dict[str, Any], as_they_are: frozenset[str]) -> Record:
    return {name: value if name in as_they_are else plain(value) for name, value in row.items() if value is not None}


def _repeated_texts(described: Any) -> list[str]:
    """Return the columns of texts that may be packed as dictionaries, and are then read as such."""
    groups = [described.row_group(place) for place in range(described.num_row_groups)]
    columns = map(described.schema.column, range(described.num_columns))
    return [
        column.path
        for place, column in enumerate(columns)
        if column.physical_type == "BYTE_ARRAY"
        and column.logical_type.type != "DECIMAL"
        and not all(_WRITTEN_OUT.issuperset(group.column(place).encodings) for group in groups)
    ]


def _is_plain(kind: Any) -> bool:
    """Return whether Arrow gives values of a type as ``plain`` would: without bytes, decimals or maps in them."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_plain(kind.value_type)
    if pa.types.is_struct(kind):
        return all(_is_plain(field.type) for field in kind)
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(texts or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


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
