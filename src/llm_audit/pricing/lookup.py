"""Look up the price row of each request, resolving each distinct key once."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import polars as pl

from llm_audit.pricing.book import PriceBook
from llm_audit.pricing.model_prices import PriceChanges
from llm_audit.pricing.price_rows import Quote, ResolvedPrice, rows_frame
from llm_audit.pricing.row_keys import EncodedRows, distinct_keys

_NAMES = ("provider", "model", "region")
PRICED_AT = "priced_at"
"""A column for the time at which rows without one are priced."""
_EPOCH = date(1970, 1, 1)
_US_PER_MINUTE = 60_000_000
_MINUTES_PER_DAY = 1440


class PriceLookup(msgspec.Struct, kw_only=True, frozen=True):
    """The price row of each request.

    Attributes:
        table: The price rows found; columns as ``PriceBook.rates``.
        row: The row in ``table`` of each request, null where it has no price; named ``_row``.
        reason: The reason why a request has none, else null.
    """

    table: pl.DataFrame
    row: pl.Series
    reason: pl.Series

    def gather(self, values: str | pl.Series) -> pl.Expr:
        """Return a column of the price rows, or values by price row, for each request of a frame with ``_row``."""
        column = self.table[values] if isinstance(values, str) else values
        return pl.lit(column).gather(pl.col(self.row.name)) if len(column) else pl.lit(None, dtype=column.dtype)


def look_up(frame: pl.DataFrame, book: PriceBook, context: pl.Expr, *, record: bool) -> PriceLookup:
    """Find the price rows of all requests.

    Args:
        frame: ``provider``, ``model``, and where present ``service_tier``, ``region``, ``time`` and ``fees_billed``.
        book: The prices.
        context: Input tokens of all types, for context tiers.
        record: Whether the book records the rows as used.
    """
    fees = pl.col("fees_billed").is_not_null() if "fees_billed" in frame.columns else pl.lit(value=False)
    keys = frame.select(
        *(_key_column(frame, column) for column in (*_NAMES, "service_tier", "time")), fees=fees.cast(pl.Int8)
    )
    names = distinct_keys([keys[column] for column in _NAMES])
    changes = PriceChanges()
    for name in keys[names.first_rows()].iter_rows(named=True):
        changes |= book.changes(*(name[column] for column in _NAMES))
    key = distinct_keys([names, keys["service_tier"], keys["fees"], price_periods(keys["time"], changes)])
    quotes = [
        book.quote(
            row["provider"], row["model"], row["service_tier"], row["region"], row["time"], fees=bool(row["fees"])
        )
        for row in keys[key.first_rows()].iter_rows(named=True)
    ]
    rows, first = _table(quotes)
    if record:
        book.record(rows)
    steps = _steps(quotes)
    index = first[key.codes]
    if steps:
        tokens = frame.with_columns(_context=context)["_context"].to_numpy()
        for step in steps:
            index = index + (tokens >= step[key.codes])
    reasons = pl.Series([quote.reason.value if quote.reason else None for quote in quotes], dtype=pl.String)
    some = reasons.null_count() < len(reasons)
    return PriceLookup(
        table=rows_frame(rows),
        row=pl.Series("_row", index).to_frame().select(pl.when(pl.col("_row") >= 0).then("_row")).to_series(),
        reason=reasons.gather(key.codes)
        if some
        else pl.Series([None], dtype=pl.String).new_from_index(0, frame.height),
    )


def _key_column(frame: pl.DataFrame, column: str) -> pl.Expr:
    if column == "time" and PRICED_AT in frame.columns:
        return pl.coalesce("time", PRICED_AT)
    if column in frame.columns:
        return pl.col(column)
    return pl.lit(None, dtype=pl.Datetime("us", "UTC") if column == "time" else pl.String).alias(column)


def price_periods(time: pl.Series, changes: PriceChanges) -> EncodedRows:
    """Number the periods of requests' times; within a period each model and service tier has one price."""
    undated, known = time.null_count(), time.cast(pl.Int64)
    earliest = known.min()
    if earliest is None or changes == PriceChanges():
        codes = time.is_null().to_numpy().astype(np.int64) if undated else np.zeros(len(time), dtype=np.int64)
        return EncodedRows(codes, 2)
    minutes = (known.fill_null(earliest) if undated else known).to_numpy() // _US_PER_MINUTE
    days = minutes // _MINUTES_PER_DAY
    first = int(days.min())
    every_day = np.arange(first, int(days.max()) + 1)
    dates = np.array(sorted((day - _EPOCH).days for day in changes.dates), dtype=np.int64)
    of_day = np.searchsorted(dates, every_day, side="right") * 7 + (every_day % 7 if changes.by_weekday else 0)
    cuts = np.array(sorted(changes.minutes), dtype=np.int64)
    of_minute = np.searchsorted(cuts, np.arange(_MINUTES_PER_DAY), side="right")
    codes, bound = of_day[days - first], 7 * (len(dates) + 1)
    if len(cuts):
        codes, bound = codes + of_minute[minutes - days * _MINUTES_PER_DAY] * bound, bound * (len(cuts) + 1)
    return EncodedRows(np.where(time.is_null().to_numpy(), bound, codes) if undated else codes, bound + 1)


def _table(quotes: list[Quote]) -> tuple[list[ResolvedPrice], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return the distinct rows of the quotes and the first row of each quote, far below 0 where it has none."""
    starts: dict[tuple[ResolvedPrice, ...], int] = {}
    rows: list[ResolvedPrice] = []
    for quote in quotes:
        if quote.rows and quote.rows not in starts:
            starts[quote.rows] = len(rows)
            rows.extend(quote.rows)
    return rows, np.array([starts.get(quote.rows, -1_000) for quote in quotes], dtype=np.int64)


def _steps(quotes: list[Quote]) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return, for each further context tier, the context from which it applies by quote; never where there is none."""
    depth = max((len(quote.rows) for quote in quotes), default=0)
    never = np.iinfo(np.int64).max
    return [
        np.array([q.rows[n].context_from if n < len(q.rows) else never for q in quotes], dtype=np.int64)
        for n in range(1, depth)
    ]
