"""The ledger's columns as Arrow types, for the processes that read logs; ``ledger.columns`` declares them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from llm_audit.ledger.columns import COLUMNS, Kind

_NAME = pa.dictionary(pa.int32(), pa.string())
TYPES = {
    Kind.ID: pa.uint64(),
    Kind.NAME: _NAME,
    Kind.COUNT: pa.int64(),
    Kind.INDEX: pa.uint32(),
    Kind.SMALL: pa.int32(),
    Kind.AMOUNT: pa.float64(),
    Kind.SCORE: pa.float32(),
    Kind.FLAG: pa.bool_(),
    Kind.TIME: pa.timestamp("us", tz="UTC"),
}
ARROW_SCHEMA = pa.schema([(name, TYPES[kind] if isinstance(kind, Kind) else _NAME) for name, kind in COLUMNS.items()])
"""Closed vocabularies are dictionaries of their words."""

_WORDS = [field.name for field in ARROW_SCHEMA if pa.types.is_dictionary(field.type)]


def parquet_writer(target: Path) -> Any:
    """Open a Parquet file of the ledger's columns for writing."""
    # A dictionary of hashes and counts would cost more than it saves.
    return pq.ParquetWriter(target, ARROW_SCHEMA, compression="zstd", compression_level=1, use_dictionary=_WORDS)
