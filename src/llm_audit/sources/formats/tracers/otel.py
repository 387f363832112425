"""OpenTelemetry GenAI spans: flat ``gen_ai.…`` attributes, by current names and by older ones.

Prompts are in attributes (as JSON or numbered) or in events. A span may repeat the usage of a span inside it, and
exports mix spans of several instrumentations, so each is read by its own attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

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
from llm_audit.sources.formats.tracers import langfuse, mlflow, openinference, vercel_ai
from llm_audit.sources.formats.tracers._otel import genkit, texts
from llm_audit.sources.records import tracing
from llm_audit.sources.records.attributes import Names, names_of
from llm_audit.sources.records.billing.amounts import amount
from llm_audit.sources.records.calls import cost_pico, merge_key, operation, provider, set_usage, tier
from llm_audit.sources.records.column_names import columns_of
from llm_audit.sources.records.disjoint import read_count
from llm_audit.sources.records.fields import Json, as_int, at, first, firsts, flag, mapping, text
from llm_audit.sources.records.tokens import count_tokens, read_tokens, usage_of_counts
from llm_audit.sources.records.usage import of_any, of_gemini

_INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens")
_TIERS = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
)
_ADK, _ADK_RESPONSE = "gcp.vertex.agent", "gcp.vertex.agent.llm_response"  # Google's Agent Development Kit
_ADK_THOUGHTS = "experimental.reasoning_tokens"
_LOGFIRE = "response_data"
"""What the provider answered, with its usage: Logfire's own counts leave cached tokens out."""
_FEWEST_NANO_UNITS = 10_000  # fewer of them are no billionths
_NOT_MODEL_CALLS = ("execute_tool", "create_agent", "retrieval")
_WRAPPERS = ("invoke_agent", "invoke_workflow")
_FIELDS = (
    ("gen_ai.operation.name",),
    ("gen_ai.request.model", "llm.request.model"),
    ("gen_ai.response.model", "llm.response.model"),
    ("gen_ai.provider.name", "gen_ai.system", "llm.vendor"),
    ("llm.request.type",),
    ("gen_ai.response.id",),
    _TIERS,
)
_COSTS = (
    ("github.copilot.nano_aiu", "github.copilot.aiu"),
    ("gen_ai.usage.cost", "gen_ai.usage.total_cost", "operation.cost"),
)
_PARAMETERS = (
    ("gen_ai.request.max_tokens",),
    ("gen_ai.request.stream", "gen_ai.request.is_stream", "llm.is_streaming"),
    ("gen_ai.output.type",),
    ("gen_ai.request.reasoning_effort",),
)
_MAX_SHAPES = 4096  # sets of names remembered
_SIGNS = frozenset(
    f"gen_ai.{name}"
    for name in ("request.model", "response.model", "system", "provider.name", "operation.name", "usage.input_tokens")
)
_COLUMNS = frozenset(f"attributes.{sign}" for sign in _SIGNS)


def read(span: tracing.Span) -> Entry:
    """Read one span of whichever instrumentation."""
    attributes = span.attributes
    shape = tuple(attributes)
    plan = _plans.get(shape)
    if plan is None:
        if len(_plans) >= _MAX_SHAPES:
            _plans.clear()
        plan = _plans[shape] = _plan(attributes)
    names, other, has_cost, has_parameters, has_logfire = plan
    if other is not None:
        return other(span)
    given_step, given_request, given_response, given_vendor, given_kind, response_id, given_tier = firsts(
        attributes, _FIELDS
    )
    step, requested, vendor = text(given_step) or "", text(given_request), provider(given_vendor)
    model = text(given_response) or requested
    usage = _usage_in_logfire(attributes, model or "") if has_logfire else NO_USAGE
    if usage.input_tokens is None:
        usage = _usage(attributes, names, vendor, model)
    if step.startswith(_NOT_MODEL_CALLS) or not names.is_gen_ai:
        return NotACall(NotCallReason.NOT_A_MODEL_CALL) if names.is_gen_ai else _custom(span)
    around, used = step.startswith(_WRAPPERS), usage.input_tokens is not None
    if model is None and used and not around:
        raise BadRecordError(Reason.NO_MODEL, "gen_ai.request.model")
    if model is None or (around and not used):
        return NotACall(NotCallReason.PARENT_SPAN)
    kind = operation(text(given_kind) or step)
    request = tracing.request(span, model=model, requested=requested, vendor=vendor, operation=kind, names=names)
    request.request_id = request.request_id or text(response_id)
    request.merge_key = merge_key(response_id, model=model, status=request.status) or request.merge_key
    request.service_tier = tier(given_tier)
    if has_cost:
        request.stated_cost_pico = _stated_cost(attributes)
    if has_parameters:
        _parameters(request, attributes)
    texts.set_texts(request, span, names)
    set_usage(request, usage)
    return request


class _Plan(NamedTuple):
    """What the names of a span's attributes tell of how it is read, whatever their values."""

    names: Names
    other: Callable[[tracing.Span], Entry] | None  # which reads spans of another convention
    has_cost: bool
    has_parameters: bool
    has_logfire: bool  # of which Logfire keeps the response


