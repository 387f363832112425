"""Spans of Genkit's own attributes: of an action that is a model, what it was given and returned, as JSON in texts."""

from __future__ import annotations

from typing import Final

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason
from llm_audit.sources.records import tracing
from llm_audit.sources.records.calls import set_usage
from llm_audit.sources.records.fields import Json, mapping, number, objects, text
from llm_audit.sources.records.messages import read_messages, set_reply
from llm_audit.sources.records.tokens import read_tokens
from llm_audit.vocabulary import Operation

_KIND: Final = "genkit:metadata:subtype"
_ROLES = {"model": "assistant"}
_PROVIDERS = {"googleai": "google", "vertexai": "google"}


def is_span(attributes: Json) -> bool:
    """Return whether attributes are those of a Genkit action."""
    return _KIND in attributes and "genkit:name" in attributes


def read(span: tracing.Span) -> Entry:
    """Read one action."""
    get = span.attributes.get
    if get(_KIND) != "model":
        return NotACall(NotCallReason.PARENT_SPAN)
    plugin, _, model = (text(get("genkit:name")) or "").rpartition("/")
    if not model:
        raise BadRecordError(Reason.NO_MODEL, "genkit:name")
    vendor = _PROVIDERS.get(plugin, plugin) or None
    request = tracing.request(span, model=model, requested=None, vendor=vendor, operation=Operation.CHAT)
    asked, answered = mapping(get("genkit:input")), mapping(get("genkit:output"))
    request.messages = read_messages([_message(turn) for turn in objects(asked.get("messages"))])
    reply = mapping(answered.get("message"))
    set_reply(request, [_message(reply)] if reply else None)
    request.latency_ms = number(answered.get("latencyMs")) or request.latency_ms
    convention = tracing.convention(vendor, model)
    set_usage(request, read_tokens(mapping(answered.get("usage")), convention=convention, model=model))
    return request


def _message(turn: Json) -> Json:
    role = text(turn.get("role")) or "user"
    return {"role": _ROLES.get(role, role), "parts": turn.get("content")}
