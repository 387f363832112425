"""Sessions of GitHub Copilot CLI and of its SDK: events, of which some count tokens. Inclusive.

An ``assistant.usage`` event is a call. Session files on disk do not keep them: there, the ``session.shutdown`` of each
segment sums up its calls by model. ``cost`` counts premium requests; what is charged is in billionths of AI units.
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
    Request,
    Usage,
)
from llm_audit.sources.formats.agents._transcript import TOOLS, folder
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.billing.aggregates import count_of, shared_out
from llm_audit.sources.records.billing.amounts import amount
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, first, mapping, number, text
from llm_audit.sources.records.times import micros

_CHARGE_UNIT = "nano_aiu"
_EVENT = frozenset({"type", "data", "id", "timestamp", "parentId"})


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    kind, data, state = record.get("type"), mapping(record.get("data")), context.state
    if kind == "session.start":
        state.update(session=text(data.get("sessionId")), app=folder(mapping(data.get("context")).get("cwd")))
    elif kind == "user.message":
        state["prompt"] = text(data.get("content"))
    elif kind == "assistant.usage":
        state["counted"] = True
        yield _call(record, data, state)
        return
    elif kind == "session.shutdown":
        calls = [] if state.pop("counted", False) else list(_sums(record, mapping(data.get("modelMetrics")), state))
        if calls:
            yield from calls
            return
    yield NotACall(NotCallReason.METADATA)


def _call(record: Record, data: Json, state: Json) -> Request:
    model = text(data.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "data.model")
    call_id = text(first(data, "apiCallId", "providerCallId")) or text(record.get("id"))
    own = record.get("agentId") is None and text(data.get("initiator")) in {None, "user", "agent"}
    prompt = state.get("prompt") if own else None
    return Request(
        model=model,
        provider="github-copilot",
        time_us=micros(record.get("timestamp"), "timestamp"),
        request_id=call_id,
        merge_key=merge_key(call_id, model=model),
        conversation=state.get("session"),
        app=state.get("app"),
        latency_ms=number(data.get("duration")),
        stated_cost_pico=amount(mapping(data.get("copilotUsage")).get("totalNanoAiu"), _CHARGE_UNIT).pico,
        messages=[Message("user", prompt)] if prompt is not None else None,
        tools=TOOLS,
        usage=_usage(data),
    )


def _sums(record: Record, by_model: Json, state: Json) -> Iterator[Request]:
    """Yield the calls of each model that the end of a segment sums up."""
    for model, given in by_model.items():
        metric = mapping(given)
        usage = _usage(mapping(metric.get("usage")))
        count = count_of(mapping(metric.get("requests")).get("count"), "requests.count") or 1
        row = Request(
            model=model,
            provider="github-copilot",
            time_us=micros(record.get("timestamp"), "timestamp"),
            merge_key=merge_key(text(record.get("id")), model=model),
            conversation=state.get("session"),
            app=state.get("app"),
            stated_cost_pico=amount(metric.get("totalNanoAiu"), _CHARGE_UNIT).pico,
            tools=TOOLS,
            usage=usage,
        )
        if usage.input_tokens is not None or usage.output_tokens is not None:
            yield from shared_out(row, count)


def _usage(counts: Json) -> Usage:
    return disjoint_usage(
        read_count(counts, "inputTokens"),
        read_count(counts, "outputTokens"),
        cache_read=read_count(counts, "cacheReadTokens"),
        cache_write=read_count(counts, "cacheWriteTokens"),
        reasoning=read_count(counts, "reasoningTokens"),
        convention=Convention.INCLUSIVE,
    )


def _matches(record: Record, _context: Context) -> bool:
    kind = record.get("type")
    return isinstance(kind, str) and ("." in kind or kind == "abort") and record.keys() >= _EVENT


FORMAT = Format(
    info=FormatInfo(
        name="copilot-cli",
        title="GitHub Copilot CLI and SDK session events",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive",
        tells=("time", "id", "cache", "cost", "latency"),
        notes="Events as in the SDK's source (session-events.ts, 2026); that counts are inclusive and what an AI unit "
        "costs (a cent) was worked out from a real span of its telemetry. Files on disk hold no event a call: "
        "there, a session's end is read as its calls, each with an equal share of the tokens. The cost in premium "
        "requests is not read.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"parentId"}),
)
