"""n8n executions, as its API gives them: the runs of every node, among them those of language models.

A run of a model holds the call's prompts and options as input, and the reply with the provider's token counts as
output. Counts that n8n estimated itself are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

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
from llm_audit.sources.records.bodies import tier_of
from llm_audit.sources.records.calls import merge_key, reject_on_error
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, at, first, listing, mapping, number, objects, text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_MODEL = "ai_languageModel"
_ELSEWHERE = "its data is not in the database: n8n stores it in files or in S3, or has pruned it"


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if not mapping(record.get("data")):
        yield Rejected(Reason.BAD_SHAPE, "data", note=_ELSEWHERE)
        return
    found = False
    for node, runs in mapping(at(record, "data", "resultData", "runData")).items():
        for number_of_run, run in enumerate(objects(runs)):
            if _MODEL in mapping(run.get("data")) or _MODEL in mapping(run.get("inputOverride")):
                found = True
                yield reject_on_error(partial(_entry, record, f"{node}|{number_of_run}"), run)
    if not found:
        yield NotACall(NotCallReason.METADATA)


def _entry(record: Record, place: str, run: Json) -> Entry:
    sent, received = _json_of(run.get("inputOverride")), _json_of(run.get("data"))
    reply = next(objects(next(iter(listing(at(received, "response", "generations"))), [])), {})
    described = mapping(reply.get("generationInfo"))
    options = mapping(sent.get("options"))
    requested = text(first(options, "model", "model_name", "modelName", "model_id"))
    model = text(described.get("model_name")) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    status = Status.ERROR if run.get("executionStatus") == "error" or run.get("error") else Status.OK
    execution = text(record.get("id"))
    counts = mapping(received.get("tokenUsage"))
    prompts = [prompt for prompt in listing(sent.get("messages")) if isinstance(prompt, str)]
    return Request(
        model=model,
        model_requested=requested,
        service_tier=tier_of(described, options, mapping(options.get("model_kwargs"))),
        time_us=micros(first(run, "startTime") or record.get("startedAt"), "startTime"),
        request_id=execution and f"{execution}|{place}",
        merge_key=merge_key(execution and f"n8n:{execution}|{place}", model=model, status=status),
        trace=execution,
        app=text(first(record, "workflowName", "workflowId")),
        status=status,
        latency_ms=number(run.get("executionTime")),
        messages=[Message("user", prompt) for prompt in prompts] or None,
        completion=text(reply.get("text")),
        usage=disjoint_usage(
            read_count(counts, "promptTokens"),
            read_count(counts, "completionTokens"),
            total=read_count(counts, "totalTokens"),
        ),
    )


def _json_of(data: object) -> Json:
    """Return the first item of a model's connection."""
    items: object = next(iter(listing(mapping(data).get(_MODEL))), None)
    return mapping(next(objects(items), {}).get("json"))


FORMAT = Format(
    info=FormatInfo(
        name="n8n",
        title="n8n executions",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="not split",
        tells=("time", "id", "prompts", "latency", "trace", "service_tier"),
        notes="Shapes as in n8n's source (N8nLlmTracing of its LangChain nodes, execution entities, 2026); no real "
        "export was seen. Only runs of language models are calls, so that an agent's are found under its model. Cached "
        "tokens are not logged, and counts that n8n estimated are not read. Executions must have been saved with their "
        "data. The service tier is the one that served where the reply was streamed, else the one that was asked for.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "resultData" in mapping(record.get("data")),
    entries=_entries,
    keys=frozenset({"data"}),
)
