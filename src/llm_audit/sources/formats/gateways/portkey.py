"""Portkey log exports: JSON lines of whatever columns were asked for, with the provider's bodies where included.

Costs are in cents of a dollar. What ``req_units`` includes is not documented, so the body's own usage is preferred.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Reason, Request
from llm_audit.sources.formats.interface import BadRecordError, Context, Evidence, Format, FormatInfo, Record
from llm_audit.sources.records.bodies import answer, ask, model_of, usage_of
from llm_audit.sources.records.calls import cost, merge_key, operation, outcome, tier
from llm_audit.sources.records.disjoint import NO_USAGE, counted, settle
from llm_audit.sources.records.fields import Json, Who, at, flag, listing, mapping, number, text, who, whole
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
    code = whole(record.get("response_status_code"))
    status = _status(record, code)
    payer = _who(record)
    log_id = text(record.get("id"))
    request = Request(
        model=model,
        model_requested=requested,
        provider=text(record.get("ai_org")),
        operation=operation(record.get("request_url")),
        time_us=micros(record.get("created_at"), "created_at"),
        service_tier=tier(received.get("service_tier")),
        request_id=log_id or text(received.get("id")),
        merge_key=merge_key(received.get("id") or (log_id and f"portkey:{log_id}"), model=model, status=status),
        trace=text(record.get("trace_id")),
        team=payer.team,
        app=payer.app,
        user=payer.user,
        environment=payer.environment,
        tags=payer.tags,
        streamed=flag(record.get("stream_mode")),
        status=status,
        status_code=code,
        latency_ms=number(record.get("response_time")),
        stated_cost_pico=_dollars(record.get("cost")),
    )
    ask(request, sent)
    answer(request, received)
    usage = usage_of(received)
    if usage is NO_USAGE:
        usage = settle(counted(record, "req_units"), counted(record, "res_units"), total=counted(record, "total_units"))
    usage.fill(request)
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


def _dollars(cents: object) -> int | None:
    pico = cost(cents)
    return None if pico is None else pico // _CENTS


def _who(record: Record) -> Who:
    metadata = dict(mapping(record.get("metadata")))
    keys, values = listing(record.get("metadata.key")), listing(record.get("metadata.value"))
    metadata.update((key, value) for key, value in zip(keys, values, strict=False) if isinstance(key, str))
    known = {key.removeprefix("_"): value for key, value in metadata.items()}
    retries = at(record, "retry_success_count")
    return who(known | ({"retries": retries} if whole(retries) else {}))


FORMAT = Format(
    info=FormatInfo(
        name="portkey",
        title="Portkey log export (JSON lines)",
        evidence=Evidence.RECONSTRUCTED,
        tells=("time", "id", "prompts", "cost", "latency", "trace"),
        notes="Columns are documented, the nesting of request.body is not: both readings are accepted. Without the "
        "response body cached tokens are not told apart.",
    ),
    matches=lambda record: "ai_org" in record and ("req_units" in record or "ai_model" in record),
    entries=_entries,
    keys=frozenset({"ai_org"}),
)
