"""Find the price row of each request: one resolution a distinct key, then look-ups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from llm_audit.pricing.book import PriceBook
from llm_audit.pricing.keys import distinct
from llm_audit.pricing.plan import Changes
from llm_audit.pricing.rows import PriceRow, Quote, rows_frame

_NAMES = ("provider", "model", "region")
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Where each request's price is.

    Attributes:
        table: The price rows found; columns as ``PriceBook.rates``.
        row: The row in ``table`` of each request, null where it has no price.
        reason: Why a request has none.
    """

    table: pl.DataFrame
    row: pl.Series
    reason: pl.Series

    def gather(self, column: str) -> pl.Series:
        """A column of the price rows, for each request."""
        return self.table[column].gather(self.row)


def locate(frame: pl.DataFrame, book: PriceBook, context: pl.Expr, *, note: bool) -> Located:
    """Find the price rows of all requests.

    Args:
        frame: ``provider``, ``model``, and as far as they are there ``service_tier``, ``region`` and ``time``.
        book: The prices.
        context: Input tokens of all types, for context tiers.
        note: Whether the book notes the rows as used.
    """
    keys = frame.select(_key_column(frame, column) for column in (*_NAMES, "service_tier", "time"))
    names = distinct([keys[column] for column in _NAMES])
    changes = Changes()
    for name in keys[names.first()].iter_rows(named=True):
        changes |= book.changes(*(name[column] for column in _NAMES))
    periods = keys.select(_period(changes)).get_columns() if keys.height else []
    key = distinct([names, keys["service_tier"], *periods])
    quotes = [
        book.quote(row["provider"], row["model"], row["service_tier"], row["region"], row["time"])
        for row in keys[key.first()].iter_rows(named=True)
    ]
    rows, first = _table(quotes)
    if note:
        book.record(rows)
    steps = _steps(quotes)
    index = first[key.codes]
    if steps:
        tokens = frame.with_columns(_context=context)["_context"].to_numpy()
        for step in steps:
            index = index + (tokens >= step[key.codes])
    reasons = pl.Series([quote.reason.value if quote.reason else None for quote in quotes], dtype=pl.String)
    some = reasons.null_count() < len(reasons)
    return Located(
        table=rows_frame(rows),
        row=pl.Series("_row", index).to_frame().select(pl.when(pl.col("_row") >= 0).then("_row")).to_series(),
        reason=reasons.gather(key.codes)
        if some
        else pl.Series([None], dtype=pl.String).new_from_index(0, frame.height),
    )


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
        cuts = pl.Series(sorted(changes.minutes), dtype=pl.Int64)
        span = pl.lit(cuts).search_sorted(minutes % 1440, side="right")
        parts.append(pl.when(minutes.is_not_null()).then(span).alias("_span"))
    return parts


def _table(quotes: list[Quote]) -> tuple[list[PriceRow], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """All rows of the quotes, each quote's once, and where each quote's begin; far below 0 where it has none."""
    starts: dict[tuple[PriceRow, ...], int] = {}
    rows: list[PriceRow] = []
    for quote in quotes:
        if quote.rows and quote.rows not in starts:
            starts[quote.rows] = len(rows)
            rows.extend(quote.rows)
    return rows, np.array([starts.get(quote.rows, -1_000) for quote in quotes], dtype=np.int64)


def _steps(quotes: list[Quote]) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """For each further context tier, the context from which it holds, by quote; never where a quote has fewer."""
    depth = max((len(quote.rows) for quote in quotes), default=0)
    never = np.iinfo(np.int64).max
    return [
        np.array([q.rows[n].context_from if n < len(q.rows) else never for q in quotes], dtype=np.int64)
        for n in range(1, depth)
    ]
