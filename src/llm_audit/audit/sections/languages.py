"""Requests and dollars by language, and those that were not judged."""

from __future__ import annotations

import polars as pl

from llm_audit.document.audit import LanguageRow
from llm_audit.money import usd


def language_sums(measured: pl.DataFrame) -> pl.DataFrame:
    """Sum requests by the language of what they ask."""
    abstained = (pl.col("judged").cast(pl.String) == "abstained").fill_null(value=True)
    cost, one = pl.col("cost_pico").cast(pl.Int128), pl.col("cost_pico").is_not_null().cast(pl.Int64)
    sums = measured.select(
        pl.col("language").cast(pl.String),
        requests=pl.lit(1, pl.Int64),
        priced=one,
        cost_pico=cost.fill_null(0),
        abstained=abstained.cast(pl.Int64),
        abstained_priced=pl.when(abstained).then(one).otherwise(0),
        abstained_pico=pl.when(abstained).then(cost).fill_null(0),
    )
    return add_languages(sums)


def add_languages(sums: pl.DataFrame) -> pl.DataFrame:
    """Sum rows of equal languages, sorted."""
    return sums.group_by("language").agg(pl.all().sum()).sort("language", nulls_last=True)


def languages(sums: pl.DataFrame) -> list[LanguageRow]:
    """Return the languages, most cost first."""
    order = ["cost_pico", "requests", "language"]
    return [
        LanguageRow(
            language=row["language"],
            requests=row["requests"],
            cost=usd(row["cost_pico"]) if row["priced"] else None,
            abstained_requests=row["abstained"],
            unpriced_requests=row["requests"] - row["priced"],
            abstained_cost=usd(row["abstained_pico"]) if row["abstained_priced"] or not row["abstained"] else None,
        )
        for row in sums.sort(order, descending=[True, True, False], nulls_last=True).iter_rows(named=True)
    ]
