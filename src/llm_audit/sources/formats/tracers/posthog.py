"""PostHog's AI events: exports of ``$ai_generation`` and ``$ai_embedding``, among events of any other kind.

Whether input counts include cached tokens is said by ``$ai_cache_reporting_exclusive``, else by the provider, as
PostHog's own costs take it. Gemini's reasoning comes on top of the output.
"""

from __future__ import annotations

from collections.abc import Iterator

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
from llm_audit.sources.records.bodies import place_of, read_parameters, tier_of
from llm_audit.sources.records.calls import cost_pico, merge_key, outcome, set_usage
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, as_int, attribution_of, first, flag, mapping, number, text
from llm_audit.sources.records.messages import is_redacted, offer_tools, read_messages, set_reply
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.usage import of_any
from llm_audit.vocabulary import Operation, Status

_CALLS = {"$ai_generation": Operation.CHAT, "$ai_embedding": Operation.EMBEDDING}
_EVENT = frozenset({"event", "properties", "distinct_id"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    kind = text(record.get("event")) or ""
    if kind not in _CALLS:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL if kind.startswith("$ai_") else NotCallReason.METADATA)
        return
    given = mapping(record.get("properties"))
    model = text(given.get("$ai_model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "$ai_model")
    code = as_int(given.get("$ai_http_status"))
    status = Status.ERROR if flag(given.get("$ai_is_error")) else outcome(code or None)
    event_id = text(record.get("uuid"))
    trace = text(given.get("$ai_trace_id"))
    user = text(record.get("distinct_id"))
    attribution = attribution_of({name: value for name, value in given.items() if not name.startswith("$")})
    latency_s = number(given.get("$ai_latency"))
    billed = {"usage": mapping(given.get("$ai_usage"))}
    request = Request(
        model=model,
        provider=text(given.get("$ai_provider")),
        operation=_CALLS[kind],
        service_tier=tier_of(billed, mapping(given.get("$ai_model_parameters"))),
        region=place_of(billed),
        time_us=micros(record.get("timestamp"), "timestamp"),
        request_id=event_id,
        merge_key=merge_key(event_id and f"posthog:{event_id}", model=model, status=status),
        conversation=text(given.get("$ai_session_id")),
        trace=trace,
        span=text(first(given, "$ai_span_id", "$ai_generation_id")),
        parent_span=text(given.get("$ai_parent_id")),
        team=attribution.team,
        app=attribution.app,
        user=attribution.user or (None if user == trace else user),
        environment=attribution.environment,
        tags=attribution.tags,
        streamed=flag(given.get("$ai_stream")),
        status=status,
        status_code=code or None,
        latency_ms=None if latency_s is None else latency_s * 1000,
        stated_cost_pico=cost_pico(given.get("$ai_total_cost_usd")),
        messages=read_messages(given.get("$ai_input")),
    )
    request.redacted = is_redacted(request.messages)
    set_reply(request, given.get("$ai_output_choices"))
    read_parameters(request, mapping(given.get("$ai_model_parameters")))
    offer_tools(request, given.get("$ai_tools"))
    set_usage(request, _usage(given, model))
    yield request


def _usage(given: Json, model: str) -> Usage:
    if (own := mapping(given.get("$ai_usage"))) and (found := of_any(own, model=model)) is not NO_USAGE:
        return found
    created = read_count(given, "$ai_cache_creation_input_tokens")
    long = read_count(given, "$ai_cache_creation_1h_input_tokens")
    found = disjoint_usage(
        read_count(given, "$ai_input_tokens"),
        read_count(given, "$ai_output_tokens"),
        cache_read=read_count(given, "$ai_cache_read_input_tokens"),
        cache_write=max(created - long, 0) if created is not None and long else created,
        cache_write_1h=long,
        reasoning=read_count(given, "$ai_reasoning_tokens"),
        reasoning_apart="gemini" in model.lower(),
        audio_input=read_count(given, "$ai_audio_input_tokens"),
        audio_output=read_count(given, "$ai_audio_output_tokens"),
        image_input=read_count(given, "$ai_image_input_tokens"),
        image_output=read_count(given, "$ai_image_output_tokens"),
        total=read_count(given, "$ai_total_tokens"),
        wrapper_total=True,
        convention=_convention(given, model.lower()),
        tool_calls=read_count(given, "$ai_web_search_count"),
    )
    counted = found.input_tokens or found.output_tokens or found.cache_read_tokens or found.cache_write_5m_tokens
    return found if counted else NO_USAGE  # the SDKs write 0 where the response had no usage


def _convention(given: Json, model: str) -> Convention | None:
    exclusive = flag(given.get("$ai_cache_reporting_exclusive"))
    if exclusive is not None:
        return Convention.EXCLUSIVE if exclusive else Convention.INCLUSIVE
    provider = (text(given.get("$ai_provider")) or "").lower()
    if provider == "gateway" and (text(given.get("$ai_framework")) or "").lower() == "vercel":
        return Convention.INCLUSIVE
    if provider == "anthropic" or "anthropic" in model:
        return Convention.EXCLUSIVE
    return None if "claude" in model else Convention.INCLUSIVE


FORMAT = Format(
    info=FormatInfo(
        name="posthog",
        title="PostHog AI events (batch export or API)",
        evidence=Evidence.FIXTURE,
        input_counts="as the event says; else by provider",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "service_tier"),
        notes="Properties as in PostHog's Python SDK and in its cost calculation (2026). A count of 0 for both sides "
        "means that the SDK saw no usage, and is estimated. Traces, spans and all other events are no calls.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: record.keys() >= _EVENT,
    entries=_entries,
    keys=frozenset({"distinct_id"}),
    keys_decide=True,
)