def _plan(attributes: Json) -> _Plan:
    has_cost, has_parameters = (
        any(name in attributes for group in groups for name in group) for groups in (_COSTS, _PARAMETERS)
    )
    has_logfire = any(name.partition(".")[0] == _LOGFIRE for name in attributes)
    return _Plan(names_of(attributes), _other_reader(attributes), has_cost, has_parameters, has_logfire)


def _other_reader(attributes: Json) -> Callable[[tracing.Span], Entry] | None:
    if vercel_ai.is_span(attributes):
        return vercel_ai.read
    if any(name in attributes for name in _INPUT):
        return None
    if openinference.is_span(attributes):
        return openinference.read
    if mlflow.is_span(attributes):
        return _mlflow
    if genkit.is_span(attributes):
        return genkit.read
    return langfuse.read_span if langfuse.is_span(attributes) else None


def _mlflow(span: tracing.Span) -> Entry:
    return mlflow.read(span, span.attributes)


def _stated_cost(attributes: Json) -> int | None:
    """Return the cost that a span states; GitHub Copilot's counts premium requests, its charge in AI units does not."""
    given_units, cost = firsts(attributes, _COSTS)
    units = as_int(given_units)
    if units is not None and units >= _FEWEST_NANO_UNITS:
        return amount(units, "nano_aiu").pico
    return cost_pico(cost)


def _custom(span: tracing.Span) -> Entry:
    """Read a span of one's own making, which is a call where it names a model and counts input, as custom logs do."""
    attributes = span.attributes
    columns = columns_of(attributes)
    model, counts = text(attributes.get(columns.model)), count_tokens(attributes, nested=False)
    if model is None or counts.get("input") is None:
        return NotACall(NotCallReason.NOT_A_MODEL_CALL)
    vendor = provider(attributes.get(columns.provider))
    request = tracing.request(span, model=model, requested=None, vendor=vendor, operation=operation(span.name))
    convention = tracing.convention(vendor, model)
    set_usage(request, usage_of_counts(counts, wrapper_total=True, convention=convention, model=model))
    return request


def _parameters(request: Request, attributes: Json) -> None:
    given_limit, streamed, output_type, effort = firsts(attributes, _PARAMETERS)
    limit = as_int(given_limit)
    request.max_output_tokens = limit if limit is not None and limit > 0 else None
    request.streamed = flag(streamed)
    request.needs_json_schema = output_type == "json"
    request.needs_reasoning = text(effort) not in {None, "none", "minimal"}


def _usage(attributes: Json, names: Names, vendor: str | None, model: str | None) -> Usage:
    if attributes.get("gen_ai.system") == _ADK and (own := mapping(at(attributes, _ADK_RESPONSE, "usage_metadata"))):
        return of_gemini(own)
    counts = {key: attributes[name] for name, key in names.usage}
    if _ADK_THOUGHTS in counts and (thoughts := read_count(counts, _ADK_THOUGHTS)) and "output_tokens" in counts:
        # of Gemini, on top of the output
        counts["output_tokens"] = thoughts + (read_count(counts, "output_tokens") or 0)
    convention = tracing.convention(vendor, model or "")
    return read_tokens(counts, wrapper_total=True, convention=convention, model=model or "")


def _usage_in_logfire(attributes: Json, model: str) -> Usage:
    """Return the usage of the response that Logfire keeps; a span's own counts stand where it cannot be read."""
    try:
        return of_any(_in_logfire(attributes), model=model)
    except BadRecordError:
        return NO_USAGE


def _in_logfire(attributes: Json) -> Json:
    """Return the provider's usage in a span of Logfire's, where exports keep its JSON as a text or nested."""
    if _LOGFIRE in attributes:
        return mapping(at(attributes, _LOGFIRE, "usage"))
    start = f"{_LOGFIRE}.usage."
    return {name.removeprefix(start): count for name, count in attributes.items() if name.startswith(start)}


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    yield read(tracing.from_record(record))


def _matches(record: Record, _context: Context) -> bool:
    attributes = mapping(record.get("attributes"))
    if attributes:
        identified = first(record, "spanContext", "context", "span_id", "spanId", "trace_id", "traceId") is not None
        named = "name" in record and "model" not in record  # a custom log may have attributes and trace ids too
        return (identified and named) or names_of(attributes).is_gen_ai or isinstance(attributes.get("gen_ai"), Mapping)
    return not (_SIGNS.isdisjoint(record) and _COLUMNS.isdisjoint(record))


_plans: dict[tuple[str, ...], _Plan] = {}
FORMAT = Format(
    info=FormatInfo(
        name="otel",
        title="OpenTelemetry GenAI spans (attributes)",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive by convention, violated in practice",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "service_tier"),
        notes="Checked on fixtures after the semantic conventions. Whether input tokens include cached ones differs by "
        "instrumentation: where neither arithmetic nor the provider tells, both bounds are kept.",
    ),
    specificity=Specificity.SPAN,
    matches=_matches,
    entries=_entries,
    keys=_SIGNS | _COLUMNS | {"attributes"},
)
