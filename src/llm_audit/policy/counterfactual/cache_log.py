"""Prompt caches as the log shows them: which requests read what, and what each leaves in a cache."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from llm_audit.arrays import Bools, Index, Ints
from llm_audit.policy.counterfactual.shared_caches import Hashes

NOWHERE = -1
"""In place of a row, a prefix or a template: there is none."""
_UNDATED_BITS = 36  # what is left of a hash is less than a cache's lifetime


class CacheLog(msgspec.Struct, kw_only=True, frozen=True):
    """Prompt caches as the log shows them, for the requests whose reads other routes could change.

    Rows are sorted by conversation, then time; a request without a conversation is one of its own.

    Attributes:
        row: Each request's place in the ledger.
        conversation: A number for its conversation.
        template: Its template as an index into ``templates``, ``-1`` where the log has none.
        templates: Hashes of the templates.
        time: Microseconds; undated ones follow the order of turns, at one time.
        shared_time: The same among the requests of a template; undated conversations follow each other by their hashes.
        used: The model used.
        read: Cache-read tokens.
        prefix: Tokens in the cache once the request has run.
        hour: Whether the cache lives an hour: the conversation has written for an hour so far.
        shared: Tokens that the conversation's first request read, which other conversations had left.
        before: The previous row of the conversation on the same model, ``-1`` for none.
        unit: A number for its conversation and model.
        units: How many of those there are.
    """

    row: Ints
    conversation: Ints
    template: Index
    templates: Hashes
    time: Ints
    shared_time: Ints
    used: Index
    read: Ints
    prefix: Ints
    hour: Bools
    shared: Ints
    before: Ints
    unit: Ints
    units: int

    def part(self, wanted: Bools) -> CacheLog:
        """Return the same for the wanted requests, of which a conversation has all or none; rows are numbered anew."""
        some = wanted[self.row]
        number = np.cumsum(some) - 1
        before = self.before[some]
        kept = ("conversation", "template", "time", "shared_time", "used", "read", "prefix", "hour", "shared", "unit")
        return replace(
            self,
            row=(np.cumsum(wanted) - 1)[self.row[some]].astype(np.int32),
            before=np.where(before == NOWHERE, NOWHERE, number[before]).astype(np.int32),
            **{name: getattr(self, name)[some] for name in kept},
        )


def read_cache_log(frame: pl.LazyFrame, read_templates: pl.Series | None = None) -> CacheLog:
    """Prepare the requests that share a conversation or template with a cache read.

    Args:
        frame: ``request_key``, ``conversation``, ``template_hash``, ``time``, ``turns``, ``used`` (model index),
            ``read``, ``prefix``, ``hour`` (whether the request wrote for an hour).
        read_templates: The templates of which a request read from a cache; by default those that ``frame`` shows.
    """
    rows = (
        frame.with_row_index("row")
        .with_columns(pl.col("time").dt.epoch("us").fill_null(0), undated=pl.col("time").is_null())
        .collect()
    )
    reads = rows["read"] > 0
    conversations = rows["conversation"].filter(reads).unique()
    templates = rows["template_hash"].filter(reads).unique() if read_templates is None else read_templates
    shares = pl.col("conversation").is_in(conversations.implode()) | pl.col("template_hash").is_in(templates.implode())
    touched = rows.filter(shares.fill_null(value=False) | reads)
    if rows["hour"].any():
        touched = touched.join(_for_an_hour(rows), on="conversation", how="left").with_columns(
            hour=pl.col("hour") | _is_since().fill_null(value=False)
        )
    touched = touched.sort("conversation", "time", "turns", "request_key", nulls_last=True)
    lone = touched["conversation"].is_null()
    known = touched["conversation"].rle_id().cast(pl.Int64)
    conversation = pl.select(
        pl.when(lone).then(pl.int_range(touched.height) + touched.height).otherwise(known)
    ).to_series()
    touched = touched.with_columns(_conversation=conversation).with_columns(
        shared=pl.col("read").first().over("_conversation")
    )
    template = (touched["template_hash"].rank("dense").cast(pl.Int32) - 1).fill_null(NOWHERE).to_numpy()
    time = touched["time"].to_numpy()
    used = touched["used"].to_numpy()
    groups = touched["_conversation"].cast(pl.Int32).to_numpy()
    unit = _numbered(model_key(groups, used)).astype(np.int32)
    return CacheLog(
        row=touched["row"].cast(pl.Int32).to_numpy(),
        conversation=groups,
        template=template,
        templates=touched["template_hash"].drop_nulls().unique().sort().to_numpy(),
        time=time,
        shared_time=_shared_time(touched) if touched["undated"].any() else time,
        used=used,
        read=touched["read"].to_numpy(),
        prefix=touched["prefix"].to_numpy(),
        hour=touched["hour"].to_numpy(),
        shared=touched["shared"].to_numpy(),
        before=previous(unit).astype(np.int32),
        unit=unit,
        units=int(unit.max(initial=-1)) + 1,
    )


def _shared_time(touched: pl.DataFrame) -> Ints:
    """Return times in which undated conversations follow each other by their hashes, all within a cache's lifetime."""
    follows = pl.coalesce("conversation", "request_key") // 2**_UNDATED_BITS
    times = touched.select(pl.when("undated").then(follows.cast(pl.Int64)).otherwise("time"))
    return times.to_series().to_numpy()


