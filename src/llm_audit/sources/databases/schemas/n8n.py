"""n8n: a row an execution, with the data of its nodes in another table, written by the library flatted."""

from __future__ import annotations

from typing import Any

import msgspec

from llm_audit.sources.databases.schema import Checked, Field, Period, Related, RelatedRows, Row, Schema, Unit

_DEEPEST = 64


def _execution(row: Row, related: RelatedRows) -> Row:
    """Return an execution as n8n's API gives it."""
    data: Row = next(iter(related["execution_data"]), {})
    workflow: Row = next(iter(related.get("workflow_entity", ())), {})
    record = {**row, "data": unflattened(data.get("data", ""))}
    return {**record, "workflowName": workflow["name"]} if "name" in workflow else record


def unflattened(text: str) -> Any:
    """Return the value that flatted wrote: a list of values, in which a string inside another value is a place in it.

    What cannot be read is None.

    >>> unflattened('[{"a":"1","n":2},["2"],"x"]')
    {'a': ['x'], 'n': 2}
    """
    try:
        values = msgspec.json.decode(text)
        return _resolved(values, 0, 0) if isinstance(values, list) else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, IndexError):
        return None


def _resolved(values: list[Any], place: int, depth: int) -> Any:
    value = values[place]
    if depth > _DEEPEST:  # a value that holds itself
        return None
    if isinstance(value, dict):
        return {name: _inner(values, item, depth) for name, item in value.items()}
    return [_inner(values, item, depth) for item in value] if isinstance(value, list) else value


def _inner(values: list[Any], item: Any, depth: int) -> Any:
    return _resolved(values, int(item), depth + 1) if isinstance(item, str) else item


SCHEMAS = (
    Schema(
        name="n8n",
        format="n8n",
        drivers=frozenset({"postgresql", "sqlite"}),
        table="execution_entity",
        key=("id",),
        divided_by="id",
        period=Period("startedAt", "startedAt", Unit.TIME),
        fields=(
            Field("id", required=True),
            Field("startedAt", required=True),
            Field("status"),
            Field("workflowId", required=True),
        ),
        related=(
            Related(
                "execution_data",
                from_field="id",
                to_column="executionId",
                fields=(Field("executionId"), Field("data", wide=True)),
                required=True,
            ),
            Related("workflow_entity", from_field="workflowId", to_column="id", fields=(Field("id"), Field("name"))),
        ),
        record=_execution,
        checked={"postgresql": Checked.SERVER, "sqlite": Checked.DOCUMENTATION},
    ),
)
