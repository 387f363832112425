"""Events that Claude Code exports as OTLP log records: successful requests and failed ones.

Counts are Anthropic's: exclusive. Prompts are not exported with them.
"""

from __future__ import annotations

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Request
from llm_audit.sources.records.calls import cost_pico, merge_key
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, as_int, number, text
from llm_audit.sources.records.tracing import Span
from llm_audit.vocabulary import Status

_PREFIX = "claude_code."
_EVENTS = frozenset({"claude_code.api_request", "claude_code.api_error"})


def is_call(name: object, attributes: Json) -> bool:
    """Return whether an event is a call; older versions name it in the attributes only."""
    return name in _EVENTS or ("session.id" in attributes and f"{_PREFIX}{attributes.get('event.name')}" in _EVENTS)


def read(event: Span) -> Entry:
    """Read one such event."""
    attributes = event.attributes
    model = text(attributes.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    failed = event.name.endswith("error") or attributes.get("event.name") == "api_error"
    code = as_int(attributes.get("status_code"))
    if failed and code is None:
        return NotACall(NotCallReason.NOT_SENT)
    status = Status.ERROR if failed else Status.OK
    request_id = text(attributes.get("request_id"))
    request = Request(
        model=model,
        provider="anthropic",
        time_us=event.start_us,
        request_id=request_id,
        merge_key=merge_key(request_id, model=model, status=status),
        conversation=text(attributes.get("session.id")),
        team=text(event.resource.get("team")) or text(event.resource.get("team.id")),
        app=text(event.resource.get("service.name")),
        user=text(attributes.get("user.account_uuid")) or text(attributes.get("user.id")),
        status=status,
        status_code=code,
        latency_ms=number(attributes.get("duration_ms")),
        stated_cost_pico=cost_pico(attributes.get("cost_usd")),
    )
    request.usage = disjoint_usage(
        read_count(attributes, "input_tokens"),
        read_count(attributes, "output_tokens"),
        cache_read=read_count(attributes, "cache_read_tokens"),
        cache_write=read_count(attributes, "cache_creation_tokens"),
        convention=Convention.EXCLUSIVE,
    )
    return request
