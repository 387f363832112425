"""Waste beside routing: money that no change of model would save.

The kinds are looked for in order, and a request that one has claimed is not looked at again, so the amounts can be
added to each other. They must not be added to the flagship tax, which counts some of the same requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from llm_audit.audit.document import Waste
from llm_audit.money import usd

RETRY_WINDOW = pl.duration(minutes=10)
"""A repeat within it is someone asking again; a later one is a question that a response cache would answer."""

CACHE_LIFETIME = pl.duration(minutes=5)
CACHE_LEAST_TOKENS = 1_024
"""The shortest prefix that most providers cache."""

RUNAWAY_FACTOR = 8
RUNAWAY_LEAST_TOKENS = 2_000
RUNAWAY_LEAST_REQUESTS = 20
"""An output is runaway above this many times its template's median, from this length, with enough requests to tell."""

EASY = 0.97
"""P(success) of the model used from which reasoning buys nothing."""

_COLUMNS = (
    "time",
    "status",
    "provider",
    "model",
    "app",
    "conversation",
    "request_key",
    "prompt_hash",
    "template_hash",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_pico",
    "cost_output_pico",
    "cost_cache_write_5m_pico",
    "cost_cache_write_1h_pico",
    "input_rate",
    "cache_read_rate",
    "cache_write_rate",
    "p_success",
)
_REPEAT_KEYS = ("prompt_hash", "provider", "model", "app")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    name: str
    title: str
    detail: str
    find: Callable[[pl.LazyFrame], pl.LazyFrame]


def waste_rows(priced: pl.DataFrame) -> pl.DataFrame:
    """Wasted pico-dollars by kind: ``kind``, ``requests``, ``amount_pico``.

    Args:
        priced: Requests with a price, with ``input_rate``, ``cache_read_rate``, ``cache_write_rate`` (pico-dollars a
            token of the model used, null where it has none) and ``p_success`` of the model used.
    """
    rows = priced.select(_COLUMNS).with_row_index("row").sort("time", "request_key", nulls_last=True)
    found = []
    for kind in _KINDS:
        claimed = kind.find(rows.lazy()).filter(pl.col("amount") > 0).select("row", "amount").collect()
        if claimed.height:
            amount = claimed["amount"].cast(pl.Int128).sum()
            found.append({"kind": kind.name, "requests": claimed.height, "amount_pico": amount})
            rows = rows.join(claimed.select("row"), on="row", how="anti", maintain_order="left")
    schema = {"kind": pl.String, "requests": pl.Int64, "amount_pico": pl.Int128}
    return add_waste(pl.DataFrame(found, schema=schema))


def add_waste(rows: pl.DataFrame) -> pl.DataFrame:
    """Sum rows of a kind, sorted."""
    return rows.group_by("kind").agg(pl.col("requests", "amount_pico").sum()).sort("kind")


def waste(rows: pl.DataFrame) -> list[Waste]:
    """The report's rows, most dollars first."""
    kinds = {kind.name: kind for kind in _KINDS}
    return [
        Waste(
            kind=row["kind"],
            title=kinds[row["kind"]].title,
            detail=kinds[row["kind"]].detail,
            amount=usd(int(row["amount_pico"])),
            requests=int(row["requests"]),
        )
        for row in rows.sort(["amount_pico", "kind"], descending=[True, False]).iter_rows(named=True)
    ]


