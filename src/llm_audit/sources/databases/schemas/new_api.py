"""one-api and new-api: a row a charge in ``logs``."""

from __future__ import annotations

from llm_audit.sources.databases.schema import Checked, Field, Period, Schema, Unit

SCHEMAS = (
    Schema(
        name="new-api",
        format="new-api",
        drivers=frozenset({"mysql", "postgresql", "sqlite"}),
        table="logs",
        key=("id",),
        divided_by="id",
        period=Period("created_at", "created_at", Unit.SECONDS),
        fields=(
            *(Field(name, required=True) for name in ("id", "created_at", "type", "model_name", "token_name", "quota")),
            *(Field(name, required=True) for name in ("prompt_tokens", "completion_tokens", "username")),
            *(Field(name) for name in ("use_time", "elapsed_time", "is_stream", "group", "request_id")),
            Field("other", wide=True),
        ),
        checked={
            "mysql": Checked.SERVER,
            "postgresql": Checked.DOCUMENTATION,
            "sqlite": Checked.DOCUMENTATION,
        },
    ),
)
