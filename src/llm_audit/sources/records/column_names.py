"""The names that custom logs give their columns, and which of them a record has.

Names are compared in one form (``promptTokens``, ``Prompt Tokens`` and ``prompt-tokens`` are ``prompt_tokens``).
Records of one log mostly share their keys, so the columns are looked up once for each set of keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from llm_audit.sources.records.billing.amounts import COLUMNS as COST_COLUMNS
from llm_audit.sources.records.billing.amounts import PARTS as COST_PARTS
from llm_audit.sources.records.tokens.names import COLUMNS as TOKEN_COLUMNS
from llm_audit.sources.records.tokens.names import looks_like_tokens, normalize_name, token_kind

ABSENT = "\0absent"  # no record has such a key
_MAX_SHAPES = 4096  # sets of keys remembered

SYNONYMS: dict[str, tuple[str, ...]] = {
    "time": (
        "timestamp", "time", "ts", "created_at", "start_time", "request_time", "requested_at", "started_at", "datetime",
        "date_time", "event_time",
        "when", "logged_at", "created", "create_time", "timestamp_ms", "time_ms", "ts_ms", "epoch_ms", "created_at_ms",
        "start_time_ms", "request_time_ms", "timestamp_us", "timestamp_ns", "time_unix_nano", "start_time_unix_nano",
        "timestamp_s", "unix_time", "date", "day",
    ),
    "end_time": ("end_time", "completed_at", "finished_at", "ended_at", "response_time_utc"),
    "model": ("model", "model_name", "model_id", "llm_model", "engine", "deployment", "deployment_name"),
    "served": ("response_model", "served_model", "model_served", "resolved_model", "model_version"),
    "requested": ("request_model", "requested_model", "model_requested"),
    "provider": ("provider", "llm_provider", "model_provider", "custom_llm_provider", "api_provider", "vendor"),
    "operation": ("operation", "call_type", "endpoint", "request_type", "api"),
    "billed_tier": ("response_service_tier", "usage_service_tier", "response_usage_service_tier"),  # of a response
    "billed_speed": ("usage_speed", "response_usage_speed"),
    "billed_region": ("usage_inference_geo", "response_usage_inference_geo"),
    "searches": tuple(
        f"{head}server_tool_use_web_search_requests" for head in ("", "usage_", "response_usage_")
    ),
    "service_tier": ("service_tier", "processing_tier", "speed"),
    "region": ("region", "location", "inference_geo"),
    "request_id": ("request_id", "response_id", "call_id", "completion_id", "generation_id", "log_id", "id", "uuid"),
    "conversation": ("conversation_id", "session_id", "thread_id", "chat_id", "conversation", "session"),
    "trace": ("trace_id", "trace", "run_id"),
    "span": ("span_id", "span"),
    "parent_span": ("parent_span_id", "parent_id", "parent_span"),
    "team": ("team", "team_name", "team_alias", "team_id", "department", "cost_center", "cost_centre", "business_unit"),
    "app": (
        "app", "application", "app_name", "application_name", "service", "service_name", "project", "product",
        "feature", "use_case",
    ),
    "user": ("user", "user_id", "user_name", "username", "end_user", "customer", "customer_id"),
    "environment": ("environment", "env", "deployment_environment", "stage"),
    "requests": (
        "num_model_requests", "num_requests", "request_count", "requests", "n_requests", "total_requests",
        "number_of_requests", "api_requests", "calls",
    ),
    "tags": ("tags", "labels"),
    "metadata": ("metadata", "meta", "attributes", "properties", "extra"),
    "usage": ("usage", "token_usage", "usage_metadata"),
    **TOKEN_COLUMNS,
    "cost": (
        "cost_usd", "total_cost_usd", "cost", "total_cost", "response_cost", "spend", "cost_total", "price_usd",
        "total_price", "price", "amount_usd", "cost_$", "total_cost_$", "cost_in_usd", "cost_dollars",
        "cost_in_dollars", "usd_cost", "spend_usd", "total_spend", "estimated_cost_usd", "estimated_cost",
        "costs", "cost_details", "cost_breakdown", "usage_cost", "response_usage_cost",
    ),
    "currency": ("currency", "cost_currency", "price_currency", "cost_unit"),
    "other_cost": tuple(COST_COLUMNS),  # in the unit that the name ends in
    **{part: tuple(names) for part, names in COST_PARTS.items()},
    "messages": ("messages", "prompt_messages", "input_messages", "chat_history"),
    "prompt": ("prompt", "input", "query", "question", "user_prompt", "prompt_text", "request_text", "input_text"),
    "system": ("system", "system_prompt", "system_message", "instructions"),
    "completion": (
        "completion", "response", "output", "answer", "reply", "response_text", "output_text", "completion_text",
    ),
    "tools": ("tools", "functions"),
    "response_format": ("response_format", "json_schema", "response_schema"),
    "reasoning_effort": ("reasoning_effort", "thinking", "reasoning"),
    "max_output": ("max_output_tokens", "max_completion_tokens", "max_tokens"),
    "stream": ("stream", "streamed", "streaming", "is_stream", "is_streaming"),
    "batch": ("is_batch", "batch"),
    "status": ("status", "status_code", "http_status", "http_status_code", "response_status", "outcome", "state"),
    "error": ("error", "error_message", "error_code", "error_type", "exception"),
    "latency_ms": (
        "latency_ms", "duration_ms", "response_time_ms", "elapsed_ms", "total_latency_ms", "request_duration_ms",
        "latency_millis", "execution_time_ms", "execution_duration_ms",
    ),
    "latency_s": ("latency_s", "latency_seconds", "duration_s", "duration_seconds", "elapsed_seconds", "latency_sec"),
    "latency": ("latency", "duration", "response_time", "elapsed"),
}  # fmt: skip
"""Columns by the names they go by, the most specific first."""

_COLUMN_OF = {name: (column, rank) for column, names in SYNONYMS.items() for rank, name in enumerate(names)}
USUAL = frozenset(
    {
        "time",
        "model",
        "request_id",
        "trace",
        "metadata",
        "usage",
        "messages",
        "prompt",
        "stream",
        "status",
        "latency_ms",
    }
    | {"team", "input", "output", "cached", "app", "user", "completion", "conversation", "total", "system"}
)
"""Columns that most logs have, and no others."""
EVENTS = frozenset({"event", "event_type", "event_name", "phase", "msg", "message"})
"""Names under which a log says what a record is about."""
CACHE_HITS = frozenset({"cache_hit", "cached", "from_cache", "is_cached", "served_from_cache", "cache_status"})
"""Names under which a log says that a cache of its own answered."""
_HOLDERS = frozenset(
    {"llm", "llm_output", "llm_response", "llm_result", "result", "api_response", "raw_response", "model_response"}
    | {"response_metadata", "response_data", "generation", "generation_info", "telemetry"}
    | {"response_json", "raw_output", "full_response", "provider_response", "completion_json", "raw_completion"}
)
"""Names under which a custom log keeps what a library returned, with the usage in it."""
COUNTED = frozenset(
    {"metrics", "llm_metrics", "call_metrics", "run_metrics", "token_metrics", "stats", "statistics", "token_stats"}
    | {"llm_usage", "model_usage", "api_usage", "usage_info", "usage_stats", "usage_data", "usage_details"}
    | {"token_count", "token_counts", "token_info", "tokens_info"}
)
"""Names under which a custom log keeps token counts in an object of their own, beside names of usage."""
LISTED = frozenset({"llm_calls", "model_calls", "api_calls", "calls", "steps", "turns", "generations", "attempts"})
"""Names under which a custom log lists calls, each with counts of its own."""
_ATTRIBUTION = frozenset({"team", "app", "user", "environment"})


class Columns(msgspec.Struct, frozen=True):
    """The key under which a record has each column; ``ABSENT`` where it has none."""

    time: str = ABSENT
    end_time: str = ABSENT
    model: str = ABSENT
    served: str = ABSENT
    requested: str = ABSENT
    provider: str = ABSENT
    operation: str = ABSENT
    billed_tier: str = ABSENT
    billed_speed: str = ABSENT
    billed_region: str = ABSENT
    searches: str = ABSENT
    service_tier: str = ABSENT
    region: str = ABSENT
    request_id: str = ABSENT
    conversation: str = ABSENT
    trace: str = ABSENT
    span: str = ABSENT
    parent_span: str = ABSENT
    team: str = ABSENT
    app: str = ABSENT
    user: str = ABSENT
    environment: str = ABSENT
    requests: str = ABSENT
    tags: str = ABSENT
    metadata: str = ABSENT
    usage: str = ABSENT
    input: str = ABSENT
    output: str = ABSENT
    cached: str = ABSENT
    cache_read: str = ABSENT
    cache_write: str = ABSENT
    cache_created: str = ABSENT
    cache_write_5m: str = ABSENT
    cache_write_1h: str = ABSENT
    fresh: str = ABSENT
    tool_input: str = ABSENT
    reasoning: str = ABSENT
    thinking: str = ABSENT
    thoughts: str = ABSENT
    audio_input: str = ABSENT
    audio_output: str = ABSENT
    image_input: str = ABSENT
    image_output: str = ABSENT
    total: str = ABSENT
    cost: str = ABSENT
    currency: str = ABSENT
    other_cost: str = ABSENT
    input_cost: str = ABSENT
    output_cost: str = ABSENT
    cache_read_cost: str = ABSENT
    cache_write_cost: str = ABSENT
    messages: str = ABSENT
    prompt: str = ABSENT
    system: str = ABSENT
    completion: str = ABSENT
    tools: str = ABSENT
    response_format: str = ABSENT
    reasoning_effort: str = ABSENT
    max_output: str = ABSENT
    stream: str = ABSENT
    batch: str = ABSENT
    status: str = ABSENT
    error: str = ABSENT
    latency_ms: str = ABSENT
    latency_s: str = ABSENT
    latency: str = ABSENT
    only_usual: bool = True  # no column besides those that most logs have, and none that may count tokens
    attribution: bool = False  # any of team, app, user and environment
    marks: tuple[str, ...] = ()  # keys that may say that a record is no call
    holders: tuple[str, ...] = ()  # keys of objects that may hold the usage, or counts, and of lists of calls

    def whole_counts(self, record: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
        """Return the keys and the values of a record's own counts of its input and of its output."""
        return {"input": (self.input, record.get(self.input)), "output": (self.output, record.get(self.output))}

    @property
    def counts_tokens(self) -> bool:
        """Whether any column counts tokens or holds a usage, as those of custom logs do."""
        return any(column is not ABSENT for column in (self.usage, self.input, self.output, self.total))

    @property
    def counts_caches(self) -> bool:
        """Whether any column counts cached tokens or those that were written to a cache."""
        written = (self.cache_write, self.cache_write_5m, self.cache_write_1h)
        return any(column is not ABSENT for column in (self.cached, self.cache_read, self.cache_created, *written))

    @property
    def counts_parts(self) -> bool:
        """Whether any column counts reasoning, sound, images or writes to a cache by their lifetime."""
        parts = (self.audio_input, self.audio_output, self.image_input, self.image_output)
        reasoning = (self.reasoning, self.thinking, self.thoughts)
        return any(column is not ABSENT for column in (*reasoning, *parts, self.cache_write_5m, self.cache_write_1h))

    def names(self, column: str, *names: str) -> bool:
        """Return whether the normalized key of a column is one of these names."""
        return normalize_name(getattr(self, column)) in names


