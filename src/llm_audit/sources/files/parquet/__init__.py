"""Parquet files: their rows as records or as JSON lines, with bounded memory."""

from llm_audit.sources.files.parquet.ranges import bytes_within, is_parquet, parquet_ranges, range_rows
from llm_audit.sources.files.parquet.rows import parquet_pieces, parquet_rows

__all__ = ["bytes_within", "is_parquet", "parquet_pieces", "parquet_ranges", "parquet_rows", "range_rows"]
