"""Open WebUI: a row a chat, with every message of it in one JSON value."""

from __future__ import annotations

from llm_audit.sources.databases.schema import Checked, Field, Period, Schema, Unit

SCHEMAS = (
    Schema(
        name="Open WebUI",
        format="open-webui",
        drivers=frozenset({"postgresql", "sqlite"}),
        table="chat",
        key=("id",),
        period=Period("created_at", "updated_at", Unit.SECONDS),
        fields=(
            Field("id", required=True),
            Field("user_id", required=True),
            Field("chat", required=True, wide=True),
            Field("created_at", required=True),
            Field("updated_at", required=True),
        ),
        checked={"postgresql": Checked.SERVER, "sqlite": Checked.ENGINE},
    ),
)
