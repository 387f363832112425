"""Datadog LLM Observability spans: from its Export API (fields in ``attributes``) or as its SDKs send them (``meta``).

Inclusive: ``input_tokens`` holds cache reads and writes. Estimated costs are in billionths of a dollar.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import read_parameters, tier_of
from llm_audit.sources.records.calls import cost_pico, reject_on_error, set_usage, span_key
from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.fields import (
    Attribution,
    Json,
    attribution_of,
    first,
    listing,
    mapping,
    number,
    objects,
    text,
)
from llm_audit.sources.records.messages import is_redacted, offer_tools, read_messages, set_reply
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tokens import read_tokens
from llm_audit.vocabulary import Operation, Status

_KINDS = {"llm": Operation.CHAT, "embedding": Operation.EMBEDDING}
_PARENTS = frozenset({"agent", "workflow"})
_NANO_PER_USD = 10**9
_HOLDERS = frozenset({"data", "attributes", "start_ns"})
_NO_PARENT = frozenset({"undefined", "0"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    record = mapping(record.get("data")) or record
    attributes = mapping(record.get("attributes"))
    spans = listing(attributes.get("spans"))
    if spans:  # what the intake API takes: spans that share their application and tags
        shared = {key: attributes[key] for key in ("ml_app", "session_id", "tags") if key in attributes}
        for span in objects(spans):
            yield reject_on_error(_entry, {**shared, **span})
        return
    yield _entry({**record, **attributes})


def _entry(span: Json) -> Entry:
    meta, metrics = mapping(span.get("meta")), mapping(span.get("metrics"))
    kind = (text(first(span, "span_kind", "kind")) or text(first(meta, "kind", "span.kind")) or "").lower()
    if kind not in _KINDS:
        return NotACall(NotCallReason.PARENT_SPAN if kind in _PARENTS else NotCallReason.NOT_A_MODEL_CALL)
    details = mapping(first(span, "metadata")) or mapping(meta.get("metadata"))
    model = text(span.get("model_name")) or text(first(meta, "model_name")) or text(details.get("model_name"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model_name")
    status = Status.ERROR if span.get("status") == "error" else Status.OK
    trace, span_id, parent = (text(span.get(name)) for name in ("trace_id", "span_id", "parent_id"))
    attribution, session = _attribution_and_session(span)
    duration_ns = number(span.get("duration"))
    request = Request(
        model=model,
        provider=text(span.get("model_provider")) or text(first(meta, "model_provider")),
        operation=_KINDS[kind],
        service_tier=tier_of(details),
        time_us=micros(span.get("start_ns"), "start_ns"),
        request_id=span_id,
        merge_key=span_key(trace, span_id, model=model, status=status),
        conversation=text(span.get("session_id")) or session,
        trace=trace,
        span=span_id,
        parent_span=None if parent in _NO_PARENT else parent,
        wraps_calls=True,
        team=attribution.team,
        app=text(span.get("ml_app")) or attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        status=status,
        latency_ms=None if duration_ns is None else duration_ns / 1_000_000,
        stated_cost_pico=_estimated_cost_pico(metrics),
    )
    _prompt(request, span, meta, details)
    set_usage(request, _usage(metrics))
    return request


def _prompt(request: Request, span: Json, meta: Json, details: Json) -> None:
    input_part = mapping(span.get("input")) or mapping(meta.get("input"))
    request.messages = read_messages(first(input_part, "messages", "value"))
    request.redacted = is_redacted(request.messages)
    read_parameters(request, details)
    offer_tools(request, first(span, "tool_definitions") or meta.get("tool_definitions"))
    output_part = mapping(span.get("output")) or mapping(meta.get("output"))
    output = first(output_part, "messages", "value")
    set_reply(request, output)


def _attribution_and_session(span: Json) -> tuple[Attribution, str | None]:
    """Read ``key:value`` tags: whom the call is charged to, and the session."""
    tags = dict(tag.split(":", 1) for tag in listing(span.get("tags")) if isinstance(tag, str) and ":" in tag)
    session = tags.pop("session_id", None)
    return attribution_of(tags), session


def _estimated_cost_pico(metrics: Json) -> int | None:
    nanodollars = number(metrics.get("estimated_total_cost"))
    return None if nanodollars is None else cost_pico(nanodollars / _NANO_PER_USD)


def _usage(metrics: Json) -> Usage:
    counts = {name: count for name, count in metrics.items() if "token" in name}
    if (written := counts.pop("cache_write_input_tokens", None)) is not None:
        counts["cache_creation_input_tokens"] = written  # of all lifetimes
    return read_tokens(counts, convention=Convention.INCLUSIVE)


def _matches(record: Record, _context: Context) -> bool:
    if _HOLDERS.isdisjoint(record):
        return False
    record = mapping(record.get("data")) or record
    span = mapping(record.get("attributes")) or record
    intake = "spans" in span and "ml_app" in span
    return intake or ("span_id" in span and "start_ns" in span and ("metrics" in span or "meta" in span))


FORMAT = Format(
    info=FormatInfo(
        name="datadog",
        title="Datadog LLM Observability spans",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "service_tier"),
        notes="Written after the Export API's documented response; no real export was seen. The service tier is "
        "the one that was asked for: Datadog's libraries do not record the one that served.",
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=_entries,
    keys=_HOLDERS,
)
