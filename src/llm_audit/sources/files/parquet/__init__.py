"""Parquet files: their rows as records or as JSON lines, with bounded memory."""

from llm_audit.sources.files.parquet.rows import parquet_pieces, parquet_rows

__all__ = ["parquet_pieces", "parquet_rows"]
