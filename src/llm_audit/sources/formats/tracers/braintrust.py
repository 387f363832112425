"""Braintrust logs: a row for each span; those of type ``llm`` are calls. Cached tokens are in ``prompt_tokens``."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import place_of, read_parameters, read_request_body, read_response_body, tier_of
from llm_audit.sources.records.calls import cost_pico, span_key
from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.fields import Json, at, attribution_of, first, labels, listing, mapping, text
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.tokens import read_tokens
from llm_audit.vocabulary import Status


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    metrics, metadata = mapping(record.get("metrics")), mapping(record.get("metadata"))
    kind = text(at(record, "span_attributes", "type"))
    model = text(metadata.get("model"))
    counts = {name: count for name, count in metrics.items() if "token" in name}
    usage = read_tokens(counts, convention=Convention.INCLUSIVE)
    if kind != "llm" and (kind is not None or model is None or usage.input_tokens is None):
        repeats = kind in {"task", "eval", None} and usage.input_tokens is not None
        yield NotACall(NotCallReason.PARENT_SPAN if repeats else NotCallReason.NOT_A_MODEL_CALL)
        return
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "metadata.model")
    status = Status.ERROR if record.get("error") else Status.OK
    started, ended = micros(metrics.get("start"), "metrics.start"), micros(metrics.get("end"), "metrics.end")
    trace, span = text(record.get("root_span_id")), text(record.get("span_id"))
    sent, output = mapping(record.get("input")), record.get("output")
    attribution = attribution_of(metadata)  # its tags would be the call's parameters
    request = Request(
        model=model,
        provider=text(metadata.get("provider")),
        time_us=micros(record.get("created"), "created") if started is None else started,
        service_tier=tier_of(mapping(output), sent, metadata),
        region=place_of(mapping(output)),
        request_id=text(record.get("id")) or span,
        merge_key=span_key(trace, span, model=model, status=status),
        conversation=text(first(metadata, "session_id", "thread_id", "conversation_id")),
        trace=trace,
        span=span,
        parent_span=next((found for parent in listing(record.get("span_parents")) if (found := text(parent))), None),
        wraps_calls=True,
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=tuple(sorted(set(labels(record.get("tags") or [])))),
        status=status,
        latency_ms=between_ms(started, ended),
        stated_cost_pico=cost_pico(metrics.get("estimated_cost")),
    )
    read_request_body(request, sent if "messages" in sent else {"messages": record.get("input")})
    read_parameters(request, metadata)
    read_response_body(request, mapping(output) if "choices" in mapping(output) else _choices(output))
    request.usage = usage
    yield request


def _choices(output: object) -> Json:
    """Wrap a bare output (a text, a message, or a list of choices or messages) as a response body has it."""
    items = listing(output)
    if items and "message" in mapping(items[0]):
        return {"choices": items}
    return {"output": items or output}


FORMAT = Format(
    info=FormatInfo(
        name="braintrust",
        title="Braintrust project logs",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "service_tier"),
        notes="Field names are documented and found in its SDK's source; no real export was seen.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "root_span_id" in record and ("span_attributes" in record or "metrics" in record),
    entries=_entries,
    keys=frozenset({"root_span_id"}),
    keys_decide=True,
)