def _failed(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.filter(pl.col("status") == "error").with_columns(amount=pl.col("cost_pico"))


def _retries(rows: pl.LazyFrame) -> pl.LazyFrame:
    return _repeats(rows).filter(pl.col("gap") <= RETRY_WINDOW)


def _repeated(rows: pl.LazyFrame) -> pl.LazyFrame:
    return _repeats(rows)


def _repeats(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Requests whose very messages the same model was sent before, with the time since the last of them."""
    known = rows.filter(pl.col("prompt_hash").is_not_null())
    return known.with_columns(
        amount=pl.when(pl.int_range(pl.len()).over(_REPEAT_KEYS) > 0).then("cost_pico").otherwise(0),
        gap=pl.col("time") - pl.col("time").shift(1).over(_REPEAT_KEYS),
    )


def _never_cached(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Later turns that resent the turns before as fresh input, in conversations that never touched the cache."""
    group = ["conversation", "model"]
    touched = pl.col("cache_read_tokens").fill_null(0) + _written()
    prefix = pl.col("input_tokens").shift(1).over(group)
    soon = (pl.col("time") - pl.col("time").shift(1).over(group)) <= CACHE_LIFETIME
    premium = (pl.col("cache_write_rate").fill_null(pl.col("input_rate")) - pl.col("input_rate")).clip(lower_bound=0)
    saved = prefix * (pl.col("input_rate") - pl.col("cache_read_rate")) - (pl.col("input_tokens") - prefix) * premium
    stable = (
        soon & (prefix >= CACHE_LEAST_TOKENS) & (prefix <= pl.col("input_tokens")) & (touched.sum().over(group) == 0)
    )
    return rows.filter(pl.col("conversation").is_not_null()).with_columns(
        amount=pl.when(stable).then(saved).otherwise(0).fill_null(0)
    )


def _unread(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Cache writes of templates that nothing ever read: the premium over fresh input."""
    group = [pl.coalesce("template_hash", "conversation", "request_key"), pl.col("model")]
    reads = pl.col("cache_read_tokens").fill_null(0).sum().over(group)
    paid = pl.col("cost_cache_write_5m_pico").fill_null(0) + pl.col("cost_cache_write_1h_pico").fill_null(0)
    premium = paid - _written() * pl.col("input_rate").fill_null(0)
    return rows.with_columns(amount=pl.when((_written() > 0) & (reads == 0)).then(premium).otherwise(0))


def _runaway(rows: pl.LazyFrame) -> pl.LazyFrame:
    group = ["template_hash", "model"]
    usual = (pl.col("output_tokens").median().over(group) * RUNAWAY_FACTOR).cast(pl.Int64)
    excess = pl.col("output_tokens") - usual
    odd = (
        (excess > 0)
        & (pl.col("output_tokens") >= RUNAWAY_LEAST_TOKENS)
        & (pl.len().over(group) >= RUNAWAY_LEAST_REQUESTS)
        & pl.col("template_hash").is_not_null()
    )
    per_token = pl.col("cost_output_pico") // pl.col("output_tokens")
    return rows.filter(pl.col("output_tokens") > 0).with_columns(
        amount=pl.when(odd).then(excess * per_token).otherwise(0)
    )


def _reasoning(rows: pl.LazyFrame) -> pl.LazyFrame:
    per_token = pl.col("cost_output_pico") // pl.col("output_tokens")
    needless = (pl.col("reasoning_tokens") > 0) & (pl.col("p_success") >= EASY)
    return rows.filter(pl.col("output_tokens") > 0).with_columns(
        amount=pl.when(needless).then(pl.col("reasoning_tokens") * per_token).otherwise(0)
    )


def _written() -> pl.Expr:
    return pl.col("cache_write_5m_tokens").fill_null(0) + pl.col("cache_write_1h_tokens").fill_null(0)


_KINDS: tuple[_Kind, ...] = (
    _Kind(
        name="failed_requests",
        title="Failed requests that were billed",
        detail="Calls that ended in an error.",
        find=_failed,
    ),
    _Kind(
        name="retries",
        title="The same messages sent again within ten minutes",
        detail="Every call after the first to the same model with the very same messages.",
        find=_retries,
    ),
    _Kind(
        name="repeated_prompts",
        title="The same messages sent again later",
        detail="Identical calls more than ten minutes apart: a response cache would answer them.",
        find=_repeated,
    ),
    _Kind(
        name="cache_never_used",
        title="A stable prefix that was never cached",
        detail="Later turns, at most five minutes apart, that resent the conversation at the full input price.",
        find=_never_cached,
    ),
    _Kind(
        name="cache_written_unread",
        title="Cache written and never read",
        detail="The write premium of templates whose cache no request ever read.",
        find=_unread,
    ),
    _Kind(
        name="runaway_output",
        title="Runaway outputs",
        detail="Output beyond eight times the median of its template.",
        find=_runaway,
    ),
    _Kind(
        name="reasoning_effort",
        title="Reasoning on prompts that need none",
        detail="Reasoning tokens where the model used is at least 97 % likely to succeed.",
        find=_reasoning,
    ),
)
