"""Ledger rows for tests: what is not given is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

from llm_audit.ledger.schema import SCHEMA, TOKEN_TYPES


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def ledger(*rows: dict[str, Any]) -> pl.DataFrame:
    base = {"service_tier": "standard", "operation": "chat", "status": "ok", "usage_source": "reported"}
    given = set(base).union(*rows)
    unknown = pl.Series([None] * len(rows))
    return pl.DataFrame(
        {name: [(base | row).get(name) for row in rows] if name in given else unknown for name in SCHEMA}, schema=SCHEMA
    )


def call(
    provider: str | None, model: str, time: datetime | None, *, tier: str = "standard", **tokens: Any
) -> dict[str, Any]:
    """One row; ``tokens`` by type (``input=3``) or by column."""
    columns = {f"{key}_tokens" if key in TOKEN_TYPES else key: value for key, value in tokens.items()}
    return {"provider": provider, "model": model, "time": time, "service_tier": tier, **columns}
