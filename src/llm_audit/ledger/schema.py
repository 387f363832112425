"""The ledger's columns as polars types. ``ledger.columns`` declares and explains them."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from llm_audit.ledger.columns import (
    COLUMNS as KINDS,
)
from llm_audit.ledger.columns import (
    JUDGEMENT_COLUMNS,
    SCHEMA_VERSION,
    TOKEN_TYPES,
    Kind,
)
from llm_audit.vocabulary import (
    Abstention,
    Category,
    Judged,
    Operation,
    ServiceTier,
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
    "Status",
    "Step",
    "UsageSource",
    "enum",
]

ID = pl.UInt64
NAME = pl.Categorical()
COUNT = pl.Int64

_TYPES: dict[Kind, pl.DataType | type[pl.DataType]] = {
    Kind.ID: ID,
    Kind.NAME: NAME,
    Kind.COUNT: COUNT,
    Kind.INDEX: pl.UInt32,
    Kind.SMALL: pl.Int32,
    Kind.AMOUNT: pl.Float64,
    Kind.SCORE: pl.Float32,
    Kind.FLAG: pl.Boolean,
    Kind.TIME: pl.Datetime("us", "UTC"),
}


def enum(kind: type[StrEnum]) -> pl.Enum:
    """The polars type of a closed vocabulary."""
    return pl.Enum([member.value for member in kind])


COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    name: _TYPES[kind] if isinstance(kind, Kind) else enum(kind) for name, kind in KINDS.items()
}
SCHEMA = pl.Schema(COLUMNS)
