"""Rows of an Arrow batch as JSON lines, each of which is decoded to what Arrow gives as a row's Python values.

A line leaves out the columns that are null in its row. Rows with values that JSON lacks have no lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from llm_audit.sources.files.parquet.bounds import bounded

try:
    from llm_audit.sources.files.parquet import _json
except ImportError:  # built only where a C compiler is available
    COMPILED = False
else:
    COMPILED = True

LINES_AT_ONCE = 8192 if COMPILED else 512
"""Rows to give at once; without compiled code, dictionaries are written out for all of them."""
MAX_LINES_BYTES = 1 << 24
"""Rows are written as lines together as long as these cannot have more bytes."""

_LINES_BYTES = 1 << 20  # written at once by compiled code, so that they are read while a processor's cache has them
_MAX_SHAPES = 16  # sets of columns that are not null, in the rows of a batch
_MAX_NULLABLE = 62
_NUMBER_BYTES = 25  # of the longest number, and a comma
_ESCAPED_BYTES = 6  # of a control character


def has_json_form(schema: Any) -> bool:
    """Return whether JSON can state all values of these types but numbers that are not finite."""
    return _are_keys(schema.names) and all(_is_json(field.type) for field in schema)


ArrayParts = tuple[str, bytes, int, int, Any, Any, Any, tuple[Any, ...]]
"""An array for compiled code: kind, key, offset, length, buffers of validity, values and texts, and arrays in it."""


def with_lines(batch: Any) -> Iterator[tuple[Any, bytes | None]]:
    """Yield a batch of such types in parts, each with its rows as lines; None where the part has none.

    A part without lines has a bounded size; it is None in place of a row over the limit.
    """
    if not COMPILED:
        yield from _written_parts(batch)
        return
    for part, lines in _compiled_parts(batch):
        if lines is None:
            yield from ((own, None) for own in bounded(part))
        else:
            yield part, lines


def _written_parts(batch: Any) -> Iterator[tuple[Any, bytes | None]]:
    import pyarrow as pa

    schema = pa.schema([field.with_type(_written_out(field.type)) for field in batch.schema])
    for part in bounded(batch):
        try:
            written_out = None if part is None else part.cast(schema)
            if written_out is not None:
                written_out.validate(full=True)  # that texts are UTF-8, above all
        except pa.ArrowException:
            written_out = None
        if written_out is None:
            yield part, None
        else:
            yield from _parts(written_out)


def _compiled_parts(batch: Any) -> Iterator[tuple[Any, bytes | None]]:
    """Yield a batch in parts, as compiled code writes them, from dictionaries and without a copy of all texts."""
    import pyarrow as pa

    try:
        batch.validate(full=True)
    except pa.ArrowException:
        yield batch, None
        return
    columns = tuple(_array(name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True))
    rows: ArrayParts = ("struct", b"", 0, batch.num_rows, None, None, None, columns)
    row = 0
    while row < batch.num_rows:
        lines, end = _json.write(rows, row, min(_LINES_BYTES, MAX_LINES_BYTES), MAX_LINES_BYTES // 2)
        if lines:
            yield batch.slice(row, end - row), lines
            row = end
        else:
            yield batch.slice(row, 1), None
            row += 1


def _array(name: str, array: Any) -> ArrayParts:
    import pyarrow as pa

    kind, (valid, *buffers) = array.type, array.buffers()
    named = str(kind)
    children: list[tuple[str, Any]] = []
    if pa.types.is_dictionary(kind):
        named, buffers, children = "dictionary", [], [("", array.indices), ("", array.dictionary)]
    elif _is_list(kind):
        named, children = "list" if pa.types.is_list(kind) else "large_list", [("", array.values)]
    elif pa.types.is_struct(kind):
        named, buffers = "struct", []
        children = [(field.name, array.field(place)) for place, field in enumerate(kind)]
    values, texts = (*buffers, None, None)[:2]
    parts = tuple(_array(*child) for child in children)
    key = f"{json.dumps(name, ensure_ascii=False)}:".encode()
    return named, key, array.offset, len(array), valid, values, None if parts else texts, parts


def _parts(batch: Any) -> Iterator[tuple[Any, bytes | None]]:
    rows = batch.num_rows
    if _most_bytes(batch) <= MAX_LINES_BYTES:
        yield batch, _lines(batch) if all(map(_is_finite, batch.columns)) else None
    elif rows == 1:
        yield batch, None
    else:
        yield from _parts(batch.slice(0, rows // 2))
        yield from _parts(batch.slice(rows // 2))


def _lines(batch: Any) -> bytes | None:
    """Return the rows as lines, written together where the same columns are null; None where these vary too much."""
    import numpy as np

    nulls = [column.null_count for column in batch.columns]
    nullable = [place for place, count in enumerate(nulls) if 0 < count < batch.num_rows]
    if len(nullable) > _MAX_NULLABLE:
        return None
    shapes = np.zeros(batch.num_rows, np.int64)
    for bit, place in enumerate(nullable):
        shapes |= batch.column(place).is_null().to_numpy(zero_copy_only=False).astype(np.int64) << bit
    distinct = np.unique(shapes).tolist()
    if len(distinct) > _MAX_SHAPES:
        return None
    found = [b""] * batch.num_rows
    for shape in distinct:
        absent = {place for bit, place in enumerate(nullable) if shape >> bit & 1}
        kept = [place for place, count in enumerate(nulls) if count < batch.num_rows and place not in absent]
        if len(distinct) == 1:
            return _written(batch.select(kept), batch.num_rows)
        rows = np.flatnonzero(shapes == shape)
        lines = _written(batch.select(kept).take(rows), len(rows))
        for row, line in zip(rows.tolist(), lines.splitlines(keepends=True), strict=True):
            found[row] = line
    return b"".join(found)


def _written(batch: Any, rows: int) -> bytes:
    import polars as pl

    if not batch.num_columns:
        return b"{}\n" * rows
    lines = BytesIO()
    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)
    frame.write_ndjson(lines)
    return lines.getvalue()


def _are_keys(names: list[str]) -> bool:
    """Return whether names are distinct, and such that polars keeps them as they are."""
    return len(set(names)) == len(names) and all(name and name.isprintable() for name in names)


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_json(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    if _is_list(kind):
        return _is_json(kind.value_type)
    if pa.types.is_struct(kind):
        names = [field.name for field in kind]
        return bool(names) and _are_keys(names) and all(_is_json(field.type) for field in kind)
    scalar = pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_float64(kind)
    return bool(scalar or pa.types.is_null(kind) or _is_text(kind))


def _written_out(kind: Any) -> Any:
    """Return a type without dictionaries."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return kind.value_type
    if _is_list(kind):
        field = kind.value_field.with_type(_written_out(kind.value_type))
        return pa.list_(field) if pa.types.is_list(kind) else pa.large_list(field)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_written_out(field.type)) for field in kind])
    return kind


def _most_bytes(values: Any) -> int:
    """Return how many bytes the lines of a batch, or the JSON of an array of objects, have at most."""
    import pyarrow as pa

    if isinstance(values, pa.Array) and not pa.types.is_struct(values.type):
        return _most_bytes_of(values)
    fields = values.schema if isinstance(values, pa.RecordBatch) else values.type
    columns = values.columns if isinstance(values, pa.RecordBatch) else values.flatten()
    names = sum(_ESCAPED_BYTES * len(field.name.encode()) + 4 for field in fields)
    return len(values) * (names + 3) + sum(map(_most_bytes, columns))


def _most_bytes_of(array: Any) -> int:
    if _is_list(array.type):
        return len(array) * 5 + _most_bytes(array.flatten())
    if _is_text(array.type):
        return _ESCAPED_BYTES * int(array.nbytes)  # which include an end of 4 bytes a text
    return len(array) * _NUMBER_BYTES


def _is_finite(array: Any) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if _is_list(array.type):
        return _is_finite(array.flatten())
    if pa.types.is_struct(array.type):
        return all(map(_is_finite, array.flatten()))
    return not pa.types.is_floating(array.type) or bool(pc.all(pc.is_finite(array), min_count=0).as_py())
