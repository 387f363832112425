"""Rows of tables as records: CSV, Parquet, and the SQLite database of the ``llm`` tool."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from llm_audit.sources.decode import Item
from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files.limits import MAX_RECORD_BYTES
from llm_audit.sources.files.storage import Source, open_binary
from llm_audit.sources.files.stream import Blocks, BrokenStreamError

_ROWS_AT_ONCE = 512
_SEPARATOR_LINE = re.compile(r"sep=(.)")
_DELIMITERS = ",\t;|"
_SQLITE_ROWS = "SELECT * FROM responses ORDER BY rowid"

Row = tuple[int, Item]
"""Line or row number from 1, and the row."""


def csv_rows(blocks: Blocks) -> Iterator[Row]:
    """Yield the rows of delimited text with a header, without empty cells. The number is the row's first line."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    lines = _text_lines(blocks)
    first = next(lines, "")
    named = _SEPARATOR_LINE.fullmatch(first.removeprefix("\ufeff").strip("\r\n"))
    if named is not None:  # Excel writes which it used
        first = next(lines, "")
    reader = csv.reader(chain([first], lines), delimiter=named[1] if named else delimiter(first))
    header = next(reader, [])
    before = 1 if named else 0
    line = reader.line_num + 1 + before
    while True:
        try:
            cells = next(reader, None)
        except BrokenStreamError:
            yield reader.line_num + 1 + before, Rejected(Reason.TRUNCATED)
            return
        except csv.Error:
            yield line, Rejected(Reason.BAD_SHAPE)
        else:
            if cells is None:
                return
            if any(cells):
                yield line, _csv_row(header, cells)
        line = reader.line_num + 1 + before


def delimiter(header: str) -> str:
    """Return the delimiter that a header uses most."""
    return max(_DELIMITERS, key=header.count)


def parquet_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of a Parquet file, without the columns that are null in a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with open_binary(source) as file:
        try:
            batches = pq.ParquetFile(pa.PythonFile(file, mode="r")).iter_batches(_ROWS_AT_ONCE)
            for batch in batches:
                for number, row in enumerate(batch.to_pylist(), number + 1):  # noqa: B020 - goes on from before
                    yield number, {name: _plain(value) for name, value in row.items() if value is not None}
        except (pa.ArrowException, OSError, ValueError, OverflowError):
            yield number + 1, Rejected(Reason.TRUNCATED)


def sqlite_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of the table ``responses`` of a database on disk, in the order they were written."""
    number = 0
    try:
        with closing(sqlite3.connect(f"{Path(source.path).as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            for number, row in enumerate(database.execute(_SQLITE_ROWS), 1):
                yield number, {name: _plain(row[name]) for name in row.keys() if row[name] is not None}  # noqa: SIM118
    except sqlite3.Error:
        yield number + 1, Rejected(Reason.TRUNCATED if number else Reason.UNKNOWN_FORMAT)


def _csv_row(header: list[str], cells: list[str]) -> Item:
    if any(cells[len(header) :]):
        return Rejected(Reason.BAD_SHAPE)
    return {name: cell for name, cell in zip(header, cells, strict=False) if cell}


def _text_lines(blocks: Blocks) -> Iterator[str]:
    tail = b""
    for block in blocks:
        first, *rest = block.split(b"\n")
        if not rest:
            tail += first
            if len(tail) > MAX_RECORD_BYTES:  # the reader's own limit then rejects the row
                tail = tail[: MAX_RECORD_BYTES + 1]
            continue
        yield (tail + first).decode(errors="replace") + "\n"
        tail = rest.pop()
        for line in rest:
            yield line.decode(errors="replace") + "\n"
    if tail:
        yield tail.decode(errors="replace")


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
