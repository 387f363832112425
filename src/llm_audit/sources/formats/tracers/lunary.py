"""Lunary's runs, as its API and its exports (JSON lines, CSV) write them. Cached tokens are not told apart."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import read_parameters, tier_of
from llm_audit.sources.records.calls import cost_pico, set_usage, span_key
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import attribution_of, first, labels, mapping, text
from llm_audit.sources.records.messages import is_redacted, read_messages, set_reply
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.vocabulary import Operation, Status

_CALLS = {"llm": Operation.CHAT, "embed": Operation.EMBEDDING}
_SIGNATURE = frozenset({"type", "name", "isPublic", "feedback", "siblingRunId", "tokens"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    kind = text(record.get("type")) or ""
    if kind not in _CALLS:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    model = text(record.get("name"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "name")
    status = Status.ERROR if record.get("error") or record.get("status") == "error" else Status.OK
    start_us = micros(record.get("createdAt"), "createdAt")
    trace, span = text(record.get("traceId")), text(record.get("id"))
    attribution = attribution_of(mapping(record.get("metadata")))
    user = mapping(record.get("user"))
    counts = mapping(record.get("tokens"))
    request = Request(
        model=model,
        operation=_CALLS[kind],
        service_tier=tier_of(mapping(record.get("params"))),
        time_us=start_us,
        request_id=span,
        merge_key=span_key(trace, span, model=model, status=status),
        trace=trace,
        span=span,
        team=attribution.team,
        app=attribution.app,
        user=text(first(user, "externalId", "id")) or attribution.user,
        environment=attribution.environment,
        tags=tuple(sorted({*attribution.tags, *labels(record.get("tags"))})),
        status=status,
        latency_ms=between_ms(start_us, micros(record.get("endedAt"), "endedAt")),
        stated_cost_pico=cost_pico(record.get("cost")) or None,  # 0 where it knows no price
        messages=read_messages(record.get("input")),
    )
    request.redacted = is_redacted(request.messages)
    set_reply(request, record.get("output"))
    read_parameters(request, mapping(record.get("params")))
    set_usage(request, disjoint_usage(read_count(counts, "prompt"), read_count(counts, "completion")))
    yield request


FORMAT = Format(
    info=FormatInfo(
        name="lunary",
        title="Lunary runs (API, JSON lines or CSV export)",
        evidence=Evidence.FIXTURE,
        input_counts="not split",
        tells=("time", "id", "prompts", "cost", "latency", "trace", "service_tier"),
        notes="Fields as in Lunary's source (formatRun, 2024 to 2026). Its exports leave cached tokens out, so cached "
        "input is priced as fresh. Chains, agents, tools and threads are no calls. A cost of 0 is read as unknown. "
        "The service tier is the one that was asked for.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: record.keys() >= _SIGNATURE,
    entries=_entries,
    keys=frozenset({"siblingRunId"}),
    keys_decide=True,
)
