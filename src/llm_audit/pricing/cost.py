"""Costs: each distinct key resolved once, every request priced by a join and integer arithmetic."""

from __future__ import annotations

from datetime import date

import polars as pl

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.pricing.book import PriceBook
from llm_audit.pricing.plan import Changes
from llm_audit.pricing.rows import PriceRow, Unpriced, rows_frame
from llm_audit.pricing.schedule import RATES

COST_COLUMNS: tuple[str, ...] = (*(f"cost_{kind}_pico" for kind in TOKEN_TYPES), "cost_per_call_pico")
"""Disjoint parts of ``cost_pico``."""

INPUT_TYPES: tuple[str, ...] = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input")
"""Token types that count towards a request's context."""

MAX_TOKENS = 10**9
"""More tokens of a type than one request can have; at any listed price the cost still fits in 64 bits."""

_KEYS = ("provider", "model", "service_tier", "region")
_EPOCH = date(1970, 1, 1)


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
    table, located = _locate(frame, book, _context())
    parts = dict(zip(COST_COLUMNS, _parts(table), strict=True))
    priced = located.with_columns(_reason=_reason(located)).with_columns(
        pl.when(pl.col("_reason").is_null()).then(part).alias(column) for column, part in parts.items()
    )
    total = pl.sum_horizontal(COST_COLUMNS, ignore_nulls=False)
    return (
        priced.with_columns(cost_pico=total)
        .with_columns(
            price_id=_gather(table["price_id"], when=pl.col("cost_pico").is_not_null()),
            unpriced_reason=pl.coalesce(
                "_reason", pl.when(pl.col("cost_pico").is_null()).then(pl.lit(Unpriced.NO_RATE.value))
            ),
        )
        .select(*frame.columns, "price_id", "unpriced_reason", "cost_pico", *COST_COLUMNS)
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
    table, located = _locate(keys, book, context, note=False)
    return located.select(
        *keys.columns,
        price_id=_gather(table["price_id"]),
        unpriced_reason=pl.col("_reason"),
        **{f"{kind}_rate": _gather(table[f"{kind}_rate"]) for kind in RATES},
    )


def _locate(
    frame: pl.DataFrame, book: PriceBook, context: pl.Expr, *, note: bool = True
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The price rows found, and the frame with ``_row`` (its row among them) and ``_reason``."""
    keys = frame.select(_key_column(frame, column) for column in (*_KEYS, "time"))
    names = _pack(keys.select("provider", "model", "region"))
    changes = Changes()
    for key in keys[names.arg_unique()].iter_rows(named=True):
        changes |= book.changes(key["provider"], key["model"], key["region"])
    code = _pack(pl.DataFrame([names, keys["service_tier"], *keys.select(_period(changes)).get_columns()]))
    first_of_key = code.arg_unique()
    rows, resolved = _resolve(keys[first_of_key], book)
    if note:
        book.record(rows)
    sized = frame.with_columns(code, _context=context).select("code", "_context")
    found = sized.join(resolved.with_columns(code[first_of_key]), on="code", how="left", maintain_order="left")
    steps = [column for column in resolved.columns if column.startswith("_from_")]
    above = [(pl.col("_context") >= pl.col(step)).fill_null(value=False).cast(pl.UInt32) for step in steps]
    located = found.select("_reason", _row=sum(above, start=pl.col("_first")))
    return rows_frame(rows), frame.with_columns(located.get_columns())


def _key_column(frame: pl.DataFrame, column: str) -> pl.Expr:
    if column in frame.columns:
        return pl.col(column)
    return pl.lit(None, dtype=pl.Datetime("us", "UTC") if column == "time" else pl.String).alias(column)


def _period(changes: Changes) -> list[pl.Expr]:
    """What prices depend on of a request's time, as integers: a row a period has one price for a model and tier."""
    minutes = pl.col("time").dt.epoch("us") // 60_000_000
    days = minutes // 1440
    parts = []
    if changes.dates:
        dates = pl.Series([(day - _EPOCH).days for day in sorted(changes.dates)], dtype=pl.Int64)
        period = pl.lit(dates).search_sorted(days, side="right")
        parts.append(pl.when(days.is_not_null()).then(period).alias("_dates"))
    if changes.by_weekday:
        parts.append(((days + 3) % 7).alias("_weekday"))
    if changes.minutes:
        spans = [(minutes % 1440 >= minute).cast(pl.Int64) for minute in sorted(changes.minutes)]
        parts.append(pl.sum_horizontal(spans, ignore_nulls=False).alias("_span"))
    return parts


def _pack(keys: pl.DataFrame) -> pl.Series:
    """One integer for each distinct combination of values, null being a value: cheaper to look up than columns."""
    packed = pl.zeros(keys.height, dtype=pl.Int64, eager=True).alias("code")
    radix = 1
    for column in keys.get_columns():
        if column.null_count() == len(column):
            continue
        text = column.dtype == pl.String
        codes = (column.rank("dense") if text else column.to_physical()).cast(pl.Int64).to_frame("c")
        low, high = codes.select(low=pl.col("c").min(), high=pl.col("c").max()).row(0)
        size = high - low + 2
        if radix * size >= 2**62:
            packed = packed.rank("dense").cast(pl.Int64)
            radix = keys.height + 1
        packed += codes.select((pl.col("c") - (low - 1)).fill_null(0) * radix).to_series()
        radix *= size
    return packed


def _resolve(keys: pl.DataFrame, book: PriceBook) -> tuple[list[PriceRow], pl.DataFrame]:
    """Quote each key.

    Returns all rows, and for each key ``_first`` (row of the lowest context tier), ``_reason`` and ``_from_<n>``: the
    context from which the nth row after the first holds.
    """
    first_of: dict[tuple[PriceRow, ...], int] = {}
    rows: list[PriceRow] = []
    first: list[int | None] = []
    reasons: list[str | None] = []
    contexts: list[list[int]] = []
    for key in keys.iter_rows(named=True):
        quote = book.quote(key["provider"], key["model"], key["service_tier"], key["region"], key["time"])
        if quote.rows and quote.rows not in first_of:
            first_of[quote.rows] = len(rows)
            rows.extend(quote.rows)
        first.append(first_of.get(quote.rows))
        reasons.append(quote.reason.value if quote.reason else None)
        contexts.append([row.context_from for row in quote.rows[1:]])
    depth = max(map(len, contexts), default=0)
    return rows, pl.DataFrame(
        [
            pl.Series("_first", first, dtype=pl.UInt32),
            pl.Series("_reason", reasons, dtype=pl.String),
            *(
                pl.Series(f"_from_{n}", [c[n] if n < len(c) else None for c in contexts], dtype=pl.Int64)
                for n in range(depth)
            ),
        ]
    )


def _context() -> pl.Expr:
    return pl.sum_horizontal(pl.col(f"{kind}_tokens") for kind in INPUT_TYPES)


def _gather(values: pl.Series, *, when: pl.Expr | None = None) -> pl.Expr:
    row = pl.col("_row") if when is None else pl.when(when).then("_row")
    return pl.lit(values).gather(row) if len(values) else pl.lit(None, dtype=values.dtype)


def _reason(located: pl.DataFrame) -> pl.Expr:
    """Why a row has no cost, apart from token types without a price. Of a chat, the output must be known as well."""
    tokens = [f"{kind}_tokens" for kind in TOKEN_TYPES]
    no_input = pl.all_horizontal(pl.col([f"{kind}_tokens" for kind in INPUT_TYPES]).is_null())
    no_output = pl.col("output_tokens").is_null() & pl.col("audio_output_tokens").is_null()
    no_usage = no_input | (no_output & (pl.col("operation") == "chat").fill_null(value=True))
    reason = pl.coalesce("_reason", pl.when(no_usage).then(pl.lit(Unpriced.NO_USAGE.value)))
    largest = located.select(pl.max_horizontal(pl.col(tokens).max())).item() if located.height else None
    if (largest or 0) <= MAX_TOKENS:
        return reason
    too_large = pl.any_horizontal((pl.col(tokens) > MAX_TOKENS).fill_null(value=False))
    return pl.coalesce(reason, pl.when(too_large).then(pl.lit(Unpriced.TOO_LARGE.value)))


def _parts(table: pl.DataFrame) -> list[pl.Expr]:
    """The cost of each token type, and of what is billed per request and per tool call."""
    parts = {kind: _charge(table, kind, pl.col(f"{kind}_tokens")) for kind in TOKEN_TYPES}
    for subset, whole in (("image_input", "input"), ("reasoning", "output")):
        extra = (table[f"{subset}_rate"] - table[f"{whole}_rate"]).fill_null(0)
        if (extra != 0).any():
            parts[whole] += pl.col(f"{subset}_tokens").fill_null(0) * _gather(extra)
    per_call = _gather(table["per_call_rate"].fill_null(0))
    return [*parts.values(), per_call + _charge(table, "per_tool_call", pl.col("tool_calls_billed"))]


def _charge(table: pl.DataFrame, kind: str, units: pl.Expr) -> pl.Expr:
    """Units times their rate; nothing for none, and null where there are units and no rate."""
    rates = table[f"{kind}_rate"]
    charge = units.fill_null(0) * _gather(rates)
    if not rates.null_count():
        return charge
    return pl.when(units.fill_null(0) == 0).then(pl.lit(0, dtype=pl.Int64)).otherwise(charge)
