"""Rows of a Parquet file: as records, or many at once as JSON lines, which compiled code reads in less time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llm_audit.sources.decode import Item
from llm_audit.sources.entry import Reason, Record, Rejected
from llm_audit.sources.files.limits import SNIFF_BYTES
from llm_audit.sources.files.parquet.bounds import bounded
from llm_audit.sources.files.parquet.footer import Chunk
from llm_audit.sources.files.parquet.json_lines import LINES_AT_ONCE, has_json_form, with_lines
from llm_audit.sources.files.parquet.ranges import GroupRows, chunks_of, expansion, rows_within
from llm_audit.sources.files.storage import Source, open_binary
from llm_audit.sources.files.tables import Row, plain

_BATCH_BYTES = 1 << 24
_MAX_ROWS = 512
"""Read at once: rows of so many bytes, as the pages of their row group unpack, and no more than so many."""
_ROWS_AT_ONCE = 32  # made at once; as many are looked at to detect a format
_WRITTEN_OUT = frozenset({0, 3, 4})
"""Encodings that write each text as often as it occurs: PLAIN, RLE and BIT_PACKED."""

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
            groups = chunks_of(file, described)
            if (bomb := expansion(groups)) is not None:
                yield 1, Rejected(Reason.UNREADABLE, note=bomb)
                return
            # Of an object, which is not fetched whole to see its first rows, columns are read a piece at a time.
            table = pq.ParquetFile(
                pa.PythonFile(file, mode="r"),
                read_dictionary=_repeated_texts(described, groups),
                buffer_size=SNIFF_BYTES if source.remote else 0,
            )
            as_lines = as_lines and has_json_form(table.schema_arrow)
            as_they_are = frozenset(column.name for column in table.schema_arrow if _is_plain(column.type))
            most = LINES_AT_ONCE if as_lines else _MAX_ROWS
            for batch in _batches(table, rows_within(described, *(within or (0, None))), most):
                parts = with_lines(batch) if as_lines else ((part, None) for part in bounded(batch))
                for part, lines in parts:
                    if part is None:
                        number += 1
                        yield number, Rejected(Reason.TOO_LONG)
                    elif lines is not None:
                        yield number + 1, lines
                        number += part.num_rows
                    else:
                        for row in _rows(part):
                            number += 1
                            yield number, _record(row, as_they_are)
        except (pa.ArrowException, OSError, ValueError, OverflowError):
            yield number + 1, Rejected(Reason.TRUNCATED)


def _batches(table: Any, wanted: Sequence[GroupRows], most: int) -> Iterator[Any]:
    """Yield the rows of one row group after another; Arrow cannot join dictionaries inside of lists and objects."""
    for rows in wanted:
        before = 0
        group = table.metadata.row_group(rows.group)
        size = min(max(_BATCH_BYTES * group.num_rows // max(group.total_byte_size, 1), 1), most)
        for batch in table.iter_batches(size, row_groups=[rows.group], use_threads=False):
            first, last = max(rows.first - before, 0), min(rows.last - before, batch.num_rows)
            if first < last:
                yield batch.slice(first, last - first)
            before += batch.num_rows
            if before >= rows.last:
                break


def _rows(part: Any) -> Iterator[dict[str, Any]]:
    for first in range(0, part.num_rows, _ROWS_AT_ONCE):
        yield from part.slice(first, _ROWS_AT_ONCE).to_pylist()


def _record(row: dict[str, Any], as_they_are: frozenset[str]) -> Record:
    return {name: value if name in as_they_are else plain(value) for name, value in row.items() if value is not None}


def _repeated_texts(described: Any, groups: Sequence[Sequence[Chunk]]) -> list[str]:
    """Return the columns of texts that may be packed as dictionaries, and are then read as such."""
    columns = map(described.schema.column, range(described.num_columns))
    return [
        column.path
        for place, column in enumerate(columns)
        if column.physical_type == "BYTE_ARRAY"
        and column.logical_type.type != "DECIMAL"
        and not all(_WRITTEN_OUT.issuperset(group[place].encodings) for group in groups)
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
