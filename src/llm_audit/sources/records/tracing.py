"""Spans of any tracer in one shape: names, times and flat attributes, however an exporter nests them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from llm_audit.sources.entry import BadRecordError, Request
from llm_audit.sources.records.attributes import OWN, Names, flatten, names_of
from llm_audit.sources.records.calls import span_key
from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.fields import (
    UNATTRIBUTED,
    Attribution,
    Json,
    attribution_of,
    first,
    firsts,
    listing,
    mapping,
    number,
    text,
)
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.vocabulary import Status

_PREFIX = "attributes."
_ERRORS = frozenset({"2", "ERROR", "STATUS_CODE_ERROR"})
_PAIR = 2  # seconds and nanoseconds
_STARTS = ("startTime", "start_time", "startTimeUnixNano", "start_timestamp", "start", "timestamp")
_OF_STORES = ("@timestamp", "Timestamp", "time")  # which may as well be something else
_ENDS = ("endTime", "end_time", "endTimeUnixNano", "end_timestamp", "end")
_OPERATIONS = ("operation_Id", "OperationId")  # what Application Insights calls a trace
_TRACES = ("trace_id", "traceId", "traceID", "trace.trace_id", *_OPERATIONS)
_SPANS = ("span_id", "spanId", "spanID", "trace.span_id")
_OWN_IDS = ("id", "Id")  # of a span beside these; elsewhere an id may be of anything
_PARENTS = (
    *("parentSpanId", "parent_span_id", "parent_id", "parentId", "trace.parent_id"),
    *("operation_ParentId", "ParentId"),
)
_OF_SPANS = frozenset({*_PARENTS, *_ENDS, "start_timestamp", "DurationMs"})
"""Fields of spans alone; log lines have the ids of the span that they were written in, which may make many calls."""
_SESSION_NAMES = ("sessionId", "session_id", "threadId", "thread_id", "conversation_id", "chat_id")
_NOOWNER = (None,) * len(OWN)
_OF_RESOURCE = (
    ("service.name",),
    ("team", "team.name"),
    ("deployment.environment.name", "deployment.environment"),
)
_INCLUSIVE = frozenset(
    {"openai", "azure", "azure-openai", "google", "gemini", "vertex_ai", "deepseek", "xai", "x_ai", "github"}
)
_EXCLUSIVE = frozenset({"anthropic", "aws", "bedrock", "amazon-bedrock", "amazon_bedrock"})
_INCLUSIVE_MODELS = re.compile(r"(?:^|[/.:])(?:gpt-|chatgpt-|o[134](?:-|$)|gemini-|deepseek-|grok-)")


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span. ``attributes`` and ``resource`` have dotted names; ``events`` are pairs of name and attributes."""

    name: str = ""
    trace: str | None = None
    span: str | None = None
    parent: str | None = None
    start_us: int | None = None
    end_us: int | None = None
    failed: bool = False
    attributes: Json = {}
    resource: Json = {}
    events: tuple[tuple[str, Json], ...] = ()


def from_record(record: Json) -> Span:
    """Read a span from one record: attributes in an object, in ``attributes.…`` columns, or the record itself."""
    nested = mapping(record.get("attributes"))
    columns: dict[str, Any] = {}
    if not nested:
        columns = {name.removeprefix(_PREFIX): item for name, item in record.items() if name.startswith(_PREFIX)}
    context = mapping(first(record, "spanContext", "context"))
    status = mapping(record.get("status"))
    code = first(status, "code", "status_code") or record.get("status_code")
    parent = mapping(record.get("parentSpanContext")).get("spanId")
    return Span(
        name=text(record.get("name")) or "",
        trace=_hex(first(context, "traceId", "trace_id") or first(record, "context.trace_id", *_TRACES)),
        span=_hex(first(context, "spanId", "span_id") or first(record, "context.span_id", *_SPANS)),
        parent=_hex(parent or first(record, *_PARENTS)),
        start_us=_started(record),
        end_us=_time(first(record, *_ENDS)),
        failed=str(code).upper() in _ERRORS,
        attributes=flatten(nested or columns or record),
        resource=flatten(mapping(mapping(record.get("resource")).get("attributes")) or mapping(record.get("resource"))),
        events=tuple(_events(record.get("events"))),
    )


