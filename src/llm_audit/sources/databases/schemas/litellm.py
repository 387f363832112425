"""LiteLLM's proxy: a row a call in ``LiteLLM_SpendLogs``, and sums by day where calls are not logged."""

from __future__ import annotations

from llm_audit.sources.databases.schema import Checked, Field, Period, Schema, Unit

_CALLS = Schema(
    name="LiteLLM",
    format="litellm-spend",
    drivers=frozenset({"postgresql"}),
    table="LiteLLM_SpendLogs",
    key=("startTime", "request_id"),
    divided_by="startTime",
    divided_unit=Unit.TIME,
    period=Period("startTime", "startTime", Unit.TIME),
    fields=(
        *(Field(name, required=True) for name in ("request_id", "call_type", "spend", "startTime", "model")),
        *(Field(name) for name in ("endTime", "request_duration_ms", "model_group", "custom_llm_provider")),
        *(Field(name) for name in ("user", "end_user", "team_id", "request_tags", "session_id", "status")),
        *(Field(name) for name in ("cache_hit", "prompt_tokens", "completion_tokens", "total_tokens")),
        *(Field(name, wide=True) for name in ("metadata", "messages", "response", "proxy_server_request")),
    ),
    checked={"postgresql": Checked.SERVER},
)

_COUNTS = ("prompt_tokens", "completion_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_REQUESTS = ("api_requests", "successful_requests", "failed_requests")


def _by_day(table: str, whose: str, *, instead: tuple[str, ...]) -> Schema:
    return Schema(
        name="LiteLLM",
        format="litellm-daily",
        drivers=frozenset({"postgresql"}),
        table=table,
        key=("id",),
        period=Period("date", "date", Unit.DAY),
        fields=(
            *(Field(name, required=True) for name in ("id", "date", "model", "spend", *_COUNTS[:2], _REQUESTS[0])),
            *(Field(name) for name in (*_COUNTS[2:], *_REQUESTS[1:], "model_group", "custom_llm_provider", whose)),
            *(Field(name) for name in ("endpoint", "mcp_namespaced_tool_name")),
        ),
        instead=instead,
        checked={"postgresql": Checked.SERVER},
    )


_USERS = _by_day("LiteLLM_DailyUserSpend", "user_id", instead=("LiteLLM_SpendLogs",))
_TEAMS = _by_day("LiteLLM_DailyTeamSpend", "team_id", instead=("LiteLLM_SpendLogs", "LiteLLM_DailyUserSpend"))

SCHEMAS = (_CALLS, _USERS, _TEAMS)
