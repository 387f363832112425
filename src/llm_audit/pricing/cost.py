"""Costs: each distinct key resolved once, every request priced by a join and integer arithmetic."""

from __future__ import annotations

import polars as pl

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.pricing.book import PriceBook
from llm_audit.pricing.locate import Located, locate
from llm_audit.pricing.rows import Unpriced
from llm_audit.pricing.schedule import RATES

COST_COLUMNS: tuple[str, ...] = (*(f"cost_{kind}_pico" for kind in TOKEN_TYPES), "cost_per_call_pico")
"""Disjoint parts of ``cost_pico``."""

INPUT_TYPES: tuple[str, ...] = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input")
"""Token types that count towards a request's context."""

PRICED_BY: tuple[str, ...] = (
    "provider",
    "model",
    "service_tier",
    "region",
    "time",
    "operation",
    *(f"{kind}_tokens" for kind in TOKEN_TYPES),
    "image_input_tokens",
    "reasoning_tokens",
    "tool_calls_billed",
)
"""The ledger's columns that decide a cost."""

MAX_TOKENS = 10**9
"""More tokens of a type than one request can have; at any listed price the cost still fits in 64 bits."""


def price(frame: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """Add the cost of each ledger row.

    Args:
        frame: Ledger rows (see ``ledger.schema``).
        book: Prices; the rows used are noted in it.

    Returns:
        The frame with ``price_id`` (UInt64, of ``book.rates``), ``unpriced_reason`` (of ``Unpriced``),
        ``cost_pico``, ``cost_<token type>_pico`` and ``cost_per_call_pico`` (Int64 pico-dollars, the parts adding up to
        ``cost_pico``). A row has either a reason or a cost: an unknown cost is null, never 0.
    """
    located = locate(frame, book, _context(), note=True)
    parts = dict(zip(COST_COLUMNS, _parts(located), strict=True))
    charged = frame.with_columns(located.reason.alias("_reason"), located.row).with_columns(
        _reason=_reason(frame), **parts
    )
    total = pl.when(pl.col("_reason").is_null()).then(pl.sum_horizontal(COST_COLUMNS, ignore_nulls=False))
    priced = pl.col("cost_pico").is_not_null()
    return charged.with_columns(cost_pico=total).select(
        *frame.columns,
        price_id=pl.when(priced).then(located.gather("price_id")),
        unpriced_reason=pl.when(~priced).then(pl.coalesce("_reason", pl.lit(Unpriced.NO_RATE.value))),
        cost_pico="cost_pico",
        **{column: pl.when(priced).then(column) for column in COST_COLUMNS},
    )


def rates_for(keys: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """Add the rates at which each key would be charged, for models that were not used as well.

    Args:
        keys: ``provider``, ``model`` (a name at the provider, or a canonical model id), and as far as they matter
            ``service_tier``, ``region``, ``time`` (UTC) and ``context_tokens`` (input tokens of all types).
        book: Prices; nothing is noted in it.

    Returns:
        The keys, in their order, with ``price_id``, ``unpriced_reason``, ``<token type>_rate``, ``image_input_rate``,
        ``reasoning_rate`` (Int64 pico-dollars a token), ``per_call_rate`` and ``per_tool_call_rate``; null where there
        is no price.
    """
    has_context = "context_tokens" in keys.columns
    context = pl.col("context_tokens").fill_null(0) if has_context else pl.lit(0, dtype=pl.Int64)
    located = locate(keys, book, context, note=False)
    return keys.with_columns(located.row).select(
        *keys.columns,
        located.gather("price_id").alias("price_id"),
        located.reason.alias("unpriced_reason"),
        *(located.gather(f"{kind}_rate").alias(f"{kind}_rate") for kind in RATES),
    )


def _context() -> pl.Expr:
    return pl.sum_horizontal(pl.col(f"{kind}_tokens") for kind in INPUT_TYPES)


def _reason(frame: pl.DataFrame) -> pl.Expr:
    """Why a row has no cost, apart from token types without a price. Of a chat, the output must be known as well."""
    tokens = [f"{kind}_tokens" for kind in TOKEN_TYPES]
    no_input = pl.all_horizontal(pl.col([f"{kind}_tokens" for kind in INPUT_TYPES]).is_null())
    no_output = pl.col("output_tokens").is_null() & pl.col("audio_output_tokens").is_null()
    no_usage = no_input | (no_output & (pl.col("operation") == "chat").fill_null(value=True))
    reason = pl.coalesce("_reason", pl.when(no_usage).then(pl.lit(Unpriced.NO_USAGE.value)))
    largest = frame.select(pl.max_horizontal(pl.col(tokens).max())).item() if frame.height else None
    if (largest or 0) <= MAX_TOKENS:
        return reason
    too_large = pl.any_horizontal((pl.col(tokens) > MAX_TOKENS).fill_null(value=False))
    return pl.coalesce(reason, pl.when(too_large).then(pl.lit(Unpriced.TOO_LARGE.value)))


def _parts(located: Located) -> list[pl.Expr]:
    """The cost of each token type, and of what is billed per request and per tool call."""
    parts = {kind: _charge(located, kind, pl.col(f"{kind}_tokens")) for kind in TOKEN_TYPES}
    for subset, whole in (("image_input", "input"), ("reasoning", "output")):
        extra = (located.table[f"{subset}_rate"] - located.table[f"{whole}_rate"]).fill_null(0)
        if (extra != 0).any():
            parts[whole] += pl.col(f"{subset}_tokens").fill_null(0) * located.gather(extra)
    tools = _charge(located, "per_tool_call", pl.col("tool_calls_billed"))
    if located.table["per_call_rate"].null_count() == located.table.height:
        return [*parts.values(), tools]
    return [*parts.values(), tools + located.gather("per_call_rate").fill_null(0)]


def _charge(located: Located, kind: str, units: pl.Expr) -> pl.Expr:
    """Units times their rate; nothing for none, and null where there are units and no rate."""
    charge = units.fill_null(0) * located.gather(f"{kind}_rate")
    if not located.table[f"{kind}_rate"].null_count():
        return charge
    return pl.when(units.fill_null(0) == 0).then(pl.lit(0, dtype=pl.Int64)).otherwise(charge)
