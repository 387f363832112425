"""Helicone exports: JSON lines, a row for each request.

Exclusive: cached and audio tokens are not in ``prompt_tokens``; audio and reasoning tokens, where counted apart, are
not in ``completion_tokens``. The provider's own usage in ``response_body`` is preferred.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import (
    NO_USAGE,
    BadRecordError,
    Entry,
    NotACall,
    NotCallReason,
    Reason,
    Record,
    Request,
    Usage,
)
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import (
    model_of,
    place_of,
    read_request_body,
    read_response_body,
    tier_of,
    usage_of,
)
from llm_audit.sources.records.calls import cost_pico, merge_key, operation, outcome
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, as_int, attribution_of, first, mapping, number, text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_NO_REFERENCE = "00000000-0000-0000-0000-000000000000"
_CANCELLED = -3  # Helicone's own status codes are negative
_SESSION = "helicone-session-id"


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if (text(record.get("cache_reference_id")) or _NO_REFERENCE) != _NO_REFERENCE:
        yield NotACall(NotCallReason.GATEWAY_CACHE_HIT)
        return
    sent, received = mapping(record.get("request_body")), mapping(record.get("response_body"))
    requested = text(record.get("request_model")) or model_of(sent)
    model = text(first(record, "response_model", "model_override", "model")) or model_of(received) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "request_model")
    code = as_int(record.get("response_status"))
    status = Status.CANCELLED if code == _CANCELLED else outcome(code)
    properties = mapping(record.get("request_properties"))
    attribution = attribution_of(
        {key: value for key, value in properties.items() if not key.lower().startswith("helicone-")}
    )
    request = Request(
        model=model,
        model_requested=requested,
        provider=text(record.get("provider")),
        operation=operation(record.get("request_path")),
        time_us=micros(record.get("request_created_at"), "request_created_at"),
        service_tier=tier_of(received, sent),
        region=place_of(received),
        request_id=text(record.get("request_id")),
        merge_key=merge_key(first(record, "response_id", "request_id"), model=model, status=status),
        conversation=next((text(value) for key, value in properties.items() if key.lower() == _SESSION), None),
        team=attribution.team,
        app=attribution.app,
        user=text(record.get("request_user_id")) or attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        status=status,
        status_code=code if code is not None and code > 0 else None,
        latency_ms=number(record.get("delay_ms")),
        stated_cost_pico=cost_pico(first(record, "costUSD", "cost")),
    )
    read_request_body(request, sent)
    read_response_body(request, received)
    usage = usage_of(received)
    request.usage = _own_counts(record) if usage is NO_USAGE else usage
    yield request


def _own_counts(record: Json) -> Usage:
    reasoning, sound = read_count(record, "reasoning_tokens"), read_count(record, "prompt_audio_tokens")
    speech = read_count(record, "completion_audio_tokens")
    return disjoint_usage(
        _sum(read_count(record, "prompt_tokens"), sound),
        _sum(read_count(record, "completion_tokens"), reasoning, speech),
        cache_read=read_count(record, "prompt_cache_read_tokens"),
        cache_write=read_count(record, "prompt_cache_write_tokens"),
        reasoning=reasoning,
        audio_input=sound or None,
        audio_output=speech or None,
        total=read_count(record, "total_tokens"),
        convention=Convention.EXCLUSIVE,
    )


def _sum(count: int | None, *parts: int | None) -> int | None:
    return (count or 0) + sum(filter(None, parts)) if any(parts) else count


FORMAT = Format(
    info=FormatInfo(
        name="helicone",
        title="Helicone export (JSON lines)",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="exclusive, reasoning apart",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "service_tier"),
        notes="Written after Helicone's published types; no real export was seen.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: (
        "request_created_at" in record and ("request_body" in record or "request_model" in record)
    ),
    entries=_entries,
    keys=frozenset({"request_created_at"}),
    keys_decide=True,
)
