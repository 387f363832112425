"""Find the candidate rows that repeat a request: duplicates of one call, and spans that restate a child's usage."""

from __future__ import annotations

import numpy as np
import polars as pl

from llm_audit.vocabulary import ServiceTier, UsageSource

_FROM_PROVIDERS = (UsageSource.REPORTED.value, UsageSource.AMBIGUOUS.value)
_INPUT_COLUMNS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")

_DUPLICATE_INPUTS = (*_INPUT_COLUMNS, "audio_input_tokens")
_OUTPUT_COLUMNS = ("output_tokens", "audio_output_tokens")
_BILLED_BESIDE = ("service_tier", "tool_calls_billed", "fees_billed")

DUPLICATE_COLUMNS = (
    *("merge_key", "time", "usage_source", *_DUPLICATE_INPUTS, *_OUTPUT_COLUMNS, *_BILLED_BESIDE),
    *("stated_cost_pico", "prompt_hash"),
)
"""Columns that decide which rows are duplicates, with ``origin`` (rank of the input by its hash) and ``line``."""

SPAN_COLUMNS = ("trace", "span", "parent_span", "wraps_calls", "usage_source", *_INPUT_COLUMNS, "output_tokens")
"""Columns that decide which spans repeat the usage of others."""

_MOST_FIRST = {
    "merge_key": False,
    "counted": True,
    "all_output": True,
    "certain": True,
    "all_input": True,
}
_LAST = {
    "output_tokens": False,
    "beside": True,
    "source": False,
    "stated_cost_pico": True,
    "time": False,
    "prompt_hash": True,
    "origin": False,
    "line": False,
    "row": False,
}
"""What duplicates are sorted by, before and after their inputs, and whether from the largest."""

REPLY_COLUMNS = ("calls_tools", "tool_call_hash", "reply_hash", "tools_called")
"""Columns that are merged from all duplicates of a call."""


def duplicates(rows: pl.DataFrame) -> pl.Series:
    """Mark the rows that are duplicates of another.

    Of the rows with an equal ``merge_key`` the most complete stays: counts that the provider reported before those
    counted from text, then most output tokens, then counts without a doubt and most input tokens. Another source may
    not tell what its price depends on, so then the fewest plain tokens (others are cached, or audio), and a service
    tier or fees. Last it is by content and position, so that neither the order of files nor how they were split
    decides.

    Args:
        rows: ``DUPLICATE_COLUMNS``, ``origin`` and ``line``; rows that are equal in them stay in order.
    """
    source = pl.col("usage_source").cast(pl.String)
    order = _MOST_FIRST | dict.fromkeys(_DUPLICATE_INPUTS, True) | _LAST
    order["input_tokens"] = False
    repeated = (
        rows.with_row_index("row")
        .filter(pl.col("merge_key").is_not_null() & pl.col("merge_key").is_duplicated())
        .with_columns(
            all_input=pl.sum_horizontal(*_DUPLICATE_INPUTS),
            all_output=pl.sum_horizontal(*_OUTPUT_COLUMNS),
            counted=pl.any_horizontal(pl.col(_OUTPUT_COLUMNS).is_not_null())
            & source.is_in(_FROM_PROVIDERS).fill_null(value=False),
            certain=(source == UsageSource.REPORTED).fill_null(value=False),
            beside=_billed_beside(),
            source=source,
        )
        .sort(list(order), descending=list(order.values()), nulls_last=True)
    )
    extra = repeated.filter(~pl.col("merge_key").is_first_distinct())["row"]
    return _mask(rows.height, extra)


def _billed_beside() -> pl.Expr:
    """Return how much a row tells of its price beside tokens; a tier that a source does not state is standard."""
    tier = pl.col("service_tier").cast(pl.String)
    told = ((tier != ServiceTier.STANDARD), pl.col("tool_calls_billed") > 0, pl.col("fees_billed").is_not_null())
    return pl.sum_horizontal(each.fill_null(value=False).cast(pl.Int8) for each in told)