def _for_an_hour(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first request of each conversation that wrote for an hour, in the order of time, turns and keys."""
    return (
        rows.filter(pl.col("hour") & pl.col("conversation").is_not_null())
        .sort("time", "turns", "request_key")
        .unique("conversation", keep="first", maintain_order=True)
        .select("conversation", *(pl.col(name).alias(f"first_{name}") for name in ("time", "turns", "request_key")))
    )


def _is_since() -> pl.Expr:
    """Return whether a request is not before the first of its conversation that wrote for an hour."""
    turns, first_turns = (pl.col(name).fill_null(-1) for name in ("turns", "first_turns"))
    later_turn = (turns > first_turns) | (
        (turns == first_turns) & (pl.col("request_key") >= pl.col("first_request_key"))
    )
    return (pl.col("time") > pl.col("first_time")) | ((pl.col("time") == pl.col("first_time")) & later_turn)


def cached_prefix(*, read: Ints, write: Ints, fresh: Ints, explicit: Bools) -> Ints:
    """Return tokens cached once a request has run: what it read and wrote, or all input where caching is automatic."""
    return np.where(explicit, read + write, read + write + fresh)


def model_key(group: Ints, model: Index) -> Ints:
    """Return a small number for each group and model, ascending with the groups."""
    if not len(group):
        return group
    present = np.bincount(model + 1) > 0
    key: Ints = (group.astype(np.int64) - group.min()) * int(present.sum()) + (np.cumsum(present) - 1)[model + 1]
    return key


def previous(key: Ints) -> Ints:
    """Return the row before each row of the same key; ``-1`` for the first."""
    order, begins = _sorted(key)
    previous = np.full(len(key), NOWHERE, dtype=np.int64)
    previous[order[1:]] = np.where(begins[1:], NOWHERE, order[:-1])
    return previous


def _numbered(key: Ints) -> Ints:
    """Keys without the gaps between them."""
    order, begins = _sorted(key)
    number = np.empty_like(key)
    number[order] = np.cumsum(begins) - 1
    return number


def _sorted(key: Ints) -> tuple[Ints, Bools]:
    """Return the rows in order of their keys, equal ones in the order they had, and which begin another key."""
    order = np.argsort(key.astype(np.uint16) if key.max(initial=0) < 1 << 16 else key, kind="stable")
    return order, np.diff(key[order], prepend=-1) != 0
