"""Helicone: a row a request in ``request_response_rmt``, of which ClickHouse keeps the newest version."""

from __future__ import annotations

from decimal import Decimal

from llm_audit.sources.databases.schema import Checked, Field, Period, RelatedRows, Row, Schema, Unit

_COST_UNITS = 1_000_000_000  # to a dollar
_NAMES = {
    "status": "response_status",
    "model": "response_model",
    "properties": "request_properties",
    "user_id": "request_user_id",
    "latency": "delay_ms",
}


def _request(row: Row, _related: RelatedRows) -> Row:
    """Return a row under the names that Helicone's export gives its columns."""
    record = {_NAMES.get(name, name): value for name, value in row.items() if value != ""}
    if cost := record.pop("cost", None):
        record["cost"] = str(Decimal(cost) / _COST_UNITS)
    record.setdefault("request_body", None)  # by which the export is recognised
    return record


SCHEMAS = (
    Schema(
        name="Helicone",
        format="helicone",
        drivers=frozenset({"clickhouse"}),
        table="request_response_rmt",
        key=("organization_id", "provider", "model", "user_id", "request_created_at", "request_id"),
        divided_by="request_created_at",
        divided_unit=Unit.TIME,
        period=Period("request_created_at", "request_created_at", Unit.TIME),
        fields=(
            *(Field(name, required=True) for name in ("organization_id", "provider", "model", "user_id")),
            *(Field(name, required=True) for name in ("request_created_at", "request_id", "status")),
            *(Field(name) for name in ("prompt_tokens", "completion_tokens", "latency", "properties", "response_id")),
            *(Field(name) for name in ("prompt_cache_read_tokens", "prompt_cache_write_tokens", "reasoning_tokens")),
            *(Field(name) for name in ("cost", "cache_reference_id", "request_model", "request_path")),
            *(Field(name, wide=True) for name in ("request_body", "response_body")),
        ),
        record=_request,
        final=True,
        checked={"clickhouse": Checked.ENGINE},
    ),
)
