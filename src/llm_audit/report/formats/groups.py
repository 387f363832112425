"""A row a group, as CSV and Parquet: every dimension of the audit in one long table."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from llm_audit.document.audit import Document
from llm_audit.report import csv as flat
from llm_audit.report.formats.requests import write_parquet
from llm_audit.report.interface import Frames, Options

_AMOUNT = pl.Decimal(38, 12)
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
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
}
"""Amounts are in the document's currency, exact to 10^-12, null where no request has a price."""


def _frame(document: Document) -> pl.DataFrame:
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
        }
        for dimension, group in document.groups.items()
        for row in group
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def _amount(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)


def csv(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """CSV with a row for each group of each dimension."""
    return flat.csv(_frame(document))


def parquet(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Parquet with a row for each group of each dimension."""
    return write_parquet(_frame(document))
