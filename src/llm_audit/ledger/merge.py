"""Find the candidate rows that repeat a request: duplicates of one call, and spans that restate a child's usage."""

from __future__ import annotations

import numpy as np
import polars as pl

KEY_COLUMNS = (
    "merge_key",
    "time",
    "trace",
    "span",
    "parent_span",
    "wraps_calls",
    "usage_source",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "status",
    "stated_cost_pico",
    "prompt_hash",
)
"""Columns that decide which rows are duplicates, with ``origin`` (rank of the input by its hash) and ``line``."""

REPLY_COLUMNS = ("calls_tools", "tool_call_hash", "reply_hash")
"""Columns that are merged from all duplicates of a call."""

_INPUT_COLUMNS = [name for name in KEY_COLUMNS if name.endswith("_tokens") and name != "output_tokens"]


def duplicates(rows: pl.DataFrame) -> pl.Series:
    """Mark the rows that are duplicates of another.

    Of the rows with an equal ``merge_key`` the most complete stays: most output tokens, then most input tokens, then by
    content, then by position, so that neither the order of files nor how they were split decides.

    Args:
        rows: ``KEY_COLUMNS``, ``origin`` and ``line``.
    """
    repeated = (
        rows.with_row_index("row")
        .filter(pl.col("merge_key").is_not_null() & pl.col("merge_key").is_duplicated())
        .with_columns(all_input=pl.sum_horizontal(_INPUT_COLUMNS))
        .sort(
            "merge_key",
            "output_tokens",
            "all_input",
            *_INPUT_COLUMNS,
            "stated_cost_pico",
            "time",
            "prompt_hash",
            "origin",
            "line",
            "row",
            descending=[False, True, True, *[True] * len(_INPUT_COLUMNS), True, False, True, False, False, False],
            nulls_last=True,
        )
    )
    extra = repeated.filter(~pl.col("merge_key").is_first_distinct())["row"]
    return _mask(rows.height, extra)


def merge_reply_fields(rows: pl.DataFrame) -> pl.DataFrame:
    """Merge the reply columns of the duplicates of each call: a transcript writes each block on a line of its own.

    Args:
        rows: ``REPLY_COLUMNS``, ``merge_key``, ``time``, ``origin`` and ``line``.

    Returns:
        For each row with a duplicate its position (``row``) and ``REPLY_COLUMNS``: whether any duplicate calls a tool,
        the first call's id, and the last text, which is all of a text that grows and the end of a text in blocks.
    """
    return (
        rows.with_row_index("row")
        .filter(pl.col("merge_key").is_not_null() & pl.col("merge_key").is_duplicated())
        .sort("time", "origin", "line", "row", nulls_last=True)
        .select(
            "row",
            pl.col("calls_tools").max().over("merge_key"),
            pl.col("tool_call_hash").drop_nulls().first().over("merge_key"),
            pl.col("reply_hash").drop_nulls().last().over("merge_key"),
        )
        .sort("row")
    )


def repeated_spans(rows: pl.DataFrame) -> pl.Series:
    """Mark the rows whose usage a child span repeats: a tracer's own span around the call.

    Args:
        rows: ``KEY_COLUMNS``, without duplicates.
    """
    wrappers = rows.with_row_index("row").filter(pl.col("wraps_calls").fill_null(value=False))
    children = rows.filter(
        (pl.col("usage_source") != "none")
        & pl.any_horizontal(pl.col("input_tokens", "output_tokens").is_not_null())
        & pl.col("parent_span").is_not_null()
    )
    found = wrappers.join(children, left_on=["trace", "span"], right_on=["trace", "parent_span"], how="semi")
    return _mask(rows.height, found["row"])


def _mask(height: int, rows: pl.Series) -> pl.Series:
    marks = np.zeros(height, bool)
    marks[rows.to_numpy()] = True
    return pl.Series(marks)
