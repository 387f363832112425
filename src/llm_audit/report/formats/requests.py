"""A row a request, as CSV and Parquet: what was used and paid, how it was judged, and what the policy would do."""

from __future__ import annotations

import io

import polars as pl

from llm_audit.document.audit import Document
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.report import csv as flat
from llm_audit.report.interface import Frames, Options

COLUMNS: tuple[str, ...] = (
    "time", "provider", "model", "model_id", "tier", "service_tier", "team", "app", "user", "environment", "tags",
    "operation", "status", "latency_ms", *(f"{kind}_tokens" for kind in TOKEN_TYPES), "reasoning_tokens",
    "usage_source", "cost_pico", *(f"cost_{kind}_pico" for kind in TOKEN_TYPES), "cost_per_call_pico",
    "unpriced_reason", "stated_cost_pico", "category", "difficulty", "judged", "abstention", "step", "outcome", "gate",
    "route_provider", "route_model_id", "p_suffices", "ceiling_pico", "expected_pico", "floor_pico", "format", "input",
    "line", "request_key", "conversation", "trace", "template_hash",
)  # fmt: skip
"""The ledger's columns and those that pricing and the policy add, in this order."""


def csv(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """CSV with amounts in dollars."""
    return flat.csv(_chosen(frames))


def parquet(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Parquet with amounts in whole pico-dollars (``_pico``) and 64-bit ids, as the ledger has them."""
    return write_parquet(_chosen(frames))


def write_parquet(frame: pl.DataFrame) -> bytes:
    """Write a frame to bytes, the same for the same frame."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()


def _chosen(frames: Frames | None) -> pl.DataFrame:
    assert frames is not None, "the registry checks that there are requests"
    frame = frames.requests
    order = [name for name in ("time", "request_key") if name in frame.columns]
    return frame.select([name for name in COLUMNS if name in frame.columns]).sort(order, nulls_last=True)
