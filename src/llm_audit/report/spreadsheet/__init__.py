"""Rows, files and sheets for programs that compute with them: CSV, Parquet, FOCUS and workbooks."""
