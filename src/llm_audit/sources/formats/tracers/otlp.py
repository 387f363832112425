"""OTLP/JSON as a collector's file exporter writes it: batches of spans or log records, one per line.

A batch is as many entries as it holds spans. Integers come as strings. Of log records the GenAI inference event is
read like a span, and Claude Code's, Codex's and Gemini CLI's events of requests; other records are not calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Record, Rejected
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.tracers._agent_events import claude_code, codex, gemini_cli
from llm_audit.sources.formats.tracers.otel import read
from llm_audit.sources.records.attributes import flatten
from llm_audit.sources.records.fields import Json, as_int, first, firsts, mapping, objects, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tracing import Span

_FAILED = frozenset({"2", "STATUS_CODE_ERROR"})
_ALONE = "scopeSpans"  # in a batch by itself, as Tempo returns several in a list of its own
_BATCHES = frozenset({"resourceSpans", "resource_spans", "resourceLogs", "resource_logs", _ALONE})
_EVENT = "gen_ai.client.inference.operation.details"
_FIELDS = (
    ("name",),
    ("traceId",),
    ("spanId",),
    ("parentSpanId",),
    ("endTimeUnixNano",),
    ("status",),
    ("events",),
)
_NANOSECOND_DIGITS = 19  # of a time in nanoseconds since 1970
_SCALARS = ("stringValue", "intValue", "doubleValue", "boolValue")
_SCALAR_KINDS = frozenset(_SCALARS)
_scalars: Callable[[object, frozenset[str]], dict[str, Any] | None] | None = None
with suppress(ImportError):  # built only where a C compiler is available; all attributes are read in Python then
    from llm_audit.sources.records._fields import scalars as _scalars
_DEEPEST = 16  # levels of nested values; deeper ones are dropped


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    empty = True
    for batch in [record] if _ALONE in record else objects(first(record, "resourceSpans", "resource_spans")):
        resource = _resource(batch)
        for scope in objects(first(batch, "scopeSpans", "scope_spans", "instrumentationLibrarySpans")):
            for span in objects(scope.get("spans")):
                empty = False
                yield _read_or_reject(span, resource)
    for batch in objects(first(record, "resourceLogs", "resource_logs")):
        resource = _resource(batch)
        for scope in objects(first(batch, "scopeLogs", "scope_logs")):
            for log in objects(scope.get("logRecords")):
                empty = False
                is_call = _is_call(log, resource)
                yield _read_or_reject(log, resource) if is_call else NotACall(NotCallReason.METADATA)
    if empty:
        yield NotACall(NotCallReason.METADATA)


def _read_or_reject(values: Json, resource: Json) -> Entry:
    """Read one span or log record, so that a bad one does not cost those around it."""
    try:
        return _read(values, resource)
    except BadRecordError as error:
        return Rejected(error.reason, error.field_name, note=error.note)


def _read(values: Json, resource: Json) -> Entry:
    span = _span(values, resource)
    is_log = "body" in values or "timeUnixNano" in values
    if is_log and gemini_cli.is_event(span.attributes, program=resource.get("service.name")):
        return gemini_cli.read(span)
    if is_log and codex.is_call(span.attributes):
        return codex.read(span)
    return claude_code.read(span) if claude_code.is_call(span.name, span.attributes) else read(span)


def _resource(batch: Json) -> Json:
    return flatten(_attributes(mapping(batch.get("resource"))))


def _span(values: Json, resource: Json) -> Span:
    name, trace, span, parent, end, status, events = firsts(values, _FIELDS)
    return Span(
        name=text(name) or _event_name(values) or "",
        trace=text(trace),
        span=text(span),
        parent=text(parent),
        start_us=micros(_start(values), "startTimeUnixNano"),
        end_us=micros(end, "endTimeUnixNano"),
        failed=status is not None and str(mapping(status).get("code")) in _FAILED,
        attributes=flatten(_attributes(values)),
        resource=resource,
        events=() if events is None else _events(events),
    )


def _start(values: Json) -> object:
    """Return when a span began; of a log record that states no time (0), when it was observed."""
    start = values.get("startTimeUnixNano")
    if type(start) is str and len(start) == _NANOSECOND_DIGITS and start.isdecimal() and start[0] in "123456789":
        return start  # as nearly all are written
    names = ("startTimeUnixNano", "timeUnixNano", "observedTimeUnixNano")
    return next((values[name] for name in names if as_int(values.get(name))), None) or first(values, *names)


def _event_name(log: Json) -> str | None:
    """Return the name of a log record's event, which older SDKs give as its body."""
    return text(log.get("eventName")) or text(mapping(log.get("body")).get("stringValue"))


def _is_call(log: Json, resource: Json) -> bool:
    attributes = _attributes(log)
    if gemini_cli.is_event(attributes, program=resource.get("service.name")):
        return True
    if codex.is_call(attributes):
        return True
    name = _event_name(log)
    return _EVENT in (name, attributes.get("event.name")) or claude_code.is_call(name, attributes)


def _attributes(holder: Json) -> dict[str, Any]:
    given = holder.get("attributes")
    plain = _scalars(given, _SCALAR_KINDS) if _scalars is not None else None
    return _any_attributes(given) if plain is None else plain


def _any_attributes(given: object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in objects(given):
        key, value = pair.get("key"), pair.get("value")
        if not isinstance(key, str):
            continue
        if type(value) is dict and len(value) == 1:  # as most are
            ((kind, inner),) = value.items()
            if kind in _SCALAR_KINDS and inner is not None and inner != "":
                found[key] = inner
                continue
        found[key] = _value(mapping(value), 0)
    return found


def _events(given: object) -> tuple[tuple[str, Json], ...]:
    return tuple((text(event.get("name")) or "", flatten(_attributes(event))) for event in objects(given))


def _value(value: Json, depth: int) -> Any:
    """Decode an OTLP AnyValue."""
    if "arrayValue" in value and depth < _DEEPEST:
        items = objects(mapping(value["arrayValue"]).get("values"))
        return [_value(item, depth + 1) for item in items]
    if "kvlistValue" in value and depth < _DEEPEST:
        pairs = objects(mapping(value["kvlistValue"]).get("values"))
        return {
            key: _value(mapping(pair.get("value")), depth + 1)
            for pair in pairs
            if isinstance(key := pair.get("key"), str)
        }
    return first(value, *_SCALARS)


FORMAT = Format(
    info=FormatInfo(
        name="otlp",
        title="OpenTelemetry OTLP (JSON lines)",
        evidence=Evidence.REAL,
        input_counts="by attributes, as otel",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "service_tier"),
        notes="Spans of GenAI, OpenLLMetry, OpenLIT, OpenInference, Genkit, Langfuse and the Vercel AI SDK; log events "
        "of Claude Code, Codex and Gemini CLI. Spans and events of other kinds are not provider calls.",
    ),
    specificity=Specificity.ENVELOPE,
    matches=lambda record, _: not _BATCHES.isdisjoint(record),
    entries=_entries,
    keys=_BATCHES,
    keys_decide=True,
)
