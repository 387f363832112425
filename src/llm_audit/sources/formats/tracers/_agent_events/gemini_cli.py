"""Events that Gemini CLI and Qwen Code log: responses of the API, and errors.

Counts are those of the API: inclusive, thoughts and tool prompts on top. Each response is logged a second time under
the names of OpenTelemetry, without its cached tokens; that event is no call.
"""

from __future__ import annotations

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Request
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.fields import Json, as_int, number, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tracing import Span
from llm_audit.sources.records.usage import of_gemini
from llm_audit.vocabulary import Status

_PREFIXES = ("gemini_cli.", "qwen-code.")
_PROGRAMS = frozenset({"gemini-cli", "qwen-code"})
_COUNTS = {
    "input_token_count": "promptTokenCount",
    "output_token_count": "candidatesTokenCount",
    "cached_content_token_count": "cachedContentTokenCount",
    "thoughts_token_count": "thoughtsTokenCount",
    "tool_token_count": "toolUsePromptTokenCount",
    "total_token_count": "totalTokenCount",
}


def is_event(attributes: Json, *, program: object = None) -> bool:
    """Return whether an event is one of these programs', by its name or by the program that wrote it."""
    return (text(attributes.get("event.name")) or "").startswith(_PREFIXES) or text(program) in _PROGRAMS


def read(event: Span) -> Entry:
    """Read one such event."""
    attributes = event.attributes
    kind = (text(attributes.get("event.name")) or "").rpartition(".")[2]
    if kind not in {"api_response", "api_error"}:
        return NotACall(NotCallReason.METADATA)
    code = as_int(attributes.get("status_code"))
    if kind == "api_error" and code is None:
        return NotACall(NotCallReason.NOT_SENT)
    model = text(attributes.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    failed = kind == "api_error"
    status = Status.ERROR if failed else Status.OK
    time_us = micros(attributes.get("event.timestamp"), "event.timestamp") or event.start_us
    prompt_id = text(attributes.get("prompt_id"))
    return Request(
        model=model,
        time_us=time_us,
        merge_key=merge_key(prompt_id and f"gemini-cli:{prompt_id}@{time_us}", model=model, status=status),
        conversation=text(attributes.get("session.id")),
        app=text(event.resource.get("service.name")),
        user=text(attributes.get("user.email")),
        status=status,
        status_code=code,
        latency_ms=number(attributes.get("duration_ms")),
        usage=of_gemini({full: attributes[name] for name, full in _COUNTS.items() if attributes.get(name) is not None}),
    )
