import io
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_audit.sources.entry import Rejected
from llm_audit.sources.files.find import find
from llm_audit.sources.files.parquet import parquet_rows
from llm_audit.sources.files.parquet.footer import Chunk, read_chunks

ENCODINGS = {
    "PLAIN": 0,
    "PLAIN_DICTIONARY": 2,
    "RLE": 3,
    "BIT_PACKED": 4,
    "DELTA_BINARY_PACKED": 5,
    "DELTA_LENGTH_BYTE_ARRAY": 6,
    "DELTA_BYTE_ARRAY": 7,
    "RLE_DICTIONARY": 8,
    "BYTE_STREAM_SPLIT": 9,
}
ROWS = [
    {
        "model": f"model-{number % 3}",
        "prompt": f"Question {number} " * (number % 7),
        "usage": {"input_tokens": number, "details": [{"kind": "text", "tokens": number * 2}] if number % 2 else []},
        "cost": Decimal(number) / 100,
        "stream": number % 2 == 0,
        "latency": None if number % 5 == 0 else number / 3,
    }
    for number in range(60)
]


def written(**options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), sink, **options)
    return sink.getvalue()


def arrows(data: bytes) -> list[list[Chunk]]:
    """The columns as Arrow states them."""
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    return [[chunk(group.column(place)) for place in range(group.num_columns)] for group in groups]


def chunk(column: Any) -> Chunk:
    pages = column.dictionary_page_offset, column.data_page_offset
    return Chunk(
        path=column.path_in_schema,
        encodings=frozenset(ENCODINGS[name] for name in column.encodings),
        first_byte=min(page for page in pages if page is not None),
        packed_bytes=column.total_compressed_size,
        unpacked_bytes=column.total_uncompressed_size,
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_dictionary": False},
        {"row_group_size": 7, "compression": "zstd"},
        {"use_dictionary": ["model"], "column_encoding": {"prompt": "DELTA_BYTE_ARRAY"}, "write_statistics": False},
        {"version": "1.0", "data_page_version": "2.0", "write_page_index": True, "store_schema": False},
    ],
    ids=["usual", "plain", "groups", "encodings", "version 1"],
)
def test_columns_are_those_that_arrow_finds(options: dict[str, Any]) -> None:
    data = written(**options)
    found = arrows(data)
    assert read_chunks(io.BytesIO(data), groups=len(found), columns=len(found[0])) == found


def test_a_footer_that_is_not_whole_or_of_other_columns_is_refused() -> None:
    data = written()
    groups, columns = len(arrows(data)), len(arrows(data)[0])
    for cut in (b"", data[-4:], data[-8:], data[:-9] + data[-8:], data[:200]):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever is found first
            read_chunks(io.BytesIO(cut), groups=groups, columns=columns)
    for wrong in ({"groups": groups + 1, "columns": columns}, {"groups": groups, "columns": columns - 1}):
        with pytest.raises(ValueError, match="than in the schema"):
            read_chunks(io.BytesIO(data), **wrong)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_footer_costs_the_file_and_no_more(tmp_path: Path, seed: int) -> None:
    """Arrow's own account of a column ends the process for one of these 600 files."""
    draw, data = random.Random(seed), written(row_group_size=20)
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    log = tmp_path / "log.parquet"
    refused = 0
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(draw.choice((1, 1, 4))):
            damaged[draw.randrange(start, len(data))] = draw.randrange(256)
        log.write_bytes(damaged)
        (source,) = find([log], spool=tmp_path).sources
        items = [item for _, item in parquet_rows(source)]
        refused += any(isinstance(item, Rejected) for item in items)
        assert all(isinstance(item, dict) for item in items[:-1])
    assert refused > 30
