"""OpenCode and its forks (Kilo Code's command line): a row a message, which JSON in one column describes.

The counts of a message are those of its last step; the steps before are among its parts. Sums by session are not read.

While it moves from the one table to the other, OpenCode may write calls to both, under ids of their own. A row of the
second generation from before the session's last change of a row of the first is such a copy.
"""

from __future__ import annotations

from llm_audit.sources.databases.schema import Checked, Field, Period, Related, RelatedRows, Row, Schema, Unit
from llm_audit.sources.records.fields import Json, mapping

_FIELDS = (
    *(Field(name, required=True) for name in ("id", "session_id", "time_created", "time_updated")),
    Field("data", required=True, wide=True),
)
_NO_COPY = (
    "NOT EXISTS (SELECT 1 FROM message WHERE message.session_id = session_message.session_id "
    "AND message.time_updated >= session_message.time_created)"
)
_PERIOD = Period("time_created", "time_updated", Unit.MILLISECONDS)


def _message(row: Row, related: RelatedRows) -> Row:
    """Return a message as ``opencode export`` writes it: its JSON has no ids, and the steps are rows of their own."""
    steps = [mapping(part.get("data")) for part in related.get("part", ())]
    return _exported(row, mapping(row.get("data")), steps)


def _projected(row: Row, _related: RelatedRows) -> Row:
    """Return a message of the second generation, whose role is a column and whose model is an object."""
    data = mapping(row.get("data"))
    model = mapping(data.get("model"))
    named = {"role": row.get("type"), "modelID": model.get("id"), "providerID": model.get("providerID")}
    return _exported(row, {**data, **named}, [])


def _exported(row: Row, data: Json, steps: list[Json]) -> Row:
    info = {"time": {"created": row.get("time_created")}, **data, "id": row.get("id"), "sessionID": row["session_id"]}
    return {"info": {"id": row["session_id"]}, "messages": [{"info": info, "parts": steps}]}


SCHEMAS = (
    Schema(
        name="OpenCode",
        format="opencode",
        drivers=frozenset({"sqlite"}),
        table="message",
        key=("id",),
        period=_PERIOD,
        fields=_FIELDS,
        related=(
            Related(
                "part",
                from_field="id",
                to_column="message_id",
                fields=(
                    Field("id"),
                    Field("message_id"),
                    Field("data", expression="CASE WHEN data LIKE '%\"step-finish\"%' THEN data END"),
                ),
                order="id",
            ),
        ),
        record=_message,
        checked={"sqlite": Checked.ENGINE},
    ),
    Schema(
        name="OpenCode",
        format="opencode",
        drivers=frozenset({"sqlite"}),
        table="session_message",
        key=("id",),
        period=_PERIOD,
        fields=(*_FIELDS, Field("type", required=True)),
        record=_projected,
        condition_beside=("message", _NO_COPY),
        checked={"sqlite": Checked.ENGINE},
    ),
)