def columns_of(record: Mapping[str, Any]) -> Columns:
    """Return which columns a record has, by its keys alone. Of several names for one column the most specific wins."""
    shape = tuple(record)
    found = _known.get(shape)
    if found is None:
        if len(_known) >= _MAX_SHAPES:
            _known.clear()
        found = _known[shape] = _columns(shape)
    return found


def column_named(name: str) -> str | None:
    """Return the column that a name denotes; None where it denotes none."""
    return _COLUMN_OF.get(normalize_name(name), (None, 0))[0]


def rank_of(name: str) -> int:
    """Return how specific a column's name is: 0 for the most specific."""
    return _COLUMN_OF.get(normalize_name(name), (None, 0))[1]


def _columns(keys: tuple[str, ...]) -> Columns:
    best: dict[str, tuple[int, str]] = {}
    for key in keys:
        column, rank = _COLUMN_OF.get(normalize_name(key), (None, 0))
        if column is not None and (column not in best or rank < best[column][0]):
            best[column] = (rank, key)
    found = {column: key for column, (_, key) in best.items()}
    unread = any(_may_count(normalize_name(key)) for key in keys)
    marks = tuple(key for key in keys if normalize_name(key) in EVENTS | CACHE_HITS)
    holders = tuple(key for key in keys if normalize_name(key) in _HOLDERS | COUNTED | LISTED)
    flags = {
        "only_usual": found.keys() <= USUAL and not (unread or marks or holders or _counts_twice(keys)),
        "attribution": not _ATTRIBUTION.isdisjoint(found),
        "marks": marks,
        "holders": holders,
    }
    return msgspec.convert({**found, **flags}, Columns)


def _may_count(name: str) -> bool:
    """Return whether a name that is no column may count tokens, such as a part of a usage in a flat table."""
    return name not in _COLUMN_OF and (token_kind(name) is not None or looks_like_tokens(name))


def _counts_twice(keys: tuple[str, ...]) -> bool:
    """Return whether several names count the input, or the output, so that they may contradict each other."""
    whole = [column for key in keys if (column := column_named(key)) in ("input", "output")]
    return len(whole) > len(set(whole))


_known: dict[tuple[str, ...], Columns] = {}
