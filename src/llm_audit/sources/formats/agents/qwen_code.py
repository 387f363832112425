"""Qwen Code transcripts: rows like Claude Code's, with Gemini's messages and counts. Inclusive, thoughts on top."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.agents._transcript import TOOLS, Transcript, folder
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.fields import mapping, text
from llm_audit.sources.records.messages import read_messages
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.usage import of_gemini


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    transcript = context.state.setdefault("transcript", Transcript())
    prompt = transcript.prompt()
    message = mapping(record.get("message"))
    if message:
        transcript.add(read_messages([{"role": message.get("role"), "parts": message.get("parts")}]) or [])
    counts = mapping(record.get("usageMetadata"))
    if not counts:
        yield NotACall(NotCallReason.METADATA)
        return
    model = text(record.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    row_id = text(record.get("uuid"))
    yield Request(
        model=model,
        time_us=micros(record.get("timestamp"), "timestamp"),
        request_id=row_id,
        merge_key=merge_key(row_id and f"qwen-code:{row_id}", model=model),
        conversation=text(record.get("sessionId")),
        trace=text(record.get("sessionId")),
        app=folder(record.get("cwd")),
        messages=prompt,
        tools=TOOLS,
        usage=of_gemini(counts),
    )


FORMAT = Format(
    info=FormatInfo(
        name="qwen-code",
        title="Qwen Code transcripts",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="inclusive, thoughts apart",
        tells=("time", "id", "prompts", "cache", "trace"),
        notes="Written after rows that users published; the provider is not logged.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=lambda record, _: (
        "sessionId" in record
        and "uuid" in record
        and ("usageMetadata" in record or "parts" in mapping(record.get("message")))
    ),
    entries=_entries,
    keys=frozenset({"uuid"}),
    before=("claude-code",),
)
