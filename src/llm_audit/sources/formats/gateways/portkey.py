"""Portkey log exports: JSON lines of the columns that the user chose, with the provider's bodies where included.

Costs are in cents of a dollar. What ``req_units`` includes is not documented, so the body's own usage is preferred.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import NO_USAGE, BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
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
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import (
    Attribution,
    Json,
    as_int,
    at,
    attribution_of,
    flag,
    listing,
    mapping,
    number,
    text,
)
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_CENTS = 100


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if "HIT" in (text(record.get("cache_status")) or "").upper().split():
        yield NotACall(NotCallReason.GATEWAY_CACHE_HIT)
        return
    sent, received = _body(record, "request"), _body(record, "response")
    requested = model_of(sent) or text(record.get("ai_model"))
    model = model_of(received) or text(record.get("ai_model")) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "ai_model")
    code = as_int(record.get("response_status_code"))
    status = _status(record, code)
    attribution = _attribution(record)
    log_id = text(record.get("id"))
    request = Request(
        model=model,
        model_requested=requested,
        provider=text(record.get("ai_org")),
        operation=operation(record.get("request_url")),
        time_us=micros(record.get("created_at"), "created_at"),
        service_tier=tier_of(received, sent),
        region=place_of(received),
        request_id=log_id or text(received.get("id")),
        merge_key=merge_key(received.get("id") or (log_id and f"portkey:{log_id}"), model=model, status=status),
        trace=text(record.get("trace_id")),
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        streamed=flag(record.get("stream_mode")),
        status=status,
        status_code=code,
        latency_ms=number(record.get("response_time")),
        stated_cost_pico=_cents_to_pico(record.get("cost")),
    )
    read_request_body(request, sent)
    read_response_body(request, received)
    usage = usage_of(received)
    if usage is NO_USAGE:
        usage = disjoint_usage(
            read_count(record, "req_units"), read_count(record, "res_units"), total=read_count(record, "total_units")
        )
    request.usage = usage
    yield request


def _body(record: Record, side: str) -> Json:
    flat = mapping(record.get(f"{side}.body"))
    nested = mapping(record.get(side))
    return flat or mapping(nested.get("body")) or nested


def _status(record: Record, code: int | None) -> str:
    succeeded = flag(record.get("is_success"))
    if succeeded is None:
        return outcome(code)
    return Status.OK if succeeded else Status.ERROR


def _cents_to_pico(cents: object) -> int | None:
    pico = cost_pico(cents)
    return None if pico is None else pico // _CENTS


def _attribution(record: Record) -> Attribution:
    metadata = dict(mapping(record.get("metadata")))
    keys, values = listing(record.get("metadata.key")), listing(record.get("metadata.value"))
    metadata.update((key, value) for key, value in zip(keys, values, strict=False) if isinstance(key, str))
    known = {key.removeprefix("_"): value for key, value in metadata.items()}
    retries = at(record, "retry_success_count")
    return attribution_of(known | ({"retries": retries} if as_int(retries) else {}))


FORMAT = Format(
    info=FormatInfo(
        name="portkey",
        title="Portkey log export (JSON lines)",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="as in the body; else not split",
        tells=("time", "id", "prompts", "cost", "latency", "trace", "service_tier"),
        notes="Columns are documented, the nesting of request.body is not: both readings are accepted. Without the "
        "response body cached tokens are not told apart.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "ai_org" in record and ("req_units" in record or "ai_model" in record),
    entries=_entries,
    keys=frozenset({"ai_org"}),
    keys_decide=True,
)
