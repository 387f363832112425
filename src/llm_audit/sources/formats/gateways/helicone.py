"""Helicone exports: JSON lines, a row a request.

Exclusive: cached tokens are not in ``prompt_tokens``, and reasoning tokens, where counted apart, are not in
``completion_tokens``. The provider's own usage in ``response_body`` is preferred.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Reason, Request
from llm_audit.sources.formats.interface import BadRecordError, Context, Evidence, Format, FormatInfo, Record
from llm_audit.sources.records.bodies import answer, ask, model_of, usage_of
from llm_audit.sources.records.calls import cost, merge_key, operation, outcome, tier
from llm_audit.sources.records.disjoint import NO_USAGE, Convention, Usage, counted, settle
from llm_audit.sources.records.fields import Json, first, mapping, number, text, who, whole
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
    code = whole(record.get("response_status"))
    status = Status.CANCELLED if code == _CANCELLED else outcome(code)
    properties = mapping(record.get("request_properties"))
    payer = who({key: value for key, value in properties.items() if not key.lower().startswith("helicone-")})
    request = Request(
        model=model,
        model_requested=requested,
        provider=text(record.get("provider")),
        operation=operation(record.get("request_path")),
        time_us=micros(record.get("request_created_at"), "request_created_at"),
        service_tier=tier(received.get("service_tier")),
        request_id=text(record.get("request_id")),
        merge_key=merge_key(first(record, "response_id", "request_id"), model=model, status=status),
        conversation=next((text(value) for key, value in properties.items() if key.lower() == _SESSION), None),
        team=payer.team,
        app=payer.app,
        user=text(record.get("request_user_id")) or payer.user,
        environment=payer.environment,
        tags=payer.tags,
        status=status,
        status_code=code if code is not None and code > 0 else None,
        latency_ms=number(record.get("delay_ms")),
        stated_cost_pico=cost(first(record, "costUSD", "cost")),
    )
    ask(request, sent)
    answer(request, received)
    usage = usage_of(received)
    (_own_counts(record) if usage is NO_USAGE else usage).fill(request)
    yield request


def _own_counts(record: Json) -> Usage:
    completion, reasoning = counted(record, "completion_tokens"), counted(record, "reasoning_tokens")
    return settle(
        counted(record, "prompt_tokens"),
        (completion or 0) + reasoning if reasoning else completion,
        cache_read=counted(record, "prompt_cache_read_tokens"),
        cache_write=counted(record, "prompt_cache_write_tokens"),
        reasoning=reasoning,
        total=counted(record, "total_tokens"),
        convention=Convention.EXCLUSIVE,
    )


FORMAT = Format(
    info=FormatInfo(
        name="helicone",
        title="Helicone export (JSON lines)",
        evidence=Evidence.RECONSTRUCTED,
        tells=("time", "id", "prompts", "cache", "cost", "latency"),
        notes="Written after Helicone's published types; no real export was seen.",
    ),
    matches=lambda record: "request_created_at" in record and ("request_body" in record or "request_model" in record),
    entries=_entries,
    keys=frozenset({"request_created_at"}),
)