def set_place(request: Request, holders: Sequence[Json]) -> None:
    """Set the place of a span in its trace by what is around its attributes, where these were found alone."""
    for holder in holders:
        named = (*_SPANS, *_OWN_IDS) if first(holder, *_OPERATIONS) is not None else _SPANS
        trace, span = _hex(first(holder, *_TRACES)), _hex(first(holder, *named))
        if trace is None or span is None:
            continue
        request.trace, request.span, request.parent_span = trace, span, _hex(first(holder, *_PARENTS))
        request.request_id = request.request_id or span
        if not _OF_SPANS.isdisjoint(holder):
            key = span_key(trace, span, model=request.model, status=request.status)
            request.merge_key = request.merge_key or key
        return


def convention(vendor: str | None, model: str = "") -> Convention | None:
    """Return what an instrumentation's input count includes where that does not depend on the instrumentation.

    The semantic conventions ask for inclusive counts. Providers whose own counts are inclusive come out so whether or
    not an instrumentation converts; for the others both are found in practice. Where a framework or no one is named
    as the provider, its model tells.
    """
    if vendor in _INCLUSIVE:
        return _BY_PROVIDER
    return _BY_PROVIDER if vendor not in _EXCLUSIVE and _INCLUSIVE_MODELS.search(model) else None


def request(
    span: Span,
    *,
    model: str,
    requested: str | None,
    vendor: str | None,
    operation: str,
    names: Names | None = None,
) -> Request:
    """Start a request from what every span has: identity, place in its trace, time, outcome and attribution.

    ``names`` is what ``names_of`` says of its attributes, where that is known.
    """
    status = _ERROR if span.failed else _OK
    names = names or names_of(span.attributes)
    session, *named, given_metadata = firsts(span.attributes, OWN) if names.has_owner else _NOOWNER
    metadata = _metadata(span.attributes, given_metadata, names.metadata)
    team, app, user, environment, tags = _attribution(span, named, metadata)
    return Request(
        model=model,
        model_requested=requested,
        provider=vendor,
        operation=operation,
        time_us=span.start_us,
        request_id=span.span,
        merge_key=span_key(span.trace, span.span, model=model, status=status),
        conversation=text(session) or (text(first(metadata, *_SESSION_NAMES)) if metadata else None),
        trace=span.trace,
        span=span.span,
        parent_span=span.parent,
        wraps_calls=True,
        team=team,
        app=app,
        user=user,
        environment=environment,
        tags=tags,
        status=status,
        latency_ms=between_ms(span.start_us, span.end_us),
    )


def _attribution(
    span: Span, named: Sequence[object], stated: Json
) -> tuple[str | None, str | None, str | None, str | None, tuple[str, ...]]:
    """Return the fields of an ``Attribution``, in a tuple since that is made faster."""
    app, user, environment = named
    given = _stated(stated)
    service_name, team, stage = firsts(span.resource, _OF_RESOURCE)
    service = text(service_name) or ""
    if service.startswith("/"):  # the path of a script, which some instrumentations take for a name
        service = service.rpartition("/")[2]
    given_team, given_app, given_user, given_environment, tags = given
    return (
        given_team or text(team),
        given_app or text(app) or (None if service.startswith("unknown_service") else service or None),
        text(user) or given_user,
        given_environment or text(stage) or text(environment),
        tags,
    )


def _stated(metadata: Json) -> Attribution:
    if not metadata:
        return UNATTRIBUTED
    own = {name: item for name, item in metadata.items() if name not in _SESSION_NAMES}
    if "userId" in own:
        own.setdefault("user_id", own.pop("userId"))
    return attribution_of(own)


def _metadata(attributes: Json, given: object, named: Sequence[tuple[str, str]]) -> Json:
    if given is None and not named:
        return {}
    return {**mapping(given), **{key: attributes[name] for name, key in named}}


def _events(value: object) -> Iterator[tuple[str, Json]]:
    for event in listing(value):
        found = mapping(event)
        yield text(found.get("name")) or "", flatten(mapping(found.get("attributes")))


def _hex(value: object) -> str | None:
    found = text(value)
    return None if found is None else found.removeprefix("0x")


def _started(record: Json) -> int | None:
    if (given := first(record, *_STARTS)) is not None:
        return _time(given)
    try:
        return micros(first(record, *_OF_STORES))
    except BadRecordError:
        return None


def _time(value: object) -> int | None:
    if isinstance(value, list) and len(value) == _PAIR:  # JavaScript's [seconds, nanoseconds]
        seconds, nanos = number(value[0]), number(value[1])
        whole_us = None if seconds is None else micros(seconds)
        return None if whole_us is None else whole_us + round((nanos or 0) / 1000)
    return micros(value)


_ERROR, _OK = Status.ERROR, Status.OK  # members of enumerations are looked up slowly
_BY_PROVIDER = Convention.INCLUSIVE
