"""Spans of any tracer in one shape: names, times and flat attributes, however an exporter nests them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from llm_audit.sources.entry import Request
from llm_audit.sources.records.calls import span_key
from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.fields import Attribution, Json, attribution_of, first, listing, mapping, number, text
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.vocabulary import Status

_PREFIX = "attributes."
_DEEPEST = 8  # levels of nested attributes; real ones have five
_ERRORS = frozenset({"2", "ERROR", "STATUS_CODE_ERROR"})
_PAIR = 2  # seconds and nanoseconds
_STARTS = ("startTime", "start_time", "startTimeUnixNano", "start_timestamp", "start", "timestamp")
_ENDS = ("endTime", "end_time", "endTimeUnixNano", "end_timestamp", "end")
_METADATA = (
    "traceloop.association.properties.",
    "ai.telemetry.metadata.",
    "langfuse.trace.metadata.",
    "langfuse.observation.metadata.",
    "metadata.",
)
_USAGE = ("gen_ai.usage.", "llm.usage.")
_GEN_AI = ("gen_ai.", "llm.request.", "llm.usage.")
_INDEX_DIGITS = 7  # more than the number of a message
_MAX_SHAPES = 4096  # sets of names remembered
_FLAT = frozenset({str, int, float, bool, list})
_SESSIONS = ("gen_ai.conversation.id", "session.id", "langfuse.session.id")
_SESSION_NAMES = ("sessionId", "session_id", "threadId", "thread_id", "conversation_id", "chat_id")
_USERS = ("user.id", "enduser.id", "langfuse.user.id", "gen_ai.request.user")
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
        trace=_hex(first(context, "traceId", "trace_id") or first(record, "context.trace_id", "trace_id", "traceId")),
        span=_hex(first(context, "spanId", "span_id") or first(record, "context.span_id", "span_id", "spanId")),
        parent=_hex(parent or first(record, "parentSpanId", "parent_span_id", "parent_id", "parentId")),
        start_us=_time(first(record, *_STARTS)),
        end_us=_time(first(record, *_ENDS)),
        failed=str(code).upper() in _ERRORS,
        attributes=flatten(nested or columns or record),
        resource=flatten(mapping(mapping(record.get("resource")).get("attributes")) or mapping(record.get("resource"))),
        events=tuple(_events(record.get("events"))),
    )


def flatten(attributes: Json) -> Json:
    """Give nested attributes dotted names. Lists stay lists; nulls are left out."""
    for item in attributes.values():
        if type(item) not in _FLAT:
            flat: dict[str, Any] = {}
            _flatten(attributes, "", flat, 0)
            return flat
    return attributes


def indexed(attributes: Json, prefix: str) -> list[dict[str, Any]]:
    """Collect ``prefix.0.…``, ``prefix.1.…`` as a list of objects with the rest of the name as key, by number."""
    if prefix not in names_of(attributes).numbered:
        return []
    found: dict[int, dict[str, Any]] = {}
    start = f"{prefix}."
    for name, value in attributes.items():
        if name.startswith(start):
            index, _, rest = name[len(start) :].partition(".")
            if _is_index(index) and rest:
                found.setdefault(int(index), {})[rest] = value
    return [found[index] for index in sorted(found)]


class Names(NamedTuple):
    """What the names of a span's attributes tell, whatever their values.

    Attributes:
        numbered: The prefixes that ``indexed`` finds.
        metadata: Names of the caller's own metadata, each with the key that the caller gave.
        usage: Names of token counts, each without its prefix.
        is_gen_ai: Whether any name is of generative AI.
    """

    numbered: frozenset[str]
    metadata: tuple[tuple[str, str], ...]
    usage: tuple[tuple[str, str], ...]
    is_gen_ai: bool


def names_of(attributes: Json) -> Names:
    """Return what the names of attributes tell; most spans of a log have one of a few sets of names."""
    names = tuple(attributes)
    found = _known.get(names)
    if found is None:
        if len(_known) >= _MAX_SHAPES:
            _known.clear()
        found = _known[names] = Names(
            numbered=frozenset(prefix for name in names for prefix in _numbered(name)),
            metadata=tuple(
                (name, name.removeprefix(prefix)) for name in names for prefix in _METADATA if name.startswith(prefix)
            ),
            usage=tuple((name, name.partition(".usage.")[2]) for name in names if name.startswith(_USAGE)),
            is_gen_ai=any(name.startswith(_GEN_AI) for name in names),
        )
    return found


def _numbered(name: str) -> Iterator[str]:
    """Yield what stands before each number in a name that has more after it."""
    parts = name.split(".")
    for place, part in enumerate(parts[:-1]):
        if place and _is_index(part) and (len(parts) > place + 2 or parts[-1]):
            yield ".".join(parts[:place])


def _is_index(part: str) -> bool:
    return part.isdecimal() and len(part) < _INDEX_DIGITS


def convention(vendor: str | None, model: str = "") -> Convention | None:
    """Return what an instrumentation's input count includes where that does not depend on the instrumentation.

    The semantic conventions ask for inclusive counts. Providers whose own counts are inclusive come out so whether or
    not an instrumentation converts; for the others both are found in practice. Where a framework or no one is named
    as the provider, its model tells.
    """
    by_model = vendor not in _EXCLUSIVE and _INCLUSIVE_MODELS.search(model)
    return Convention.INCLUSIVE if vendor in _INCLUSIVE or by_model else None


def request(span: Span, *, model: str, requested: str | None, vendor: str | None, operation: str) -> Request:
    """Start a request from what every span has: identity, place in its trace, time, outcome and attribution."""
    status = Status.ERROR if span.failed else Status.OK
    metadata = _metadata(span.attributes)
    attribution = _attribution(span, metadata)
    return Request(
        model=model,
        model_requested=requested,
        provider=vendor,
        operation=operation,
        time_us=span.start_us,
        request_id=span.span,
        merge_key=span_key(span.trace, span.span, model=model, status=status),
        conversation=text(first(span.attributes, *_SESSIONS)) or text(first(metadata, *_SESSION_NAMES)),
        trace=span.trace,
        span=span.span,
        parent_span=span.parent,
        wraps_calls=True,
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        status=status,
        latency_ms=between_ms(span.start_us, span.end_us),
    )


def _attribution(span: Span, stated: Json) -> Attribution:
    attributes, resource = span.attributes, span.resource
    metadata = {name: item for name, item in stated.items() if name not in _SESSION_NAMES}
    if "userId" in metadata:
        metadata.setdefault("user_id", metadata.pop("userId"))
    given = attribution_of(metadata)
    service = text(resource.get("service.name")) or ""
    if service.startswith("/"):  # the path of a script, which some instrumentations take for a name
        service = service.rpartition("/")[2]
    named = first(attributes, "gen_ai.application_name", "ai.telemetry.functionId", "gen_ai.agent.name")
    stage = first(resource, "deployment.environment.name", "deployment.environment")
    return Attribution(
        given.team or text(first(resource, "team", "team.name")),
        given.app or text(named) or (None if service.startswith("unknown_service") else service or None),
        text(first(attributes, *_USERS)) or given.user,
        given.environment or text(stage) or text(attributes.get("gen_ai.environment")),
        given.tags,
    )


def _metadata(attributes: Json) -> dict[str, Any]:
    found = dict(mapping(attributes.get("metadata")))
    for name, key in names_of(attributes).metadata:
        found[key] = attributes[name]
    return found


def _flatten(value: Json, prefix: str, flat: dict[str, Any], depth: int) -> None:
    for name, item in value.items():
        if type(item) not in _FLAT and isinstance(item, Mapping) and depth < _DEEPEST:
            _flatten(item, f"{prefix}{name}.", flat, depth + 1)
        elif item is not None:
            flat[f"{prefix}{name}"] = item


def _events(value: object) -> Iterator[tuple[str, Json]]:
    for event in listing(value):
        found = mapping(event)
        yield text(found.get("name")) or "", flatten(mapping(found.get("attributes")))


def _hex(value: object) -> str | None:
    found = text(value)
    return None if found is None else found.removeprefix("0x")


def _time(value: object) -> int | None:
    if isinstance(value, list) and len(value) == _PAIR:  # JavaScript's [seconds, nanoseconds]
        seconds, nanos = number(value[0]), number(value[1])
        whole_us = None if seconds is None else micros(seconds)
        return None if whole_us is None else whole_us + round((nanos or 0) / 1000)
    return micros(value)


_known: dict[tuple[str, ...], Names] = {}
