"""Polars types of the ledger's columns; ``ledger.columns`` declares and explains the columns."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from llm_audit.ledger.columns import (
    COLUMNS as COLUMN_TYPES,
)
from llm_audit.ledger.columns import (
    JUDGEMENT_COLUMNS,
    SCHEMA_VERSION,
    TOKEN_TYPES,
    ColumnType,
)
from llm_audit.vocabulary import (
    Abstention,
    Category,
    Judged,
    Operation,
    ServiceTier,
    Stakes,
    Status,
    Step,
    UsageSource,
)

__all__ = [
    "COLUMNS",
    "COUNT",
    "ID",
    "JUDGEMENT_COLUMNS",
    "NAME",
    "SCHEMA",
    "SCHEMA_VERSION",
    "TOKEN_TYPES",
    "Abstention",
    "Category",
    "Judged",
    "Operation",
    "ServiceTier",
    "Stakes",
    "Status",
    "Step",
    "UsageSource",
    "enum",
]

ID = pl.UInt64
NAME = pl.Categorical()
COUNT = pl.Int64

_TYPES: dict[ColumnType, pl.DataType | type[pl.DataType]] = {
    ColumnType.ID: ID,
    ColumnType.NAME: NAME,
    ColumnType.NAMES: NAME,
    ColumnType.COUNT: COUNT,
    ColumnType.INDEX: pl.UInt32,
    ColumnType.SMALL: pl.Int32,
    ColumnType.AMOUNT: pl.Float64,
    ColumnType.SCORE: pl.Float32,
    ColumnType.FLAG: pl.Boolean,
    ColumnType.TIME: pl.Datetime("us", "UTC"),
}


def enum(kind: type[StrEnum]) -> pl.Enum:
    """Return the polars type of a closed vocabulary."""
    return pl.Enum([member.value for member in kind])


COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    name: _TYPES[kind] if isinstance(kind, ColumnType) else enum(kind) for name, kind in COLUMN_TYPES.items()
}
SCHEMA = pl.Schema(COLUMNS)
