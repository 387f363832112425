"""Which candidate rows are requests: repeats of one call are merged, spans that repeat a child's usage are dropped."""

from __future__ import annotations

import numpy as np
import polars as pl

KEYS = (
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
"""Columns of the ledger that merging looks at, beside ``origin`` (rank of the input by its hash) and ``line``."""

REPLY = ("calls_tools", "tool_call_hash", "reply_hash")
"""Columns that are taken from all repeats of a call."""

_INPUT = [name for name in KEYS if name.endswith("_tokens") and name != "output_tokens"]


def duplicates(rows: pl.DataFrame) -> pl.Series:
    """Mark the rows that repeat another one.

    Of the rows with an equal ``merge_key`` the fullest stays: most output tokens, then most input tokens, then by
    content, then by place, so that neither the order of files nor how they were split decides.

    Args:
        rows: ``KEYS``, ``origin`` and ``line``.
    """
    repeated = (
        rows.with_row_index("row")
        .filter(pl.col("merge_key").is_not_null() & pl.col("merge_key").is_duplicated())
        .with_columns(all_input=pl.sum_horizontal(_INPUT))
        .sort(
            "merge_key",
            "output_tokens",
            "all_input",
            *_INPUT,
            "stated_cost_pico",
            "time",
            "prompt_hash",
            "origin",
            "line",
            "row",
            descending=[False, True, True, *[True] * len(_INPUT), True, False, True, False, False, False],
            nulls_last=True,
        )
    )
    extra = repeated.filter(~pl.col("merge_key").is_first_distinct())["row"]
    return _marked(rows.height, extra)


def told_by_repeats(rows: pl.DataFrame) -> pl.DataFrame:
    """What the repeats of a call tell together of its reply: a transcript writes each block on a line of its own.

    Args:
        rows: ``REPLY``, ``merge_key``, ``time``, ``origin`` and ``line``.

    Returns:
        For each row with a repeat its place (``row``) and ``REPLY``: whether any repeat calls a tool, the first
        call's id, and the last text, which is the whole of one that grows and the end of one in blocks.
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
    """Mark the rows whose usage a child span states again: a tracer's own span around the call.

    Args:
        rows: ``KEYS``, without duplicates.
    """
    wrappers = rows.with_row_index("row").filter(pl.col("wraps_calls").fill_null(value=False))
    children = rows.filter(
        (pl.col("usage_source") != "none")
        & pl.any_horizontal(pl.col("input_tokens", "output_tokens").is_not_null())
        & pl.col("parent_span").is_not_null()
    )
    found = wrappers.join(children, left_on=["trace", "span"], right_on=["trace", "parent_span"], how="semi")
    return _marked(rows.height, found["row"])


def _marked(height: int, rows: pl.Series) -> pl.Series:
    marks = np.zeros(height, bool)
    marks[rows.to_numpy()] = True
    return pl.Series(marks)
