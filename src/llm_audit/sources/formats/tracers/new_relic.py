"""New Relic AI monitoring: events of completions, messages and embeddings, as NRQL or an export gives them."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import merge_key, provider
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import as_int, first, flag, number, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tracing import convention
from llm_audit.vocabulary import Operation, Status

_USAGE = "response.usage."


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if "completion_id" in record and "sequence" in record:
        yield NotACall(NotCallReason.METADATA)  # one message of a completion
        return
    requested = text(record.get("request.model"))
    model = text(record.get("response.model")) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "request.model")
    embedding = "input" in record
    status = Status.ERROR if flag(record.get("error")) else Status.OK
    vendor = provider(record.get("vendor"))
    event_id = text(first(record, "id", "request_id"))
    limit = as_int(record.get("request.max_tokens"))
    total = read_count(record, f"{_USAGE}total_tokens")
    usage = disjoint_usage(
        total if embedding else read_count(record, f"{_USAGE}prompt_tokens", f"{_USAGE}input_tokens"),
        0 if embedding else read_count(record, f"{_USAGE}completion_tokens", f"{_USAGE}output_tokens"),
        cache_read=read_count(record, f"{_USAGE}cache_read_input_tokens", f"{_USAGE}cached_tokens"),
        cache_write=read_count(record, f"{_USAGE}cache_creation_input_tokens"),
        total=total,
        wrapper_total=True,
        convention=convention(vendor, model),
    )
    yield Request(
        model=model,
        model_requested=requested,
        provider=vendor,
        operation=Operation.EMBEDDING if embedding else Operation.CHAT,
        time_us=micros(record.get("timestamp"), "timestamp"),
        request_id=text(record.get("request_id")),
        merge_key=merge_key(event_id and f"newrelic:{event_id}", model=model, status=status),
        conversation=text(record.get("llm.conversation_id")),
        trace=text(record.get("trace_id")),
        span=text(record.get("span_id")),
        app=text(first(record, "appName", "entityName")),
        status=status,
        status_code=as_int(record.get("http.statusCode")),
        latency_ms=number(record.get("duration")),
        max_output_tokens=limit if limit and limit > 0 else None,
        usage=usage,
    )


def _matches(record: Record, _context: Context) -> bool:
    usage = any(name.startswith(_USAGE) for name in record)
    return ("request.model" in record or "response.model" in record) and ("vendor" in record or usage)


FORMAT = Format(
    info=FormatInfo(
        name="new-relic",
        title="New Relic AI monitoring events",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="as the provider counts",
        tells=("time", "id", "latency", "trace"),
        notes="Attributes as in the source and the tests of New Relic's Node, Python and Go agents "
        "(LlmChatCompletionSummary, LlmEmbedding); no real export was seen. Prompts are in events of their "
        "own and are not read. Cached tokens are read where an agent reports them. No "
        "agent records a service tier: calls are priced as standard.",
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"request.model", "response.model"}),
    keys_decide=True,
)
