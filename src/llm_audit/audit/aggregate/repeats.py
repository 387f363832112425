"""Requests whose very messages the same model was sent before by the same app.

They may be in any part of a log, so parts exchange what can repeat by the hash of the messages, a range of hashes at a
time: no more than the requests of one range are in memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from xxhash import xxh3_64_intdigest

from llm_audit.arrays import Bools, Ints
from llm_audit.audit.aggregate.interval import splitmix
from llm_audit.policy import Columns
from llm_audit.pricing import distinct_keys

RETRY_WINDOW_US = 10 * 60 * 10**6
"""A repeat within it is someone asking again; a later one is a question that a response cache would answer."""

FOUND = pl.Schema({"partition": pl.UInt32, "row": pl.UInt32, "retry": pl.Boolean})
"""Repeats by the partition and place of the request; the others came later than ``RETRY_WINDOW_US``."""


def sent_prompts(columns: Columns, *, free: Bools, cost: Ints, partition: int) -> pl.DataFrame:
    """Return what can repeat, sorted by the hash of its messages.

    Args:
        columns: Reads columns of the partition.
        free: Requests that may count as repeats.
        cost: Of each request; those without cost only count as asked before.
        partition: Its number.

    Returns:
        ``prompt``, ``kind`` (hash of provider, model and app), ``time`` in microseconds, ``key``, ``costs``,
        ``partition`` and ``row``.
    """
    frame = columns(["prompt_hash", "provider", "model", "app", "time", "request_key"]).collect()
    kind = np.zeros(frame.height, dtype=np.uint64)
    for name in ("provider", "model", "app"):
        kind = splitmix(kind ^ _hashes(frame[name]))
    sent = frame.select(
        prompt="prompt_hash",
        kind=pl.Series(kind),
        time=pl.col("time").dt.epoch("us"),
        key="request_key",
        costs=pl.Series(cost > 0),
        partition=pl.lit(partition, pl.UInt32),
        row=pl.int_range(frame.height, dtype=pl.UInt32),
    )
    return sent.filter(pl.Series(free) & pl.col("prompt").is_not_null())


def _hashes(names: pl.Series) -> npt.NDArray[np.uint64]:
    """Return a hash of each name, 0 where there is none."""
    number = distinct_keys([names])
    distinct = names.gather(number.first_rows()).cast(pl.String)
    hashes = [0 if name is None else xxh3_64_intdigest(name.encode()) for name in distinct]
    return np.array(hashes, dtype=np.uint64)[number.codes]


def range_of(prompts: npt.NDArray[np.uint64], ranges: int) -> Ints:
    """Return in which of so many equal ranges of hashes each prompt is."""
    number: Ints = np.minimum(prompts // np.uint64(2**64 // ranges), np.uint64(ranges - 1)).astype(np.int64)
    return number


def find_repeats(sent: pl.DataFrame) -> pl.DataFrame:
    """Return the repeats among all requests that were sent some messages, see ``FOUND``."""
    prompt, kind, time = pl.col("prompt"), pl.col("kind"), pl.col("time")
    follows = (prompt == prompt.shift(1)) & (kind == kind.shift(1))
    soon = (time - time.shift(1) <= RETRY_WINDOW_US).fill_null(value=False)
    return (
        sent.filter(prompt.is_duplicated())
        .sort("prompt", "kind", "time", "key", nulls_last=True)
        .with_columns(follows=follows, retry=follows & soon)
        .filter(pl.col("follows") & pl.col("costs"))
        .select(FOUND.names())
    )
