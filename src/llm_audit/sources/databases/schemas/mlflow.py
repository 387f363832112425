"""MLflow's tracing: a row a trace, whose spans are rows of another table since version 3.5."""

from __future__ import annotations

from typing import Any

import msgspec

from llm_audit.sources.databases.schema import Checked, Field, Period, Related, RelatedRows, Row, Schema, Unit


def _trace(row: Row, related: RelatedRows) -> Row:
    """Return a trace with its spans, as MLflow exports it."""
    return {"info": row, "data": {"spans": [_span(span) for span in related.get("spans", ())]}}


def _span(row: Row) -> Any:
    try:
        return msgspec.json.decode(row.get("content", ""))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return row


SCHEMAS = (
    Schema(
        name="MLflow",
        format="mlflow",
        drivers=frozenset({"postgresql", "mysql", "sqlite"}),
        table="trace_info",
        key=("request_id",),
        period=Period("timestamp_ms", "timestamp_ms", Unit.MILLISECONDS),
        fields=(Field("request_id", required=True), Field("experiment_id"), Field("timestamp_ms", required=True)),
        related=(
            Related(
                "spans",
                from_field="request_id",
                to_column="trace_id",
                fields=(Field("trace_id"), Field("span_id"), Field("content", wide=True)),
                order="span_id",
                required=True,
            ),
        ),
        record=_trace,
        checked={"postgresql": Checked.SERVER, "mysql": Checked.DOCUMENTATION, "sqlite": Checked.DOCUMENTATION},
    ),
)
