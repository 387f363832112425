"""ZCode: a row a request to a model. Its input includes what caches held, as its total shows."""

from __future__ import annotations

from llm_audit.sources.databases.schema import Checked, Field, Period, Schema, Unit

SCHEMAS = (
    Schema(
        name="ZCode",
        format="flat",
        drivers=frozenset({"sqlite"}),
        table="model_usage",
        key=("id",),
        period=Period("started_at", "completed_at", Unit.MILLISECONDS),
        fields=(
            *(Field(name, required=True) for name in ("id", "session_id", "model_id", "started_at", "completed_at")),
            *(Field(name, required=True) for name in ("input_tokens", "output_tokens", "computed_total_tokens")),
            *(Field(name) for name in ("reasoning_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")),
            Field("status"),
        ),
        checked={"sqlite": Checked.ENGINE},
    ),
)
