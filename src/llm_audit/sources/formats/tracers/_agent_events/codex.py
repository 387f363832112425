"""Events that Codex exports as OTLP log records: responses with their counts, and refused requests.

A response's counts are in the event that completes its stream, whatever carried it. Inclusive; reasoning is part of
the output. ``tool_token_count`` is the total.
"""

from __future__ import annotations

from llm_audit.sources.entry import BadRecordError, Entry, Reason, Request
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, as_int, first, number, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tracing import Span
from llm_audit.vocabulary import Status

_FIRST_ERROR = 400  # of the HTTP statuses


def is_call(attributes: Json) -> bool:
    """Return whether an event is a response that was completed, or a request that was refused."""
    name = attributes.get("event.name")
    if name == "codex.sse_event":
        return attributes.get("event.kind") == "response.completed"
    return name == "codex.api_request" and (_code(attributes) or 0) >= _FIRST_ERROR


def read(event: Span) -> Entry:
    """Read one such event."""
    attributes = event.attributes
    model = text(first(attributes, "model", "slug"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    code = _code(attributes)
    status = Status.OK if code is None else Status.ERROR
    time_us = micros(attributes.get("event.timestamp"), "event.timestamp") or event.start_us
    session = text(attributes.get("conversation.id"))
    counts = [attributes.get(f"{kind}_token_count") for kind in ("input", "output")]  # of two that end together
    event_id = session and time_us and f"codex:{session}@{time_us}:{counts}"
    request = Request(
        model=model,
        time_us=time_us,
        merge_key=merge_key(event_id, model=model, status=status),
        conversation=session,
        app=text(event.resource.get("service.name")),
        user=text(first(attributes, "user.email", "user.account_id")),
        environment=text(event.resource.get("env")),
        status=status,
        status_code=code,
        latency_ms=number(attributes.get("duration_ms")),
    )
    request.usage = disjoint_usage(
        read_count(attributes, "input_token_count"),
        read_count(attributes, "output_token_count"),
        cache_read=read_count(attributes, "cached_token_count"),
        cache_write=read_count(attributes, "cache_write_token_count"),
        reasoning=read_count(attributes, "reasoning_token_count"),
        convention=Convention.INCLUSIVE,
    )
    return request


def _code(attributes: Json) -> int | None:
    return as_int(attributes.get("http.response.status_code"))
