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
from llm_audit.sources.formats.agents._transcript import TOOLS
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import first, mapping, text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_KINDS = frozenset({"say", "ask"})
_TASK = frozenset({"id", "ts", "task", "tokensIn", "tokensOut", "totalCost"})  # of a list of tasks, each with its sums
_TASKS = frozenset({"taskHistory.json", "history_item.json"})
_ABOUT_A_TASK = frozenset({"files_in_context", "model_usage"})
_CONVERSATION = "api_conversation_history.json"  # whose counts ui_messages.json has too
_SUMS = frozenset({"deleted_api_reqs", "subagent_usage"})  # of rows that were removed, of a batch of subagents


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    named = mapping(record.get("modelInfo"))
    if named:
        context.state["model"] = named
    said = text(record.get("say"))
    if said in _SUMS:
        yield Rejected(Reason.BAD_SHAPE, said, note=f"{said} sums up calls that are not in the file")
        return
    counts = mapping(record.get("text")) if said == "api_req_started" else {}
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


def _matches(record: Record, context: Context) -> bool:
    if text(record.get("type")) in _KINDS:
        return "ts" in record and isinstance(record.get(str(record["type"])), str)
    file = PurePath(context.path).name
    if record.keys() >= _TASK:  # others write calls of such names, with their model
        return "model" not in record and ("modelId" not in record or file in _TASKS)
    return record.keys() >= _ABOUT_A_TASK or ("role" in record and file == _CONVERSATION)


FORMAT = Format(
    info=FormatInfo(
        name="cline",
        title="Cline, Roo Code and Kilo Code tasks (ui_messages.json)",
        evidence=Evidence.FIXTURE,
        input_counts="by program and version: both bounds",
        tells=("time", "prompts", "cache", "cost"),
        notes="Fields as in Cline's source (ExtensionMessage.ts and getApiMetrics.ts, August 2026), which counts "
        "cached tokens apart; earlier versions and forks do so for some providers only. Roo Code's source was "
        "not read. Rows without a model are rejected, and so are sums of calls that the file does not hold: "
        "removed rows (deleted_api_reqs) and subagents (subagent_usage). Other files of a task, and lists of tasks "
        "with their sums, are no calls.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"ts", "role", "files_in_context"}),
)
