"""The frames that CSV and Parquet reports are written from: a row a request, and a row a group."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from llm_audit.document.audit import Document
from llm_audit.ledger.columns import TOKEN_TYPES
from llm_audit.report.interface import Frames

_REQUEST: tuple[str, ...] = (
    "time", "provider", "model", "model_id", "tier", "service_tier", "team", "app", "user", "environment", "tags",
    "operation", "status", "latency_ms", *(f"{kind}_tokens" for kind in TOKEN_TYPES), "reasoning_tokens",
    "usage_source", "cost_pico", *(f"cost_{kind}_pico" for kind in TOKEN_TYPES), "cost_per_call_pico",
    "unpriced_reason", "stated_cost_pico", "billing_basis", "category", "difficulty", "judged", "abstention", "step",
    "language", "stakes", "outcome", "gate", "route_provider", "route_model_id", "p_suffices", "preference_gap",
    "ceiling_pico", "expected_pico", "floor_pico", "format", "input", "line", "request_key", "conversation", "trace",
    "template_hash",
)  # fmt: skip
"""The ledger's columns and those that pricing and the policy add, in this order."""
_AMOUNT = pl.Decimal(38, 12)
_GROUP: dict[str, pl.DataType | type[pl.DataType]] = {
    "dimension": pl.String,
    "name": pl.String,
    "requests": pl.Int64,
    "tokens": pl.Int64,
    "cost": _AMOUNT,
    "cost_share": pl.Float64,
    "policy_cost": _AMOUNT,
    "flagship_tax": _AMOUNT,
    "unpriced_requests": pl.Int64,
    "moved_requests": pl.Int64,
    "covered_share": pl.Float64,
}
"""Amounts are in the document's currency, exact to 10^-12, null where no request has a price."""


def request_rows(frames: Frames | None) -> pl.DataFrame:
    """Return a row a request, by time: usage and cost, judgement, and the policy's decision."""
    assert frames is not None, "the registry checks that there are requests"
    frame = frames.requests
    order = [name for name in ("time", "request_key") if name in frame.columns]
    return frame.select([name for name in _REQUEST if name in frame.columns]).sort(order, nulls_last=True)


def group_rows(document: Document) -> pl.DataFrame:
    """Return a row for each group of each dimension of the audit."""
    rows = [
        {
            "dimension": dimension,
            "name": row.name,
            "requests": row.requests,
            "tokens": row.tokens,
            "cost": _amount(row.cost),
            "cost_share": row.cost_share,
            "policy_cost": _amount(row.policy_cost),
            "flagship_tax": _amount(row.flagship_tax),
            "unpriced_requests": row.unpriced_requests,
            "moved_requests": row.moved_requests,
            "covered_share": row.covered_share,
        }
        for dimension, group in document.groups.items()
        for row in group
    ]
    return pl.DataFrame(rows, schema=_GROUP)


def _amount(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)
