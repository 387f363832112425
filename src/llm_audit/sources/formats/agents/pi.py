"""Sessions of pi and of agents built on it (OpenClaw): JSON lines of a header, messages and changes.

Counts are disjoint: cache reads and writes are not part of ``input``. Branched sessions copy messages with their times.
pi copies the counts of Bedrock's streams, where cached tokens of OpenAI's models count twice: those keep both bounds.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.agents._transcript import TOOLS, Transcript, folder
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico, merge_key
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import first, mapping, text
from llm_audit.sources.records.messages import read_turn, set_reply
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_CHANGES = frozenset({"model_change", "thinking_level_change", "context_transform", "branch_summary"})
_TYPES = _CHANGES | {"session", "message"}
_ROLES = {"user": "user", "assistant": "assistant", "toolResult": "tool"}
_ENDINGS = {"error": Status.ERROR, "aborted": Status.CANCELLED}


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    state = context.state
    if record.get("type") == "session":
        state.update(session=text(record.get("id")), app=folder(record.get("cwd")), transcript=Transcript())
    transcript = state.setdefault("transcript", Transcript())
    message = mapping(record.get("message"))
    prompt = transcript.prompt()
    role = _ROLES.get(text(message.get("role")) or "")
    if role is not None:
        transcript.add(read_turn(role, message.get("content")))
    usage = mapping(message.get("usage"))
    if role != "assistant" or not usage:
        yield NotACall(NotCallReason.METADATA)
        return
    model = text(message.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "message.model")
    time_us = micros(first(message, "timestamp") or record.get("timestamp"), "timestamp")
    response_id = text(message.get("responseId"))
    status = _ENDINGS.get(text(message.get("stopReason")) or "", Status.OK)
    request = Request(
        model=model,
        provider=text(message.get("provider")),
        time_us=time_us,
        request_id=response_id or text(record.get("id")),
        merge_key=merge_key(response_id or f"pi:{time_us}:{usage.get('totalTokens')}", model=model, status=status),
        conversation=state.get("session"),
        app=state.get("app"),
        status=status,
        stated_cost_pico=cost_pico(mapping(usage.get("cost")).get("total")),
        messages=prompt,
        tools=TOOLS,
    )
    set_reply(request, {"role": "assistant", "content": message.get("content")})
    written, long = read_count(usage, "cacheWrite"), read_count(usage, "cacheWrite1h")
    request.usage = disjoint_usage(
        read_count(usage, "input"),
        read_count(usage, "output"),
        cache_read=read_count(usage, "cacheRead"),
        cache_write=max((written or 0) - long, 0) if long else written,  # which the longer-lived ones are part of
        cache_write_1h=long,
        reasoning=read_count(usage, "reasoning"),
        convention=None if "openai." in model else Convention.EXCLUSIVE,  # Bedrock's streams of them
    )
    yield request


def _matches(record: Record, _context: Context) -> bool:
    kind = text(record.get("type"))
    if "model" in record:  # of a custom log
        return False
    if kind == "session":
        return "cwd" in record and "timestamp" in record
    message = kind == "message" and "timestamp" in record and "role" in mapping(record.get("message"))
    return message or kind in _CHANGES


FORMAT = Format(
    info=FormatInfo(
        name="pi",
        title="pi sessions",
        evidence=Evidence.FIXTURE,
        input_counts="exclusive",
        tells=("time", "prompts", "cache", "cost"),
        notes="Fields as in pi's documentation of session files (version 3). The system prompt is not logged.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"type"}),
    types=_TYPES.__contains__,
)
