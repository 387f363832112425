"""Bifrost's request logs: JSON of its API, or rows of its log store with JSON in columns. Inclusive."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import read_parameters, tier_of
from llm_audit.sources.records.calls import cost_pico, merge_key, operation
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, first, flag, mapping, number, text
from llm_audit.sources.records.messages import read_messages, set_reply
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    hit = mapping(record.get("cache_debug"))
    if flag(hit.get("cache_hit")) is True:
        yield NotACall(NotCallReason.GATEWAY_CACHE_HIT)
        return
    requested = text(record.get("alias"))
    model = text(first(record, "canonical_model_name", "model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    state = text(record.get("status"))
    if state == "processing":
        yield NotACall(NotCallReason.METADATA)
        return
    status = Status.OK if state in (None, "success") else Status.ERROR
    log_id = text(record.get("id"))
    request = Request(
        model=model,
        model_requested=requested or text(record.get("model")),
        provider=text(record.get("provider")),
        operation=operation(first(record, "object", "object_type")),
        time_us=micros(first(record, "timestamp", "created_at"), "timestamp"),
        service_tier=tier_of(mapping(record.get("params"))),
        request_id=log_id,
        merge_key=merge_key(log_id and f"bifrost:{log_id}", model=model, status=status),
        team=text(first(record, "team_name", "team_id")),
        app=text(first(record, "virtual_key_name", "selected_key_name")),
        user=text(first(record, "user_name", "user_id")),
        streamed=flag(record.get("stream")),
        status=status,
        latency_ms=number(record.get("latency")),
        stated_cost_pico=cost_pico(record.get("cost")),
        messages=read_messages(first(record, "input_history", "responses_input_history")),
    )
    read_parameters(request, {**mapping(record.get("params")), "tools": record.get("tools")})
    reply = mapping(record.get("output_message"))
    if reply:
        set_reply(request, reply)
    request.usage = _usage(mapping(record.get("token_usage")))
    yield request


def _usage(usage: Json) -> Usage:
    into, outof = mapping(usage.get("prompt_tokens_details")), mapping(usage.get("completion_tokens_details"))
    long = read_count(mapping(into.get("cached_write_token_details")), "cached_write_tokens_1h")
    written = read_count(into, "cached_write_tokens")
    if written is not None and long is not None and long > written:
        raise BadRecordError(Reason.BAD_TOKENS, "cached_write_tokens_1h")
    return disjoint_usage(
        read_count(usage, "prompt_tokens"),
        read_count(usage, "completion_tokens"),
        cache_read=read_count(into, "cached_read_tokens", "cached_tokens"),
        cache_write=None if written is None else written - (long or 0),
        cache_write_1h=long,
        reasoning=read_count(outof, "reasoning_tokens"),
        audio_input=read_count(into, "audio_tokens"),
        audio_output=read_count(outof, "audio_tokens"),
        image_input=read_count(into, "image_tokens"),
        total=read_count(usage, "total_tokens"),
        convention=Convention.INCLUSIVE,
    )


_COLUMNS = frozenset({"input_history", "responses_input_history", "object_type", "selected_key_id"})
FORMAT = Format(
    info=FormatInfo(
        name="bifrost",
        title="Bifrost request logs",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive",
        tells=("time", "id", "prompts", "cache", "cost", "latency"),
        notes="Fields as in Bifrost's source (framework/logstore/tables.go and core/schemas/chatcompletions.go, 2026), "
        "which does not say that prompt counts include cached tokens: the total decides. No real export was seen. A "
        "stated cost includes what the gateway's own cache looked up.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: not _COLUMNS.isdisjoint(record) and ("token_usage" in record or "object" in record),
    entries=_entries,
    keys=_COLUMNS,
    keys_decide=True,
)
