"""MLflow traces: an object a trace with its spans, or spans alone, whose attributes are JSON in strings.

Spans of chat models and embeddings that state their tokens are calls; those around them are set aside by their type.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import NO_USAGE, BadRecordError, Entry, NotACall, NotCallReason, Reason, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records import tracing
from llm_audit.sources.records.bodies import (
    model_of,
    place_of,
    read_request_body,
    read_response_body,
    tier_of,
    usage_of,
)
from llm_audit.sources.records.calls import provider, reject_on_error, set_usage
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, listing, mapping, objects, parsed, text
from llm_audit.vocabulary import Operation

_MODELS = frozenset({"CHAT_MODEL", "LLM", "EMBEDDING"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if is_span(mapping(record.get("attributes"))):
        yield _entry(record)
        return
    spans = list(objects(mapping(record.get("data")).get("spans") or record.get("spans")))
    yield from (reject_on_error(_entry, span) for span in spans)
    if not spans:
        yield NotACall(NotCallReason.METADATA)


def _entry(values: Json) -> Entry:
    times = {"start_time": values.get("start_time_unix_nano"), "end_time": values.get("end_time_unix_nano")}
    attributes = {"mlflow.spanType": values.get("span_type"), **mapping(values.get("attributes"))}
    return read(tracing.from_record({**times, **values, "attributes": {}}), attributes)


def is_span(attributes: Json) -> bool:
    """Return whether attributes are those of an MLflow span."""
    return "mlflow.spanType" in attributes


def read(span: tracing.Span, given: Json) -> Entry:
    """Read one span by its attributes as MLflow writes them."""
    attributes = {name: parsed(value) for name, value in given.items()}
    kind = text(attributes.get("mlflow.spanType"))
    if kind not in _MODELS:
        return NotACall(NotCallReason.PARENT_SPAN if "mlflow.chat.tokenUsage" in attributes else _NO_MODEL_CALL)
    sent, received = mapping(attributes.get("mlflow.spanInputs")), mapping(attributes.get("mlflow.spanOutputs"))
    requested = text(attributes.get("mlflow.llm.model")) or text(sent.get("model"))
    model = model_of(received) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "mlflow.llm.model")
    vendor = provider(attributes.get("mlflow.llm.provider"))
    operation = Operation.EMBEDDING if kind == "EMBEDDING" else Operation.CHAT
    request = tracing.request(span, model=model, requested=requested, vendor=vendor, operation=operation)
    request.service_tier, request.region = tier_of(received, sent), place_of(received)
    read_request_body(request, sent)
    read_response_body(request, received)
    usage, counts = usage_of(received), mapping(attributes.get("mlflow.chat.tokenUsage"))
    if usage is NO_USAGE:
        usage = disjoint_usage(
            read_count(counts, "input_tokens"),
            read_count(counts, "output_tokens"),
            cache_read=read_count(counts, "cache_read_input_tokens"),
            cache_write=read_count(counts, "cache_creation_input_tokens"),
            total=read_count(counts, "total_tokens"),
            wrapper_total=True,
            convention=tracing.convention(vendor, model),
        )
    set_usage(request, usage)
    return request


def _matches(record: Record, _context: Context) -> bool:
    if is_span(mapping(record.get("attributes"))):
        return True
    spans = listing(mapping(record.get("data")).get("spans") or record.get("spans"))
    first = mapping(spans[0]) if spans else {}
    return any(name.startswith("mlflow.") for name in mapping(first.get("attributes")))


_NO_MODEL_CALL = NotCallReason.NOT_A_MODEL_CALL
FORMAT = Format(
    info=FormatInfo(
        name="mlflow",
        title="MLflow traces",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="the provider's own; else as the provider counts",
        tells=("time", "prompts", "cache", "latency", "trace", "service_tier"),
        notes="Attributes as in MLflow's source (tracing/constant.py, 2026; token usage since version 3); no real "
        "export was seen. Where neither arithmetic nor the provider tells whether counts include cached "
        "tokens, both bounds are kept.",
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"data", "spans", "attributes"}),
)
