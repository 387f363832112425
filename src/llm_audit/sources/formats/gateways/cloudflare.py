"""Cloudflare AI Gateway logs: rows of its API, and events that Logpush writes.

Rows have no breakdown of cached tokens. Events have the bodies, which must have been decrypted to be read.
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
from llm_audit.sources.records.fields import as_int, attribution_of, first, flag, mapping, number, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tokens import read_tokens
from llm_audit.vocabulary import Status

_SIGNATURE = frozenset({"tokens_in", "tokens_out", "cached", "success", "provider"})  # custom logs have some of these
_EVENT = frozenset({"Cached", "Gateway", "Endpoint", "Provider", "Model"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if flag(first(record, "cached", "Cached")):
        yield NotACall(NotCallReason.GATEWAY_CACHE_HIT)
        return
    if "Gateway" in record:
        yield _event(record)
        return
    model = text(record.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    code = as_int(record.get("status_code"))
    status = outcome(code)
    if flag(record.get("success")) is False:
        status = Status.ERROR
    attribution = attribution_of(mapping(record.get("metadata")))
    log_id = text(record.get("id"))
    request = Request(
        model=model,
        provider=text(record.get("provider")),
        operation=operation(record.get("path")),
        time_us=micros(record.get("created_at"), "created_at"),
        request_id=log_id,
        merge_key=merge_key(log_id and f"cloudflare:{log_id}", model=model, status=status),
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        status=status,
        status_code=code,
        latency_ms=number(record.get("duration")),
        stated_cost_pico=cost_pico(record.get("cost")),
    )
    request.usage = disjoint_usage(read_count(record, "tokens_in"), read_count(record, "tokens_out"))
    yield request


def _event(record: Record) -> Request:
    sent, received = mapping(record.get("RequestBody")), mapping(record.get("ResponseBody"))
    metrics = mapping(record.get("Metrics"))
    model = model_of(received) or text(record.get("Model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "Model")
    code = as_int(record.get("StatusCode"))
    status = Status.ERROR if flag(record.get("RateLimited")) else outcome(code)
    attribution = attribution_of(mapping(record.get("Metadata")))
    request = Request(
        model=model,
        model_requested=text(record.get("RequestedModel")) or model_of(sent),
        provider=text(record.get("Provider")),
        operation=operation(record.get("Endpoint")),
        time_us=micros(record.get("Timestamp"), "Timestamp"),
        service_tier=tier_of(received, sent),
        region=place_of(received),
        request_id=text(received.get("id")),
        merge_key=merge_key(received.get("id"), model=model, status=status),
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        status=status,
        status_code=code,
        latency_ms=number(metrics.get("durationMs")),
        stated_cost_pico=cost_pico(metrics.get("cost")),
    )
    read_request_body(request, sent)
    read_response_body(request, received)
    usage = usage_of(received)
    request.usage = read_tokens(metrics) if usage is NO_USAGE else usage
    return request


FORMAT = Format(
    info=FormatInfo(
        name="cloudflare",
        title="Cloudflare AI Gateway log",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="not split; as in the bodies",
        tells=("time", "id", "cost", "latency"),
        notes="tokens_in is not split into fresh and cached tokens, so cached input is priced as fresh. Rows with "
        "cached = true are gateway hits, not provider calls. Of Logpush's events the bodies are read once they are "
        "decrypted; the API's are in separate files and are not read.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: record.keys() >= _SIGNATURE or record.keys() >= _EVENT,
    entries=_entries,
    keys=frozenset({"tokens_in", "Gateway"}),
    keys_decide=True,
)
