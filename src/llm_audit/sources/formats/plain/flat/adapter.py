"""Custom logs: one flat record for each call, under any of the usual column names.

This is the shape teams write themselves and the one read most, so its usual columns take a short way, and where one
line is like the next an even shorter one (``typed``).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from llm_audit.sources.entry import (
    BadRecordError,
    Entry,
    Message,
    NotACall,
    NotCallReason,
    Reason,
    Record,
    Request,
)
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.plain.flat.fields import new_request, outcome, set_attribution, set_completion
from llm_audit.sources.formats.plain.flat.marks import no_call
from llm_audit.sources.formats.plain.flat.parts import with_parts_beside
from llm_audit.sources.formats.plain.flat.typed import typed_reader
from llm_audit.sources.formats.plain.flat.usage import only_usage, read_usage, with_caches_beside
from llm_audit.sources.formats.plain.flat.whole_bodies import body_of, read_whole, set_tier
from llm_audit.sources.records.billing.aggregates import count_of, shared_out
from llm_audit.sources.records.billing.costs import cost_of_usage, set_stated
from llm_audit.sources.records.bodies import read_parameters, region_of_usage, tier_of
from llm_audit.sources.records.calls import is_batched, operation, tier
from llm_audit.sources.records.column_names import ABSENT, Columns, columns_of
from llm_audit.sources.records.fields import Json, as_int, labels, mapping, number, text
from llm_audit.sources.records.messages import read_messages
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.tokens import with_contradictions
from llm_audit.sources.records.usage import of_any
from llm_audit.vocabulary import ServiceTier

_USUAL_COUNTS = frozenset(
    {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"}
)
_SURELY_MS = 100  # calls take longer than 100 ms and less than 100 s, so a bare latency below is in seconds


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    columns = columns_of(record)
    get = record.get
    model = get(columns.model)
    if type(model) is not str or not model.strip():
        model = text(get(columns.served)) or text(get(columns.requested))
        if model is None:
            raise BadRecordError(Reason.NO_MODEL, "model")
    request = new_request(
        model,
        micros(get(columns.time), columns.time),
        _prompt(record, columns),
        request_id=get(columns.request_id),
        conversation=get(columns.conversation),
        trace=get(columns.trace),
        stream=get(columns.stream),
        latency_ms=get(columns.latency_ms),
        ended=outcome(get(columns.status), get(columns.error)),
    )
    attribution = (get(columns.team), get(columns.app), get(columns.user), get(columns.environment))
    set_attribution(request, get(columns.metadata), attribution if columns.attribution else None)
    usage = get(columns.usage)
    request.usage = (
        of_any(usage, model=model)
        if type(usage) is dict and "prompt_tokens" in usage
        else read_usage(record, columns, model)
    )
    if usage is not None and columns.counts_caches:
        request.usage = with_caches_beside(request.usage, record, columns, model)
    if usage is not None and not columns.only_usual and columns.counts_parts:
        request.usage = with_parts_beside(request.usage, mapping(only_usage(usage)), record, columns, model)
    if usage is not None and (columns.input is not ABSENT or columns.output is not ABSENT):
        request.usage = with_contradictions(request.usage, columns.whole_counts(record))
    completion = get(columns.completion)
    if completion is not None:
        set_completion(request, completion)
    _set_by_bodies(request, record, columns)
    if not columns.only_usual:
        if columns.marks and (reason := no_call(record, columns, request)):
            yield NotACall(reason)
            return
        count = count_of(get(columns.requests), columns.requests)
        if count is not None and count != 1:
            yield from shared_out(request, count) if count else (NotACall(NotCallReason.METADATA),)
            return
    yield request


def _set_by_bodies(request: Request, record: Json, columns: Columns) -> None:
    """Set what a usage says beside its counts, what few custom logs have, and what a whole response body says."""
    usage = record.get(columns.usage)
    if usage is not None and not (told := mapping(only_usage(usage))).keys() <= _USUAL_COUNTS:
        request.stated_cost_pico = cost_of_usage(told)
        request.service_tier, request.region = tier_of({"usage": told}), region_of_usage(told)
    body = body_of(record, columns, request.usage)
    if body:
        read_whole(request, body)
    if not columns.only_usual:
        _set_uncommon_fields(request, record, columns)
    if body:
        set_tier(request, body)


def _prompt(record: Json, columns: Columns) -> list[Message] | None:
    prompt = record.get(columns.messages)
    if prompt is None:
        prompt = record.get(columns.prompt)
    system = record.get(columns.system)
    return read_messages(prompt, system if isinstance(system, str | list) else None)


def _set_uncommon_fields(request: Request, record: Json, columns: Columns) -> None:
    """Set the fields that few custom logs have."""
    get = record.get
    requested = text(get(columns.requested)) or request.model_requested
    served = text(get(columns.served))
    if served is not None:
        request.model_requested, request.model = requested or request.model, served
    else:
        request.model_requested = requested
    request.provider = text(get(columns.provider))
    request.operation = operation(get(columns.operation))
    if is_batched(record, columns):
        request.service_tier = ServiceTier.BATCH
    elif (named := _named_tier(record, columns)) is not None:
        request.service_tier = tier(named)
    billed_region = region_of_usage({"inference_geo": get(columns.billed_region)})
    request.region = text(get(columns.region)) or billed_region or request.region
    searches = as_int(get(columns.searches))
    if searches is not None and searches >= 0 and request.usage.tool_calls_billed is None:
        request.usage = replace(request.usage, tool_calls_billed=searches)
    request.span = text(get(columns.span))
    request.parent_span = text(get(columns.parent_span))
    request.tags = tuple(sorted({*request.tags, *labels(get(columns.tags))}))
    set_stated(request, record, columns)
    read_parameters(
        request,
        {
            "tools": get(columns.tools),
            "max_tokens": get(columns.max_output),
            "response_format": get(columns.response_format),
            "reasoning_effort": get(columns.reasoning_effort),
        },
    )
    if request.latency_ms is None:
        request.latency_ms = _latency_ms(record, columns)
        if request.latency_ms is None:
            request.latency_ms = between_ms(request.time_us, micros(get(columns.end_time), columns.end_time))


def _named_tier(record: Json, columns: Columns) -> str | None:
    """Return the tier that a column names; None where it leaves the choice open, or is a speed that is no tier.

    What a response says comes first, but for one of a batch, which may say ``default``.
    """
    get = record.get
    asked = text(get(columns.service_tier))
    if tier(asked) == ServiceTier.BATCH:
        return asked
    if get(columns.billed_speed) == ServiceTier.FAST:
        return ServiceTier.FAST
    if columns.names("service_tier", "speed") and tier(asked) == ServiceTier.STANDARD:
        asked = None
    return next((named for named in (text(get(columns.billed_tier)), asked) if named not in (None, "auto")), None)


def _latency_ms(record: Json, columns: Columns) -> float | None:
    seconds = number(record.get(columns.latency_s))
    if seconds is not None:
        return seconds * 1000
    bare = number(record.get(columns.latency))
    return bare * 1000 if bare is not None and bare < _SURELY_MS else bare


def _matches(record: Record, _context: Context) -> bool:
    columns = columns_of(record)
    known = (columns.usage, columns.input, columns.output, columns.messages, columns.prompt, columns.time)
    if columns.model is ABSENT and columns.served is ABSENT:
        # A call whose model was not logged is still a call, to be rejected for that reason.
        has_counts = columns.usage is not ABSENT or (columns.input is not ABSENT and columns.output is not ABSENT)
        return has_counts and any(column is not ABSENT for column in known[3:])
    return any(column is not ABSENT for column in known)


FORMAT = Format(
    info=FormatInfo(
        name="flat",
        title="custom log: one flat record a call",
        evidence=Evidence.FIXTURE,
        input_counts="by the names of the columns",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "team", "service_tier"),
        notes="Columns are known by many names; see docs/formats.md. A logger's own id merges records only where "
        "model, status and time are equal too. A latency without unit is in seconds below 100, else in milliseconds.",
    ),
    specificity=Specificity.PLAIN,
    matches=_matches,
    entries=_entries,
    keys_decide=True,
    fast_path=typed_reader,
)
