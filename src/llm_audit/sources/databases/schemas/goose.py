"""Goose: a row a session, and since schema 15 a row a call in ``usage_ledger``."""

from __future__ import annotations

from llm_audit.sources.databases.schema import Checked, Field, Period, Related, RelatedRows, Row, Schema, Unit

_COUNTS = ("input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens")


def _session(row: Row, related: RelatedRows) -> Row:
    """Return a session with its calls, and with the roles of its messages."""
    return {"accumulated_total_tokens": None, **row, **{name: list(rows) for name, rows in related.items()}}


SCHEMAS = (
    Schema(
        name="Goose",
        format="goose",
        drivers=frozenset({"sqlite"}),
        table="sessions",
        key=("id",),
        period=Period("created_at", "updated_at", Unit.TIME),
        fields=(
            *(Field(name, required=True) for name in ("id", "working_dir", "created_at", "updated_at")),
            *(Field(f"accumulated_{name}", required=True) for name in _COUNTS[:3]),
            *(Field(f"accumulated_{name}") for name in (*_COUNTS[3:], "cost")),
            *(Field(name) for name in ("provider_name", "model_config_json", "session_type")),
        ),
        related=(
            Related(
                "usage_ledger",
                from_field="id",
                to_column="session_id",
                fields=tuple(
                    Field(name)
                    for name in (
                        *("id", "session_id", "created_timestamp", "model", *_COUNTS),
                        *("cost", "cost_source", "is_compaction"),
                    )
                ),
                order="id",
            ),
            Related(
                "messages",
                from_field="id",
                to_column="session_id",
                fields=(Field("id"), Field("session_id"), Field("role")),
                order="id",
            ),
        ),
        record=_session,
        checked={"sqlite": Checked.ENGINE},
    ),
)