def merge_reply_fields(rows: pl.DataFrame) -> pl.DataFrame:
    """Merge the reply columns of the duplicates of each call: a transcript writes each block on a line of its own.

    Args:
        rows: ``REPLY_COLUMNS``, ``merge_key``, ``time``, ``origin`` and ``line``.

    Returns:
        For each row with a duplicate its position (``row``) and ``REPLY_COLUMNS``: whether any duplicate calls a tool,
        the first call's id, the last text, which is all of a text that grows and the end of a text in blocks, and the
        tools that any calls.
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
            _all_names("tools_called").over("merge_key"),
        )
        .sort("row")
    )


def _all_names(column: str) -> pl.Expr:
    """Return the names in any of the lists of a group, sorted; null where there is no list."""
    lists = pl.col(column).cast(pl.String).drop_nulls()
    names = lists.str.split(",").explode().unique().sort()
    return pl.when(lists.len() > 0).then(names.filter(names != "").str.join(","))


def repeated_spans(rows: pl.DataFrame) -> pl.Series:
    """Mark the rows whose usage other spans repeat: a tracer's own span around the call, or around several.

    A span with a child that has usage is such a span. So is one whose usage is the sum of spans further down, with
    spans in between that are no calls and hence no rows: of those that share a parent which is no row, or, for the root
    of a trace, of all that are left.

    Args:
        rows: ``SPAN_COLUMNS``, without duplicates.
    """
    if not rows["wraps_calls"].any():
        return _mask(rows.height, pl.Series([], dtype=pl.UInt32))
    used = (
        rows.with_row_index("row")
        .filter(
            (pl.col("usage_source") != "none")
            & pl.any_horizontal(pl.col("input_tokens", "output_tokens").is_not_null())
            & pl.col("trace").is_not_null()
        )
        .with_columns(all_input=pl.sum_horizontal(*_INPUT_COLUMNS), output=pl.col("output_tokens").fill_null(0))
    )
    wrappers = rows.with_row_index("row").filter(pl.col("wraps_calls").fill_null(value=False))
    children = used.filter(pl.col("parent_span").is_not_null())
    found = wrappers.join(children, left_on=["trace", "span"], right_on=["trace", "parent_span"], how="semi")["row"]
    left = used.filter(~pl.col("row").is_in(found.implode()))
    for look in (_sums_of_a_parent, _sum_of_a_trace):
        more = look(left, used)
        found, left = found.append(more), left.filter(~pl.col("row").is_in(more.implode()))
    return _mask(rows.height, found)


def _candidates(rows: pl.DataFrame) -> pl.DataFrame:
    some = pl.col("all_input") + pl.col("output") > 0
    return rows.filter(pl.col("wraps_calls").fill_null(value=False) & pl.col("span").is_not_null() & some)


def _sums_of_a_parent(left: pl.DataFrame, used: pl.DataFrame) -> pl.Series:
    """Return the rows that have the usage of all spans below one span that is no row."""
    orphans = left.filter(pl.col("parent_span").is_not_null()).join(
        used.select("trace", parent_span="span"), on=["trace", "parent_span"], how="anti"
    )
    groups = orphans.group_by("trace", below="parent_span").agg(
        below_input=pl.col("all_input").sum(), below_output=pl.col("output").sum(), calls=pl.len()
    )
    pairs = _candidates(left).join(groups, on="trace", how="inner")
    root = pl.col("parent_span").is_null()
    return pairs.filter(
        (pl.col("all_input") == pl.col("below_input"))
        & (pl.col("output") == pl.col("below_output"))
        & (root | ((pl.col("calls") > 1) & (pl.col("parent_span") != pl.col("below"))))
    )["row"].unique()


def _sum_of_a_trace(left: pl.DataFrame, _used: pl.DataFrame) -> pl.Series:
    """Return the roots that have the usage of all other spans of their trace."""
    sums = left.group_by("trace").agg(
        trace_input=pl.col("all_input").sum(), trace_output=pl.col("output").sum(), calls=pl.len()
    )
    roots = _candidates(left).filter(pl.col("parent_span").is_null()).join(sums, on="trace", how="inner")
    return roots.filter(
        (2 * pl.col("all_input") == pl.col("trace_input"))
        & (2 * pl.col("output") == pl.col("trace_output"))
        & (pl.col("calls") > 2)
    )["row"]


def _mask(height: int, rows: pl.Series) -> pl.Series:
    marks = np.zeros(height, bool)
    marks[rows.to_numpy()] = True
    return pl.Series(marks)
