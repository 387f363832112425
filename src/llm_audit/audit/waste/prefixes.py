"""Waste of prompts that begin alike: system prompt and tools sent again at full price where a cache would hold them.

Whether a prefix was sent shortly before takes the whole log, so a survey of its parts comes first: for each prefix and
model of a provider, and each five minutes, the first and the last time it was sent. A request finds the prefix warm if
it is not the first of its five minutes, or if the last of those before is at most a cache's lifetime ago.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from llm_audit.arrays import Ints
from llm_audit.audit.waste.inputs import (
    CACHE_LIFETIME_US,
    MIN_CHARS_PER_TOKEN,
    Found,
    Prefixes,
    WasteInputs,
    leading_tokens,
)
from llm_audit.policy import NO_RATE, Columns

LEAST_CHARS = 1_000 * MIN_CHARS_PER_TOKEN
"""Shorter prefixes are below what any provider caches."""

SURVEYED = (
    "prefix_hash",
    "prefix_chars",
    "provider",
    "model",
    "time",
    "status",
    "service_tier",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)
"""The ledger's columns that ``sends`` reads."""

_GROUP = ("prefix_hash", "model_of_provider")  # providers of a model have a cache each
_SPAN = (*_GROUP, "span")
_THOUSAND = 1_000
_MOST_MISSES = 100 * _THOUSAND  # beyond it no cache pays: a write costs at least a hundredth of what a read saves


def sends(frame: pl.DataFrame) -> pl.DataFrame:
    """Return when a part of a log sent each prefix: a row for each five minutes, and one for undated requests.

    Columns are ``prefix_hash``, ``model_of_provider``, ``span``, the ``first`` and ``last`` time (microseconds), the
    requests ``at_first``, the ``count`` of all, and whether any ``touched`` a cache.
    """
    time = pl.col("time").dt.epoch("us")
    cached = pl.sum_horizontal("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens") > 0
    rows = frame.filter(_is_cacheable()).select(
        "prefix_hash", _model_of_provider(), span=time // CACHE_LIFETIME_US, time=time, touched=cached
    )
    return rows.group_by(_SPAN).agg(
        first=pl.col("time").min(),
        last=pl.col("time").max(),
        at_first=(pl.col("time") == pl.col("time").min()).sum().cast(pl.Int64),
        count=pl.col("time").count().cast(pl.Int64),
        touched=pl.col("touched").any(),
    )


def add_sends(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return when a log sent each prefix, from its parts."""
    earliest = pl.col("first") == pl.col("first").min()
    return (
        pl.concat(parts)
        .group_by(_SPAN)
        .agg(
            pl.col("first").min(),
            pl.col("last").max(),
            pl.col("at_first").filter(earliest).sum(),
            pl.col("count").sum(),
            pl.col("touched").any(),
        )
    )


def uncached(log: pl.DataFrame) -> pl.DataFrame:
    """Return the spans of prefixes that were sent again while warm, and that no request of theirs cached.

    Columns are ``prefix_hash``, ``model_of_provider``, ``span``, ``first``, whether it was ``warm`` by then, and
    ``misses``: the requests of the whole log that would have written the prefix, for each thousand that would have read
    it.
    """
    hits, misses = pl.col("count").sum().over(_GROUP) - pl.col("cold").sum().over(_GROUP), pl.col("cold").sum()
    since = pl.col("first") - pl.col("last").shift(1).over(_GROUP)
    return (
        log.filter(~pl.col("touched").any().over(_GROUP) & pl.col("span").is_not_null())
        .sort(_SPAN)
        .with_columns(warm=(since <= CACHE_LIFETIME_US).fill_null(value=False))
        .with_columns(cold=pl.when("warm").then(0).otherwise("at_first"))
        .with_columns(hits=hits, cold=misses.over(_GROUP))
        .filter(pl.col("hits") > 0)
        .with_columns(misses=(pl.col("cold") * _THOUSAND + pl.col("hits") - 1) // pl.col("hits"))
        .select(*_SPAN, "first", "warm", pl.col("misses").clip(upper_bound=_MOST_MISSES))
    )


def prefixes(columns: Columns, log: pl.DataFrame) -> Prefixes:
    """Return the requests of a part that sent a prefix again while a cache would have held it.

    Args:
        columns: Reads columns of the part.
        log: Of the whole log: see ``uncached``.
    """
    time = pl.col("time").dt.epoch("us")
    found = pl.DataFrame(
        schema=dict.fromkeys(("row", "chars", "of_chars", "misses"), pl.Int64) | {"stated": pl.Boolean}
    )
    if log.height:
        found = (
            columns([*SURVEYED, "prompt_chars", "tools_chars", "usage_source"])
            .with_row_index("row")
            .filter(_is_cacheable() & (pl.col("usage_source").cast(pl.String) != "estimated"))
            .with_columns(_model_of_provider(), time=time, span=time // CACHE_LIFETIME_US)
            .join(log.lazy(), on=_SPAN, how="inner", maintain_order="left")
            .filter(pl.col("warm") | (pl.col("time") > pl.col("first")))
            .select(
                pl.col("row").cast(pl.Int64),
                chars="prefix_chars",
                of_chars=pl.col("prompt_chars") + pl.col("tools_chars").fill_null(0),
                misses="misses",
                stated=pl.col("cache_read_tokens").is_not_null(),
            )
            .drop_nulls("of_chars")
            .collect()
        )
    return Prefixes(
        rows=found["row"].to_numpy(),
        chars=found["chars"].to_numpy(),
        of_chars=found["of_chars"].to_numpy(),
        misses=found["misses"].to_numpy(),
        stated=found["stated"].to_numpy(),
    )


def resent_prefixes(inputs: WasteInputs, rows: Ints) -> Found:
    """Prompts that began like another shortly before, in full, though the model's cache would have held that much.

    What is saved of each is less its share of writing the prefix anew wherever the cache would have been cold.
    """
    held, requests = inputs.recurring.prefixes, inputs.requests
    free = np.zeros(len(requests), dtype=np.bool_)
    free[rows] = True
    of = free[held.rows]
    rows = held.rows[of]
    tokens = leading_tokens(held.chars[of], held.of_chars[of], requests.input_tokens[rows])
    fresh, read, write = inputs.rates(rows).T
    premium = np.maximum(np.where(write == NO_RATE, fresh, write) - fresh, 0)
    least = inputs.least_cached(rows)
    # Without a count of cache reads, only what has to be asked for, and costs extra, was surely not used.
    known = (fresh != NO_RATE) & (read != NO_RATE) & (held.stated[of] | (premium > 0))
    written = -(-tokens * premium * held.misses[of] // _THOUSAND)
    saved = tokens * (fresh - read) - written
    return rows, np.where(known & (least > 0) & (tokens >= least), saved, 0)


def _model_of_provider() -> pl.Expr:
    """Return the model with its provider; null where the model is not known."""
    provider = pl.col("provider").cast(pl.String).fill_null("")
    return pl.concat_str(provider, pl.col("model").cast(pl.String), separator="/").alias("model_of_provider")


def _is_cacheable() -> pl.Expr:
    """Return whether a request has a prefix that is worth a cache, and would have found or left one."""
    sent = pl.col("status").cast(pl.String) != "error"
    at_once = pl.col("service_tier").cast(pl.String) != "batch"
    long = pl.col("prefix_hash").is_not_null() & (pl.col("prefix_chars") >= LEAST_CHARS)
    return long & sent.fill_null(value=True) & at_once.fill_null(value=True)
