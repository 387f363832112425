"""Langfuse: traces and observations as its UI downloads them (camelCase), and blob exports (snake_case).

Observations of type GENERATION and EMBEDDING are calls, all others wrap them or are not model calls. Usage details are
disjoint where Langfuse normalised them (``input_…`` names: exclusive); details copied from OpenInference
(``prompt_details.…``) are not. The provider's own usage in ``output`` is preferred to both.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from llm_audit.sources.entry import (
    NO_USAGE,
    BadRecordError,
    Entry,
    NotACall,
    NotCallReason,
    Reason,
    Record,
    Request,
    Usage,
)
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records import tracing
from llm_audit.sources.records.bodies import place_of, read_parameters, read_response_body, tier_of, usage_of
from llm_audit.sources.records.calls import cost_pico, provider, reject_on_error, set_usage, span_key
from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.fields import (
    Attribution,
    Json,
    at,
    attribution_of,
    first,
    labels,
    listing,
    mapping,
    objects,
    parsed,
    text,
)
from llm_audit.sources.records.messages import is_redacted, offer_tools, read_messages, set_reply
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.tokens import read_parts, read_tokens
from llm_audit.sources.records.usage import of_any
from llm_audit.vocabulary import Operation, Status

_KINDS = {"GENERATION": Operation.CHAT, "EMBEDDING": Operation.EMBEDDING}
_WRAPPERS = frozenset({"SPAN", "AGENT", "CHAIN"})
_OBSERVATION = "langfuse.observation."
_OF_SPANS = {
    "type": "type",
    "usageDetails": "usage_details",
    "costDetails": "cost_details",
    "modelParameters": "model.parameters",
    "input": "input",
    "output": "output",
    "level": "level",
}  # fields of observations by the names of attributes
_COLUMNS = {
    "input": ("promptTokens", "inputUsage"),
    "output": ("completionTokens", "outputUsage"),
    "total": ("totalTokens", "totalUsage"),
}  # of older versions, and of downloads beside the details
_SHEET = frozenset({"projectId", "level", "type", "startTime"})
"""Columns beside a trace's id of every row of a sheet, whose empty cells are no fields; custom logs have some."""
_OWNERS = ("conversation", "team", "app", "user", "environment", "tags")
_PROVIDERS = frozenset({"prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens", "inputTokenCount"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if "observations" not in record:
        yield _entry({}, record)
        return
    trace = mapping(record.get("trace")) or {key: value for key, value in record.items() if key != "observations"}
    observations = list(objects(record.get("observations")))
    for observation in observations:
        yield reject_on_error(partial(_entry, trace), observation)
    if not observations:
        yield NotACall(NotCallReason.METADATA)


def _entry(trace: Json, row: Json) -> Entry:
    kind = (text(row.get("type")) or "").upper()
    if kind not in _KINDS:
        return NotACall(NotCallReason.PARENT_SPAN if kind in _WRAPPERS else NotCallReason.NOT_A_MODEL_CALL)
    settings = mapping(first(row, "modelParameters", "model_parameters"))
    output = parsed(row.get("output"))
    model = text(first(row, "model", "provided_model_name")) or text(settings.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    status = Status.ERROR if row.get("level") == "ERROR" else Status.OK
    started = micros(first(row, "startTime", "start_time"), "start_time")
    ended = micros(first(row, "endTime", "end_time"), "end_time")
    trace_id, span = text(first(row, "traceId", "trace_id")), text(row.get("id"))
    metadata = mapping(row.get("metadata"))
    attribution = _attribution(row, trace, metadata)
    request = Request(
        model=model,
        model_requested=text(at(metadata, "attributes", "gen_ai.request.model")) or text(metadata.get("ls_model_name")),
        provider=_provider(metadata),
        operation=_KINDS[kind],
        time_us=started,
        service_tier=tier_of(mapping(output), settings),
        region=place_of(mapping(output)),
        request_id=span,
        merge_key=span_key(trace_id, span, model=model, status=status),
        conversation=text(first(row, "sessionId", "session_id") or first(trace, "sessionId", "session_id")),
        trace=trace_id,
        span=span,
        parent_span=text(first(row, "parentObservationId", "parent_observation_id")),
        wraps_calls=True,
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        status=status,
        latency_ms=between_ms(started, ended),  # its own field is in seconds or milliseconds, by version
        stated_cost_pico=cost_pico(_stated_cost(row)) or None,
    )
    _prompt(request, parsed(row.get("input")), settings)
    _reply(request, output)
    usage = usage_of(mapping(output))
    if usage is NO_USAGE:
        usage = _counted(row, request.provider, model)
    set_usage(request, usage)
    return request


def is_span(attributes: Json) -> bool:
    """Return whether a span is an observation that Langfuse's SDK sends by OpenTelemetry."""
    return f"{_OBSERVATION}type" in attributes


def read_span(span: tracing.Span) -> Entry:
    """Read an observation that is a span."""
    get = span.attributes.get
    own = {name: get(f"{_OBSERVATION}{attribute}") for name, attribute in _OF_SPANS.items()}
    vendor = first(span.attributes, "gen_ai.provider.name", "gen_ai.system")
    row = {
        **{name: value for name, value in own.items() if value is not None},
        "model": first(span.attributes, f"{_OBSERVATION}model.name", "gen_ai.response.model", "gen_ai.request.model"),
        "metadata": {**mapping(get(f"{_OBSERVATION}metadata")), "attributes": {"gen_ai.system": vendor}},
    }
    request = _entry({"name": get("langfuse.trace.name")}, row)
    if not isinstance(request, Request):
        return request
    started = tracing.request(
        span, model=request.model, requested=None, vendor=request.provider, operation=request.operation
    )
    if span.failed:
        request.status = Status.ERROR
    for name in ("time_us", "request_id", "merge_key", "trace", "span", "parent_span", "latency_ms", *_OWNERS):
        setattr(request, name, getattr(started, name) or getattr(request, name))
    return request


def _counted(row: Json, vendor: str | None, model: str) -> Usage:
    """Read Langfuse's own counts: usage details, or what versions before 3 have, which may count something else."""
    details = mapping(first(row, "usageDetails", "usage_details"))
    if details:
        return _details(details, vendor, model)
    counts = mapping(row.get("usage"))
    if (text(counts.get("unit")) or "TOKENS") != "TOKENS":
        return NO_USAGE
    beside = {name: first(row, *columns) for name, columns in _COLUMNS.items()}
    return read_parts({name: first(counts, name) or given for name, given in beside.items()})


def _details(details: Json, vendor: str | None, model: str) -> Usage:
    named: Json = {name: count for name, count in details.items() if name != "total"}
    if _PROVIDERS & named.keys():
        return of_any(named)
    if not any("." in name for name in named):
        return read_parts(details)
    if details.get("total") != sum(count for count in named.values() if isinstance(count, int)):
        named = details  # not the sum that Langfuse itself makes of copied counts, whatever they include
    copied = any(name.startswith("prompt_details.") for name in named)
    convention = Convention.INCLUSIVE if copied else tracing.convention(vendor, model)
    return read_tokens(named, convention=convention, wrapper_total=True)


def _prompt(request: Request, given: object, settings: Json) -> None:
    body = mapping(given)
    config = mapping(body.get("config"))
    prompt = first(body, "messages", "contents", "input", "prompt", "args") if body else given
    system = first(body, "system", "instructions") or first(config, "system_instruction", "systemInstruction")
    request.messages = read_messages(prompt, system or settings.get("instructions"))
    request.redacted = is_redacted(request.messages)
    read_parameters(request, {**settings, **body})
    if not request.tools and config:
        offer_tools(request, listing(config.get("tools")))


def _reply(request: Request, output: object) -> None:
    body = mapping(output)
    if body.keys() & {"choices", "output", "candidates"}:
        read_response_body(request, body)
        return
    extra = mapping(body.get("additional_kwargs"))  # LangChain puts the tool calls of a reply there
    found = {**body, **extra} if extra else output
    set_reply(request, found)


def _stated_cost(row: Json) -> object:
    details = mapping(first(row, "costDetails", "cost_details"))
    return first(row, "totalCost", "total_cost", "calculatedTotalCost") or details.get("total")


def _provider(metadata: Json) -> str | None:
    attributes = mapping(metadata.get("attributes"))
    named = first(attributes, "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
    return provider(named or metadata.get("ls_provider"))


def _attribution(row: Json, trace: Json, metadata: Json) -> Attribution:
    given = attribution_of({**mapping(trace.get("metadata")), **metadata})  # its tags would be what a tracer notes
    return Attribution(
        given.team,
        given.app or text(first(row, "trace_name", "traceName") or trace.get("name")),
        text(first(row, "userId", "user_id") or first(trace, "userId", "user_id")) or given.user,
        text(row.get("environment") or trace.get("environment")),
        tuple(sorted(set(labels(first(row, "tags") or trace.get("tags") or [])))),
    )


def _matches(record: Record, _context: Context) -> bool:
    if "observations" in record:
        return "model" not in record and ("trace" in record or "projectId" in record or "sessionId" in record)
    row = record.keys() >= _SHEET
    ui = "traceId" in record and ("usageDetails" in record or "parentObservationId" in record or row)
    return ui or ("usage_details" in record and ("provided_model_name" in record or "trace_id" in record))


FORMAT = Format(
    info=FormatInfo(
        name="langfuse",
        title="Langfuse: UI download or blob export",
        evidence=Evidence.REAL,
        input_counts="exclusive; inclusive where copied",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "service_tier"),
        notes="UI downloads were checked on real records, blob exports on documentation only. Spans, agents and other "
        "observations are not provider calls.",
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"observations", "usageDetails", "usage_details", "parentObservationId", "projectId"}),
    keys_decide=True,
)
