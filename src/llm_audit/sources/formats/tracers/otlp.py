"""OTLP/JSON as a collector's file exporter writes it: batches of spans or log records, one per line.

A batch is as many entries as it holds spans. Integers come as strings. Of log records the GenAI inference event is
read like a span, and Claude Code's and Gemini CLI's events of requests; other records are not calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.tracers._agent_events import claude_code, gemini_cli
from llm_audit.sources.formats.tracers.otel import read
from llm_audit.sources.records.calls import reject_on_error
from llm_audit.sources.records.fields import Json, as_int, first, mapping, objects, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tracing import Span, flatten

_FAILED = frozenset({"2", "STATUS_CODE_ERROR"})
_BATCHES = frozenset({"resourceSpans", "resource_spans", "resourceLogs", "resource_logs"})
_EVENT = "gen_ai.client.inference.operation.details"
_SCALARS = ("stringValue", "intValue", "doubleValue", "boolValue")
_SCALAR_KINDS = frozenset(_SCALARS)
_scalars: Callable[[object, frozenset[str]], dict[str, Any] | None] | None = None
with suppress(ImportError):  # built only where a C compiler is available; all attributes are read in Python then
    from llm_audit.sources.records._fields import scalars as _scalars
_DEEPEST = 16  # levels of nested values; deeper ones are dropped


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    empty = True
    for item in _items(record):
        empty = False
        yield item if isinstance(item, NotACall) else reject_on_error(_read, item)
    if empty:
        yield NotACall(NotCallReason.METADATA)


def _read(item: _Item) -> Entry:
    span = item.span()
    is_log = "body" in item.values or "timeUnixNano" in item.values
    if is_log and gemini_cli.is_event(span.attributes, program=span.resource.get("service.name")):
        return gemini_cli.read(span)
    return claude_code.read(span) if claude_code.is_call(span.name, span.attributes) else read(span)


class _Item(NamedTuple):
    """One span or log record, and the resource it belongs to."""

    values: Json
    resource: Json

    def span(self) -> Span:
        """Decode the span or log record."""
        values = self.values
        return Span(
            name=text(first(values, "name")) or _event_name(values) or "",
            trace=text(values.get("traceId")),
            span=text(values.get("spanId")),
            parent=text(values.get("parentSpanId")),
            start_us=micros(_start(values), "startTimeUnixNano"),
            end_us=micros(values.get("endTimeUnixNano"), "endTimeUnixNano"),
            failed=str(mapping(values.get("status")).get("code")) in _FAILED,
            attributes=flatten(_attributes(values)),
            resource=self.resource,
            events=_events(values.get("events")),
        )


def _start(values: Json) -> object:
    """Return when a span began; of a log record that states no time (0), when it was observed."""
    names = ("startTimeUnixNano", "timeUnixNano", "observedTimeUnixNano")
    return next((values[name] for name in names if as_int(values.get(name))), None) or first(values, *names)


def _event_name(log: Json) -> str | None:
    """Return the name of a log record's event, which older SDKs give as its body."""
    return text(log.get("eventName")) or text(mapping(log.get("body")).get("stringValue"))


def _items(record: Record) -> Iterator[_Item | NotACall]:
    for batch in objects(first(record, "resourceSpans", "resource_spans")):
        resource = flatten(_attributes(mapping(batch.get("resource"))))
        scopes = first(batch, "scopeSpans", "scope_spans", "instrumentationLibrarySpans")
        for span in (span for scope in objects(scopes) for span in objects(scope.get("spans"))):
            yield _Item(span, resource)
    for batch in objects(first(record, "resourceLogs", "resource_logs")):
        resource = flatten(_attributes(mapping(batch.get("resource"))))
        scopes = first(batch, "scopeLogs", "scope_logs")
        for log in (log for scope in objects(scopes) for log in objects(scope.get("logRecords"))):
            yield _Item(log, resource) if _is_call(log, resource) else NotACall(NotCallReason.METADATA)


def _is_call(log: Json, resource: Json) -> bool:
    attributes = _attributes(log)
    if gemini_cli.is_event(attributes, program=resource.get("service.name")):
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
    if given is None:
        return ()
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
        notes="Spans of GenAI, OpenLLMetry, OpenLIT, OpenInference and the Vercel AI SDK; log events of Claude Code "
        "and Gemini CLI. Spans and events of other kinds are not provider calls.",
    ),
    specificity=Specificity.ENVELOPE,
    matches=lambda record, _: not _BATCHES.isdisjoint(record),
    entries=_entries,
    keys=_BATCHES,
    keys_decide=True,
)
