"""Price requests: each distinct key is resolved once, and every request is priced by integer arithmetic."""

from __future__ import annotations

import polars as pl

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.pricing.book import PriceBook
from llm_audit.pricing.lookup import PriceLookup, look_up
from llm_audit.pricing.price_rows import Unpriced
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
    "image_output_tokens",
    "reasoning_tokens",
    "tool_calls_billed",
    "fees_billed",
)
"""The ledger's columns that decide a cost."""

MAX_TOKENS = 10**9
"""More tokens of a type than one request can have."""
MAX_PICO = 10**18
"""More than one request can cost, a million dollars: beyond it a count or a price is wrong, and 64 bits may not do."""


def price(frame: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """Add the cost of each ledger row.

    Args:
        frame: Ledger rows (see ``ledger.schema``).
        book: Prices; the rows used are recorded in it.

    Returns:
        The frame with ``price_id`` (UInt64, of ``book.rates``), ``unpriced_reason`` (of ``Unpriced``),
        ``cost_pico``, ``cost_<token type>_pico`` and ``cost_per_call_pico`` (Int64 pico-dollars, the parts adding up to
        ``cost_pico``). A row has either a reason or a cost: an unknown cost is null, never 0.
    """
    lookup = look_up(frame, book, _context(), record=True)
    fees = _fees(frame)
    parts = dict(zip(COST_COLUMNS, _parts(lookup, fees), strict=True))
    known = frame.with_columns(lookup.reason.alias("_reason"), lookup.row)
    charged = known.with_columns(_reason=pl.coalesce(_reason(frame), _too_dear(known, lookup, fees)), **parts)
    total = pl.when(pl.col("_reason").is_null()).then(pl.sum_horizontal(COST_COLUMNS, ignore_nulls=False))
    priced = pl.col("cost_pico").is_not_null()
    return charged.with_columns(cost_pico=total).select(
        *frame.columns,
        price_id=pl.when(priced).then(lookup.gather("price_id")),
        unpriced_reason=pl.when(~priced).then(pl.coalesce("_reason", _missing_rates(lookup, fees))),
        cost_pico="cost_pico",
        **{column: pl.when(priced).then(column) for column in COST_COLUMNS},
    )


def list_costs(priced: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """Add what each priced row would have cost at published prices, without the user's price files.

    Returns:
        The frame with ``list_<cost column>`` for each of ``COST_COLUMNS``, null where nobody publishes a price; without
        such columns where ``book`` has published prices only, as those are the costs.
    """
    published = book.published()
    if published is None:
        return priced
    listed = price(priced.select(set(PRICED_BY) & set(priced.columns)), published)
    costs = listed.select(pl.col(column).alias(f"list_{column}") for column in COST_COLUMNS)
    return pl.concat([priced, costs], how="horizontal")


def rates_for(keys: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """Add the rates at which each key would be charged, whether its model was used or not.

    Args:
        keys: ``provider``, ``model`` (a name at the provider, or a canonical model id), and as far as they matter
            ``service_tier``, ``region``, ``time`` (UTC) and ``context_tokens`` (input tokens of all types).
        book: Prices; nothing is recorded in it.

    Returns:
        The keys, in their order, with ``price_id``, ``unpriced_reason``, ``<token type>_rate``, ``image_input_rate``,
        ``reasoning_rate`` (Int64 pico-dollars a token), ``per_call_rate`` and ``per_tool_call_rate``; null where there
        is no price.
    """
    has_context = "context_tokens" in keys.columns
    context = pl.col("context_tokens").fill_null(0) if has_context else pl.lit(0, dtype=pl.Int64)
    lookup = look_up(keys, book, context, record=False)
    return keys.with_columns(lookup.row).select(
        *keys.columns,
        lookup.gather("price_id").alias("price_id"),
        lookup.reason.alias("unpriced_reason"),
        *(lookup.gather(f"{kind}_rate").alias(f"{kind}_rate") for kind in RATES),
    )


def _context() -> pl.Expr:
    return pl.sum_horizontal(pl.col(f"{kind}_tokens") for kind in INPUT_TYPES)


def _reason(frame: pl.DataFrame) -> pl.Expr:
    """Return why a row has no cost, apart from token types without a price; a chat needs its output tokens too."""
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


def _too_dear(known: pl.DataFrame, lookup: PriceLookup, fees: dict[str, pl.Expr]) -> pl.Expr:
    """Return the reason of rows whose units cost more than a request can, which is looked for where any may."""
    units = _units(fees) | {kind: pl.col(f"{kind}_tokens") for kind in ("image_input", "reasoning")}
    most = known.select(count.max().alias(kind) for kind, count in units.items()).row(0, named=True) | {"per_call": 1}
    dearest = lookup.table.select(pl.col(f"{kind}_rate").max() for kind in most).row(0, named=True)
    if sum((count or 0) * (dearest[f"{kind}_rate"] or 0) for kind, count in most.items()) <= MAX_PICO:
        return pl.lit(None, dtype=pl.String)
    charges = [count.cast(pl.Float64) * lookup.gather(f"{kind}_rate") for kind, count in units.items()]
    cost = pl.sum_horizontal(*charges, lookup.gather("per_call_rate"))
    return pl.when(cost > float(MAX_PICO)).then(pl.lit(Unpriced.TOO_LARGE.value))


def _units(fees: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Return what a row is charged for, by the name of its rate; without rates it has no cost."""
    return {
        **{kind: pl.col(f"{kind}_tokens") for kind in (*TOKEN_TYPES, "image_output")},
        "per_tool_call": pl.col("tool_calls_billed"),
        **fees,
    }


def _fees(frame: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return the units of each fee that any row is billed, by the name of its rate."""
    if "fees_billed" not in frame.columns:
        return {}
    texts = [text for text in frame["fees_billed"].unique().cast(pl.String).to_list() if text]
    units: dict[str, dict[str, int]] = {}
    for text in texts:
        for pair in text.split(","):
            kind, _, count = pair.partition("=")
            units.setdefault(f"per_{kind}", {})[text] = int(count)
    column = pl.col("fees_billed").cast(pl.String)
    return {
        rate: column.replace_strict(counts, default=0, return_dtype=pl.Int64) for rate, counts in sorted(units.items())
    }


def _missing_rates(lookup: PriceLookup, fees: dict[str, pl.Expr]) -> pl.Expr:
    """Return the reason why a row that has a price has no cost: the rates that it lacks, by name."""
    lacking = [
        pl.when((count.fill_null(0) > 0) & lookup.gather(f"{kind}_rate").is_null()).then(pl.lit(kind))
        for kind, count in _units(fees).items()
        if lookup.table[f"{kind}_rate"].null_count()
    ]
    if not lacking:
        return pl.lit(Unpriced.NO_RATE.value)
    names = pl.concat_str(lacking, separator=" and ", ignore_nulls=True)
    return pl.concat_str(pl.lit(f"{Unpriced.NO_RATE.value}: "), names)


def _parts(lookup: PriceLookup, fees: dict[str, pl.Expr]) -> list[pl.Expr]:
    """Return the cost of each token type, and of the charges per request and per tool call."""
    parts = {kind: _charge(lookup, kind, pl.col(f"{kind}_tokens")) for kind in TOKEN_TYPES}
    images = pl.col("image_output_tokens").fill_null(0)
    at_image_rate = _charge(lookup, "image_output", images) - images * lookup.gather("output_rate").fill_null(0)
    parts["output"] += at_image_rate
    for subset, total in (("image_input", "input"), ("reasoning", "output")):
        extra = (lookup.table[f"{subset}_rate"] - lookup.table[f"{total}_rate"]).fill_null(0)
        if (extra != 0).any():
            parts[total] += pl.col(f"{subset}_tokens").fill_null(0) * lookup.gather(extra)
    tools = _charge(lookup, "per_tool_call", pl.col("tool_calls_billed"))
    for rate, units in fees.items():
        tools += _charge(lookup, rate.removesuffix("_rate"), units)
    if lookup.table["per_call_rate"].null_count() == lookup.table.height:
        return [*parts.values(), tools]
    return [*parts.values(), tools + lookup.gather("per_call_rate").fill_null(0)]


def _charge(lookup: PriceLookup, kind: str, units: pl.Expr) -> pl.Expr:
    """Return units times their rate: 0 for no units, null for units without a rate."""
    charge = units.fill_null(0) * lookup.gather(f"{kind}_rate")
    if not lookup.table[f"{kind}_rate"].null_count():
        return charge
    return pl.when(units.fill_null(0) == 0).then(pl.lit(0, dtype=pl.Int64)).otherwise(charge)
