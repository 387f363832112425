"""Gemini CLI sessions: one JSON object, or JSON lines of a header, messages and updates.

Counts are those of the API: inclusive, thoughts and tool prompts on top. A message is written again when it grows.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import (
    BadRecordError,
    Entry,
    Message,
    NotACall,
    NotCallReason,
    Reason,
    Record,
    Rejected,
    Request,
    Usage,
)
from llm_audit.sources.formats.agents._transcript import TOOLS, Transcript
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.fields import Json, mapping, objects, text
from llm_audit.sources.records.messages import read_turn
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.usage import of_gemini

_COUNTS = {
    "input": "promptTokenCount",
    "output": "candidatesTokenCount",
    "cached": "cachedContentTokenCount",
    "thoughts": "thoughtsTokenCount",
    "tool": "toolUsePromptTokenCount",
    "total": "totalTokenCount",
}
_NOTES = frozenset({"user", "info", "error", "warning"})
_NOTE_KEYS = frozenset({"id", "timestamp", "type", "content", "displayContent"})
_UPDATES = frozenset({"$set", "$rewindTo"})


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    session = context.state.get("session")
    if "sessionId" in record or session is None:
        session = context.state["session"] = _Session(text(record.get("sessionId")))
    if "sessionId" not in record:
        yield _entry(record, session)
        return
    messages = list(objects(record.get("messages")))
    for message in messages:
        try:
            yield _entry(message, session)
        except BadRecordError as error:
            yield Rejected(error.reason, error.field_name, note=error.note)
    if not messages:
        yield NotACall(NotCallReason.METADATA)


class _Session:
    """The state of the session that a file records."""

    __slots__ = ("id", "message_id", "prompt", "transcript")

    def __init__(self, session_id: str | None) -> None:
        self.id = session_id
        self.transcript = Transcript()
        self.message_id: str | None = None
        self.prompt: list[Message] | None = None

    def add(self, message: Json, role: str) -> None:
        """Add a message; one that is written again has the prompt it had, and is not added again."""
        message_id = text(message.get("id"))
        if message_id is not None and message_id == self.message_id:
            return
        self.message_id, self.prompt = message_id, self.transcript.prompt()
        self.transcript.add(read_turn(role, message.get("content")))


def _entry(message: Json, session: _Session) -> Entry:
    tokens = mapping(message.get("tokens"))
    role = {"user": "user", "gemini": "assistant"}.get(text(message.get("type")) or "")
    if role is not None:
        session.add(message, role)
    if role != "assistant" or not tokens:
        return NotACall(NotCallReason.METADATA)
    model = text(message.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    message_id = text(message.get("id"))
    return Request(
        model=model,
        provider="google",
        time_us=micros(message.get("timestamp"), "timestamp"),
        request_id=message_id,
        merge_key=merge_key(message_id and f"gemini-cli:{message_id}", model=model),
        conversation=session.id,
        messages=session.prompt,
        tools=TOOLS,
        usage=_usage(tokens),
    )


def _usage(tokens: Json) -> Usage:
    return of_gemini({full: tokens[name] for name, full in _COUNTS.items() if tokens.get(name) is not None})


def _matches(record: Record, _context: Context) -> bool:
    if "projectHash" in record:
        return "sessionId" in record
    message = "timestamp" in record and "content" in record and "id" in record
    return (message and _is_of_session(record)) or not _UPDATES.isdisjoint(record)


def _is_of_session(message: Record) -> bool:
    kind = text(message.get("type"))
    return kind == "gemini" or (kind in _NOTES and message.keys() <= _NOTE_KEYS)


FORMAT = Format(
    info=FormatInfo(
        name="gemini-cli",
        title="Gemini CLI sessions",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive, thoughts apart",
        tells=("time", "id", "prompts", "cache"),
        notes="Fields as in Gemini CLI's source (August 2026). The system prompt and the tools are not logged. Its "
        "telemetry describes the same calls: give the one or the other.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"projectHash", "content", *_UPDATES}),
)
