"""Langfuse: observations and the traces around them, in PostgreSQL up to version 2 and in ClickHouse since version 3.

Only observations that are calls are asked for. ClickHouse holds every version of a row until it merges them, so that
the newest are asked for with FINAL.
"""

from __future__ import annotations

from typing import Any

from llm_audit.sources.databases.schema import Checked, Field, Period, Related, RelatedRows, Row, Schema, Unit

_TRACE = tuple(Field(name) for name in ("id", "project_id", "name", "user_id", "session_id", "tags", "metadata"))
_TRACES = Related("traces", from_field="trace_id", to_column="id", fields=_TRACE, order="id")
_COMMON = (
    *(Field(name, required=True) for name in ("id", "trace_id", "project_id", "type", "start_time")),
    *(Field(name) for name in ("end_time", "level", "parent_observation_id", "name", "environment")),
    *(Field(name, wide=True) for name in ("input", "output")),
)
_COUNTS = {"prompt_tokens": "input", "completion_tokens": "output", "total_tokens": "total"}


def _observation(row: Row, related: RelatedRows) -> Row:
    """Return an observation in its trace; another project may have a trace of the same id."""
    project = row.get("project_id")
    trace: dict[str, Any] = next((one for one in related["traces"] if one.get("project_id") == project), {})
    return {"projectId": project, "trace": trace, "observations": [row]}


def _older_observation(row: Row, related: RelatedRows) -> Row:
    """Return an observation of version 2, which counts with columns; zero in all of them is unknown."""
    counts = {name: row.pop(column, 0) for column, name in _COUNTS.items()}
    if any(counts.values()) and row.pop("unit", "TOKENS") in ("TOKENS", None):
        row["usage_details"] = {name: count for name, count in counts.items() if name != "total" or count}
    row["provided_model_name"] = row.pop("model", None)
    row["total_cost"] = row.pop("total_cost", None) or row.pop("calculated_total_cost", None)
    return _observation(row, related)


SCHEMAS = (
    Schema(
        name="Langfuse 2",
        format="langfuse",
        drivers=frozenset({"postgresql"}),
        table="observations",
        key=("start_time", "id"),
        divided_by="start_time",
        divided_unit=Unit.TIME,
        period=Period("start_time", "start_time", Unit.TIME),
        fields=(
            *_COMMON,
            *(Field(name, required=True) for name in (*_COUNTS, "model")),
            *(Field(name) for name in ("unit", "total_cost", "calculated_total_cost", "modelParameters")),
            Field("metadata", wide=True),
        ),
        related=(_TRACES,),
        condition="type = 'GENERATION'",
        record=_older_observation,
        checked={"postgresql": Checked.SERVER},
    ),
    Schema(
        name="Langfuse 3",
        format="langfuse",
        drivers=frozenset({"clickhouse"}),
        table="observations",
        key=("project_id", "type", "start_day", "id"),
        divided_by="start_time",
        divided_unit=Unit.TIME,
        period=Period("start_time", "start_time", Unit.TIME),
        fields=(
            *_COMMON,
            *(Field(name, required=True) for name in ("usage_details", "provided_model_name")),
            *(Field(name) for name in ("total_cost", "model_parameters", "metadata")),
            Field("start_day", expression="toDate(start_time)"),
        ),
        related=(_TRACES,),
        condition="type IN ('GENERATION', 'EMBEDDING')",
        record=_observation,
        final=True,
        checked={"clickhouse": Checked.ENGINE},
    ),
)
