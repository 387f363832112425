"""W&B Weave calls, as its API and its export give them.

``summary.usage`` of an op is the sum of the calls inside it, so a call is an op whose own output, or whose name, is a
provider's. Ops around calls are set aside.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import NO_USAGE, Entry, NotACall, NotCallReason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import (
    model_of,
    place_of,
    read_request_body,
    read_response_body,
    tier_of,
    usage_of,
)
from llm_audit.sources.records.calls import merge_key, operation, span_key
from llm_audit.sources.records.fields import Json, attribution_of, mapping, text
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.usage import of_any
from llm_audit.vocabulary import Status

_INTEGRATIONS = (
    "openai.", "anthropic.", "litellm.", "mistralai.", "groq.", "cohere.", "google.", "vertexai.", "BedrockRuntime.",
    "cerebras.",
)  # fmt: skip


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    sent, received = mapping(record.get("inputs")), mapping(record.get("output"))
    counts = mapping(mapping(record.get("summary")).get("usage"))
    op = (text(record.get("op_name")) or "").rpartition("/")[2].rpartition(":")[0]
    usage = usage_of(received)
    if usage is NO_USAGE and op.startswith(_INTEGRATIONS):
        usage = _only(counts)
    requested = text(sent.get("model"))
    model = model_of(received) or (next(iter(counts)) if len(counts) == 1 else requested)
    failed = record.get("exception") is not None
    if model is None or (usage is NO_USAGE and not (failed and op.startswith(_INTEGRATIONS))):
        yield NotACall(NotCallReason.PARENT_SPAN if counts else NotCallReason.NOT_A_MODEL_CALL)
        return
    start_us, end_us = micros(record.get("started_at"), "started_at"), micros(record.get("ended_at"), "ended_at")
    status = Status.ERROR if failed else Status.OK
    trace, span = text(record.get("trace_id")), text(record.get("id"))
    attribution = attribution_of(mapping(record.get("attributes")))
    request = Request(
        model=model,
        model_requested=requested,
        operation=operation(op),
        time_us=start_us,
        service_tier=tier_of(received, sent),
        region=place_of(received),
        request_id=text(received.get("id")) or span,
        merge_key=merge_key(received.get("id"), model=model, status=status)
        or span_key(trace, span, model=model, status=status),
        conversation=text(record.get("thread_id")),
        trace=trace,
        span=span,
        parent_span=text(record.get("parent_id")),
        wraps_calls=True,
        team=attribution.team,
        app=attribution.app,
        user=text(record.get("wb_user_id")) or attribution.user,
        environment=attribution.environment,
        status=status,
        latency_ms=between_ms(start_us, end_us),
    )
    read_request_body(request, sent)
    read_response_body(request, received)
    request.usage = usage
    yield request


def _only(counts: Json) -> Usage:
    """Read the counts of the only model of a call; several make it an op around calls."""
    return of_any(mapping(next(iter(counts.values())))) if len(counts) == 1 else NO_USAGE


FORMAT = Format(
    info=FormatInfo(
        name="weave",
        title="W&B Weave calls",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="as the provider counts",
        tells=("time", "id", "prompts", "cache", "latency", "trace", "service_tier"),
        notes="Usage as in Weave's source (LLMUsageSchema of trace_server_interface.py); no real export was seen. "
        "The usage that Weave sums up for the ops around a call is not counted.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "op_name" in record and "inputs" in record and "trace_id" in record,
    entries=_entries,
    keys=frozenset({"op_name"}),
    keys_decide=True,
)
