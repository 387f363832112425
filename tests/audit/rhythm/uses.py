"""Sums by day of a custom log: a row a day, team, app and model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from llm_audit.audit.aggregate.rollups import ROLLUPS
from llm_audit.document.audit import Period

CENT = 10**10
_DAILY = ROLLUPS["daily"]


@dataclass(frozen=True, kw_only=True)
class Use:
    """One day's use of a model; ``cents`` is None where it has no price."""

    date: dt.date | None
    cents: int | None
    requests: int = 10
    tokens: int = 1000
    team: str | None = "search"
    app: str | None = "helper"
    model: str = "gpt-5"
    saved_cents: int = 0


def sums(uses: Iterable[Use]) -> pl.DataFrame:
    """Return the rollup ``daily`` of some uses."""
    rows = [
        dict.fromkeys(_DAILY.keys)
        | dict.fromkeys(_DAILY.sums, 0)
        | {
            "date": use.date,
            "team": use.team,
            "app": use.app,
            "model": use.model,
            "model_id": use.model,
            "has_price": use.cents is not None,
            "is_billed": True,
            "requests": use.requests,
            "priced": 0 if use.cents is None else use.requests,
            "tokens": use.tokens,
            "cost_pico": (use.cents or 0) * CENT,
            "saved_pico": use.saved_cents * CENT,
        }
        for use in uses
    ]
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("date").cast(pl.Date), pl.col(*_DAILY.sums).cast(pl.Int128)
    )


def daily(first: dt.date, cents: Sequence[int], **rest: int) -> list[Use]:
    """Return one use a day."""
    return [Use(date=first + dt.timedelta(days=day), cents=amount, **rest) for day, amount in enumerate(cents)]  # type: ignore[arg-type]


def period(first: dt.date, days: int, *, start: str = "00:10:00", end: str = "23:50:00") -> Period:
    """Return the period of consecutive days, whole by its first and last request unless said otherwise."""
    last = first + dt.timedelta(days=days - 1)
    return Period(
        start=f"{first}T{start}+00:00", end=f"{last}T{end}+00:00", days=days, timezone="UTC", undated_requests=0
    )
