"""Price an earlier audit's sums with another price table.

A basis row sums requests of one price row, so its tokens at another table's rates are exact wherever that table
changes rates at the same dates and context sizes. What is billed per call, and the rare rates of images and reasoning
that differ from their token type's, keep their old amounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from fractions import Fraction

import msgspec
import polars as pl

from llm_audit.document.audit import BasisRow
from llm_audit.errors import IncompleteError
from llm_audit.money import total_pico, usd
from llm_audit.pricing import PriceBook, rates_for

NOON = time(12)


def reprice(rows: Sequence[BasisRow], book: PriceBook) -> list[BasisRow]:
    """Return the rows at the book's rates of their first day; the policy's cost moves in proportion.

    Raises:
        IncompleteError: The book has no price for a model the rows hold.
    """
    keys = pl.DataFrame(
        {
            "provider": [None if row.provider == "unknown" else row.provider for row in rows],
            "model": [row.model for row in rows],
            "service_tier": [row.service_tier for row in rows],
            "time": [_noon(row.first_day) for row in rows],
            "context_tokens": [row.context_from for row in rows],
        },
        schema={
            "provider": pl.String,
            "model": pl.String,
            "service_tier": pl.String,
            "time": pl.Datetime("us", "UTC"),
            "context_tokens": pl.Int64,
        },
    )
    rates = rates_for(keys, book).rows(named=True)
    return [_at(row, found) for row, found in zip(rows, rates, strict=True)]


def _noon(day: str | None) -> datetime | None:
    return None if day is None else datetime.combine(datetime.fromisoformat(day).date(), NOON, UTC)


def _at(row: BasisRow, rates: dict[str, int | None]) -> BasisRow:
    costs = {kind: total_pico(amount) for kind, amount in row.cost_by_type.items()}
    new = {kind: amount for kind, amount in costs.items() if kind not in row.tokens}
    for kind, tokens in row.tokens.items():
        rate = rates[f"{kind}_rate"]
        if rate is None:
            raise IncompleteError(
                f"The price table has no {kind} price for {row.provider}/{row.model}, which the baseline used. "
                "Give one with --prices."
            )
        if tokens * rate:
            new[kind] = tokens * rate
    before, after = sum(costs.values()), sum(new.values())
    policy = None
    if row.policy_cost is not None:
        policy = usd(round(Fraction(total_pico(row.policy_cost) * after, before) if before else Fraction(0)))
    return msgspec.structs.replace(
        row, cost_by_type={kind: usd(amount) for kind, amount in new.items()}, policy_cost=policy
    )
