"""Arrow types of the ledger's columns, for the processes that read logs; ``ledger.columns`` declares the columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def parquet_writer(target: Path) -> Any:
    """Open a Parquet file of the ledger's columns for writing."""
    # Dictionaries of hashes and counts would take more space than they save.
    return pq.ParquetWriter(
        target, ARROW_SCHEMA, compression="zstd", compression_level=1, use_dictionary=_DICTIONARY_COLUMNS
    )
