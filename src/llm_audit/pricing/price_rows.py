"""Price rows: the rates that requests are charged at, with their sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import msgspec
import polars as pl
import xxhash

from llm_audit.pricing.schedule import RATES


class Unpriced(StrEnum):
    """Reasons why a request has no cost."""

    NO_MODEL = "no_model"
    UNKNOWN_PROVIDER = "unknown_provider"  # no provider is named, or it is not in the price table
    UNKNOWN_MODEL = "unknown_model"
    OTHER_UNIT = "other_unit"  # sold by the hour, page or character
    NO_RATE = "no_rate"  # tokens of a type, or billed tool calls, without a price
    NO_USAGE = "no_usage"
    TOO_LARGE = "too_large"  # more tokens than one request can have, or a cost beyond any


class ResolvedPrice(msgspec.Struct, kw_only=True, frozen=True):
    """A price that requests can be charged at.

    Attributes:
        provider: The price table's id of the provider.
        model: The model's name there, as requests write it.
        since: The price's effective date, where its source has one.
        context_from: Input tokens of a request, of all types, from which the row holds.
        rates: Pico-dollars per token, request or billed tool call; a missing type has no price.
        source: ``genai-prices``, ``overlay`` or ``user file``.
        matched: The source's id of the model.
        basis: How the price was derived where it is not listed, and the source's remarks.
    """

    provider: str
    model: str
    service_tier: str
    region: str | None
    since: date | None
    context_from: int
    rates: tuple[tuple[str, int], ...]
    source: str
    matched: str
    basis: str

    @property
    def price_id(self) -> int:
        """Return a 64-bit hash of the row, the same in every run."""
        return xxhash.xxh3_64_intdigest(msgspec.json.encode(self, order="deterministic"))


class Quote(msgspec.Struct, kw_only=True, frozen=True):
    """The price rows of one key, one for each context tier, ascending; or the reason why there are none."""

    rows: tuple[ResolvedPrice, ...] = ()
    reason: Unpriced | None = None


def sort_key(row: ResolvedPrice) -> tuple[str, str, str, str, date, int, int]:
    """Return the key for sorting by provider, model, tier, region, date and context."""
    since = row.since or date.min
    return (row.provider, row.model, row.service_tier, row.region or "", since, row.context_from, row.price_id)


def rows_frame(rows: Sequence[ResolvedPrice]) -> pl.DataFrame:
    """Return price rows as a frame, in the given order; columns as ``PriceBook.rates``."""
    text = {name: [getattr(row, name) for row in rows] for name in ("provider", "model", "service_tier", "region")}
    rates = [dict(row.rates) for row in rows]
    return pl.DataFrame(
        {
            "price_id": [row.price_id for row in rows],
            **text,
            "since": [row.since for row in rows],
            "context_from": [row.context_from for row in rows],
            **{f"{kind}_rate": [rate.get(kind) for rate in rates] for kind in RATES},
            **{name: [getattr(row, name) for row in rows] for name in ("source", "matched", "basis")},
        },
        schema={
            "price_id": pl.UInt64,
            **dict.fromkeys(text, pl.String),
            "since": pl.Date,
            "context_from": pl.Int64,
            **{f"{kind}_rate": pl.Int64 for kind in RATES},
            **dict.fromkeys(("source", "matched", "basis"), pl.String),
        },
    )
