"""Cline's ``ui_messages.json`` and that of its forks (Roo Code, Kilo Code): what a task showed its user, in order.

A call is a row ``api_req_started`` whose text is JSON with the counts. Whether ``tokensIn`` includes cached tokens
differs by program, version and provider: arithmetic decides, else both bounds are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

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
)
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import first, mapping, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.transcript import TOOLS
from llm_audit.vocabulary import Status

_KINDS = frozenset({"say", "ask"})


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    named = mapping(record.get("modelInfo"))
    if named:
        context.state["model"] = named
    if record.get("say") == "deleted_api_reqs":
        yield Rejected(Reason.BAD_SHAPE, "deleted_api_reqs")  # the sum of calls whose rows were removed
        return
    counts = mapping(record.get("text")) if record.get("say") == "api_req_started" else {}
    if not counts:
        yield NotACall(NotCallReason.METADATA)
        return
    model = mapping(context.state.get("model"))
    task = PurePath(context.path).parent.name or None
    prompt = text(counts.get("request"))
    name = text(model.get("modelId"))
    if name is None:
        raise BadRecordError(Reason.NO_MODEL, "modelInfo")
    yield Request(
        model=name,
        provider=text(model.get("providerId")),
        time_us=micros(record.get("ts"), "ts"),
        merge_key=f"cline|{task}|{record.get('ts')}|{name}",
        conversation=task,
        status=_status(first(counts, "cancelReason", "streamingFailedMessage")),
        stated_cost_pico=cost_pico(counts.get("cost")),
        messages=[Message("user", prompt)] if prompt is not None else None,
        tools=TOOLS,
        usage=disjoint_usage(
            read_count(counts, "tokensIn"),
            read_count(counts, "tokensOut"),
            cache_read=read_count(counts, "cacheReads"),
            cache_write=read_count(counts, "cacheWrites"),
        ),
    )


def _status(reason: object) -> str:
    if reason is None:
        return Status.OK
    return Status.CANCELLED if reason == "user_cancelled" else Status.ERROR


FORMAT = Format(
    info=FormatInfo(
        name="cline",
        title="Cline, Roo Code and Kilo Code tasks (ui_messages.json)",
        evidence=Evidence.FIXTURE,
        input_counts="by program and version: both bounds",
        tells=("time", "prompts", "cache", "cost"),
        notes="Fields as in Roo Code's source (April 2026) and Cline's. Older versions do not log the model: "
        "their requests are rejected. The sum that replaces "
        "removed rows (deleted_api_reqs) is rejected, since it counts no calls.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=lambda record, _: (
        text(record.get("type")) in _KINDS and "ts" in record and isinstance(record.get(str(record["type"])), str)
    ),
    entries=_entries,
    keys=frozenset({"ts"}),
)
