"""Dify: a row an answer in ``messages``."""

from __future__ import annotations

from llm_audit.sources.databases.schema import Checked, Field, Period, Schema, Unit

SCHEMAS = (
    Schema(
        name="Dify",
        format="dify",
        drivers=frozenset({"postgresql", "mysql"}),
        table="messages",
        key=("created_at", "id"),
        divided_by="created_at",
        divided_unit=Unit.TIME,
        period=Period("created_at", "created_at", Unit.TIME),
        fields=(
            *(Field(name, required=True) for name in ("id", "app_id", "created_at", "model_id", "model_provider")),
            *(Field(name, required=True) for name in ("message_tokens", "answer_tokens", "conversation_id")),
            *(Field(name) for name in ("total_price", "currency", "status", "error", "provider_response_latency")),
            *(Field(name) for name in ("from_end_user_id", "from_account_id")),
            *(Field(name, wide=True) for name in ("message", "query", "answer")),
        ),
        checked={"postgresql": Checked.SERVER, "mysql": Checked.DOCUMENTATION},
    ),
)
