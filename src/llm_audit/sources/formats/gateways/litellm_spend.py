"""LiteLLM's SpendLogs table, exported as JSON or CSV. Nested columns are JSON in strings.

The ``metadata`` column alone is read too: it holds the usage, but not the model.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import NO_USAGE, BadRecordError, Entry, NotACall, Reason, Record, Request, Usage
from llm_audit.sources.formats.gateways.litellm import (
    as_batch,
    batched_model,
    is_finished_batch,
    key_attribution,
    not_a_call_reason,
    usage_within,
)
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import model_of, place_of, read_request_body, read_response_body, tier_of
from llm_audit.sources.records.calls import cost_pico, merge_key, operation
from llm_audit.sources.records.fields import Json, mapping, number, parsed, text
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.usage import of_openai
from llm_audit.vocabulary import Status

_UNNAMED = "litellm (model not logged)"


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    reason = not_a_call_reason(record)
    if reason is not None:
        yield NotACall(reason)
        return
    response = mapping(record.get("response"))
    alone = "usage_object" in record
    metadata = record if alone else mapping(record.get("metadata"))
    model = model_of(response) or text(record.get("model")) or batched_model(metadata)
    model = model or (_UNNAMED if alone else None)
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    failed = "failure" in (record.get("status"), metadata.get("status"))
    status = Status.ERROR if failed else Status.OK
    started, ended = micros(record.get("startTime"), "startTime"), micros(record.get("endTime"), "endTime")
    duration_ms = number(record.get("request_duration_ms"))
    attribution = key_attribution(record, metadata)
    sent = _request_body(record)
    request = Request(
        model=model,
        model_requested=text(record.get("model_group")) or text(record.get("model")),
        provider=text(record.get("custom_llm_provider")),
        operation=operation(record.get("call_type")),
        time_us=started,
        service_tier=tier_of(response, sent),
        region=place_of(response),
        request_id=text(record.get("request_id")),
        merge_key=merge_key(record.get("request_id"), model=model, status=status),
        conversation=text(record.get("session_id")),
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        status=status,
        latency_ms=between_ms(started, ended) if duration_ms is None else duration_ms,
        stated_cost_pico=cost_pico(record.get("spend")),
    )
    read_request_body(request, sent)
    read_response_body(request, response)
    request.usage = _usage(record, metadata, response)
    yield from as_batch(request) if is_finished_batch(record) else (request,)


def _request_body(record: Json) -> Json:
    """Return the request's body, where prompts are stored; by default the columns hold empty objects."""
    sent = mapping(record.get("proxy_server_request"))
    sent = mapping(sent.get("body")) or sent
    messages = parsed(record.get("messages"))
    return {**sent, "messages": messages} if messages else sent


def _usage(record: Json, metadata: Json, response: Json) -> Usage:
    usage = usage_within(response, metadata)
    return usage if usage is not NO_USAGE else of_openai({**mapping(metadata.get("additional_usage_values")), **record})


def _matches(record: Record, _context: Context) -> bool:
    row = "request_id" in record and "spend" in record and "call_type" in record
    return row or ("usage_object" in record and "batch_models" in record)


FORMAT = Format(
    info=FormatInfo(
        name="litellm-spend",
        title="LiteLLM SpendLogs (JSON or CSV)",
        evidence=Evidence.REAL,
        input_counts="inclusive; exclusive in older versions, settled by arithmetic",
        tells=("time", "id", "cache", "cost", "latency", "team", "service_tier"),
        notes="Prompts are there only where the proxy stores them.",
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"spend", "usage_object"}),
    keys_decide=True,
)
