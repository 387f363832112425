"""The document's tables as polars frames."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import msgspec.inspect

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.document.audit import Document

_AMOUNTS = frozenset(
    {
        "actual_cost",
        "amount",
        "ceiling",
        "computed",
        "cost",
        "difference",
        "flagship_tax",
        "floor",
        "high",
        "low",
        "policy_cost",
        "saved_per_lost_answer",
        "stated",
    }
)
"""Fields of the document that are money, which it writes as text."""
_TABLES = (
    "model_mix",
    "model_mix_daily",
    "daily",
    "routes",
    "spend",
    "findings",
    "waste",
    "unpriced_models",
    "reconciliation",
    "gates",
    "coverage",
)
_NESTED = (
    msgspec.inspect.StructType,
    msgspec.inspect.DictType,
    msgspec.inspect.ListType,
    msgspec.inspect.VarTupleType,
)


def tables(document: Document) -> dict[str, pl.DataFrame]:
    """Return the tables by name; dollars are exact decimals, and unknown ones null."""
    found = {name: frame(getattr(document, name)) for name in _TABLES}
    groups = [{"by": by} | _row(row) for by, rows in document.groups.items() for row in rows]
    return found | {"groups": _from_rows(groups)}


def frame(rows: Sequence[msgspec.Struct]) -> pl.DataFrame:
    """Return rows of the document as a frame."""
    return _from_rows([_row(row) for row in rows])


def _row(row: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a part of the document, without those that have parts of their own."""
    return {name: getattr(row, name) for name in _plain_fields(type(row))}


@cache
def _plain_fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the names of the fields that hold one value."""
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType)
    return tuple(field.name for field in described.fields if _is_plain(field.type))


def _is_plain(kind: msgspec.inspect.Type) -> bool:
    if isinstance(kind, msgspec.inspect.UnionType):
        return all(_is_plain(part) for part in kind.types)
    if isinstance(kind, msgspec.inspect.Metadata):
        return _is_plain(kind.type)
    return not isinstance(kind, _NESTED)


def _from_rows(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    import polars as pl

    frame = pl.DataFrame(list(rows), infer_schema_length=None, strict=False)
    amounts = [name for name in frame.columns if name in _AMOUNTS]
    return frame.with_columns(pl.col(name).cast(pl.String).str.to_decimal(scale=12) for name in amounts)
