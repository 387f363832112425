"""OpenAI Realtime: server events of a session, one a line. ``response.done`` is a call, and so is a transcription.

Inclusive, cached tokens told apart by text and audio. Events do not name the model but in their session.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import read_response_body
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.column_names import columns_of
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, at, mapping, text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Operation, Status

_TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
_SESSIONS = frozenset({"session.created", "session.updated"})
_EVENTS = ("response.", "conversation.", "session.", "input_audio_buffer.", "output_audio_buffer.", "rate_limits.")
_ENDINGS = {"failed": Status.ERROR, "cancelled": Status.CANCELLED}


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    kind = record.get("type")
    session = mapping(record.get("session"))
    if session:
        context.state["model"] = text(session.get("model"))
        transcription = at(session, "audio", "input", "transcription") or session.get("input_audio_transcription")
        context.state["transcription"] = text(mapping(transcription).get("model"))
    if kind == "response.done":
        yield _response(record, mapping(record.get("response")), text(context.state.get("model")))
    elif kind == _TRANSCRIBED:
        yield _transcription(record, text(context.state.get("transcription")))
    else:
        yield NotACall(NotCallReason.METADATA)


def _response(record: Record, body: Json, session_model: str | None) -> Entry:
    model = text(body.get("model")) or text(record.get("model")) or session_model
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "session.model")
    status = _ENDINGS.get(text(body.get("status")) or "", Status.OK)
    response_id = text(body.get("id"))
    request = Request(
        model=model,
        provider="openai",
        time_us=_time_us(record),
        request_id=response_id,
        merge_key=merge_key(response_id, model=model, status=status),
        conversation=text(body.get("conversation_id")),
        status=status,
        streamed=True,
    )
    read_response_body(request, body)
    request.usage = _usage(mapping(body.get("usage")))
    return request


def _transcription(record: Record, model: str | None) -> Entry:
    model = text(record.get("model")) or model
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "session.audio.input.transcription.model")
    item = text(record.get("item_id"))
    return Request(
        model=model,
        provider="openai",
        operation=Operation.AUDIO,
        time_us=_time_us(record),
        request_id=item,
        merge_key=merge_key(item and f"transcription:{item}", model=model),
        usage=_usage(mapping(record.get("usage"))),
    )


def _time_us(record: Record) -> int | None:
    time = columns_of(record).time
    return micros(record.get(time), time)


def _usage(usage: Json) -> Usage:
    into, outof = mapping(usage.get("input_token_details")), mapping(usage.get("output_token_details"))
    cached = mapping(into.get("cached_tokens_details"))
    audio, image = read_count(into, "audio_tokens"), read_count(into, "image_tokens")
    return disjoint_usage(
        read_count(usage, "input_tokens"),
        read_count(usage, "output_tokens"),
        cache_read=read_count(into, "cached_tokens"),
        audio_input=None if audio is None else max(audio - (read_count(cached, "audio_tokens") or 0), 0),
        audio_output=read_count(outof, "audio_tokens"),
        image_input=None if image is None else max(image - (read_count(cached, "image_tokens") or 0), 0),
        total=read_count(usage, "total_tokens"),
        convention=Convention.INCLUSIVE,
    )


def _matches(record: Record, _context: Context) -> bool:
    kind = text(record.get("type"))
    if kind == "response.done":
        return text(mapping(record.get("response")).get("object")) == "realtime.response"
    if kind == _TRANSCRIBED or (kind in _SESSIONS and "session" in record):
        return True
    return kind is not None and "event_id" in record and kind.startswith(_EVENTS)


FORMAT = Format(
    info=FormatInfo(
        name="openai-realtime",
        title="OpenAI Realtime: server events",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="inclusive",
        tells=("time", "id", "cache"),
        notes="Events as OpenAI documents them. They hold no time but what the logger adds, and cached audio is priced "
        "as cached text. Transcriptions that are billed by the minute hold no tokens and stay unpriced.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"type"}),
    types=lambda kind: "." in kind,
)
