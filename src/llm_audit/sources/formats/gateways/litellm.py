"""LiteLLM's StandardLoggingPayload: one JSON object for each call, from its callbacks to S3, GCS, Pub/Sub or a file.

``response.usage`` is preferred to the payload's own counters, which hold no cached tokens. Both are inclusive in
current versions; where older ones were not, cached tokens exceed the prompt and arithmetic settles it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

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
from llm_audit.sources.records.billing.aggregates import UNCOUNTED, shared_out
from llm_audit.sources.records.bodies import place_of, read_request_body, read_response_body, tier_of, usage_of
from llm_audit.sources.records.calls import cost_pico, merge_key, operation
from llm_audit.sources.records.fields import (
    Attribution,
    Json,
    as_int,
    at,
    attribution_of,
    first,
    flag,
    labels,
    listing,
    mapping,
    number,
    text,
)
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.usage import of_any, of_openai
from llm_audit.vocabulary import ServiceTier, Status, UsageSource

_NO_MODEL_CALLS = ("file", "batch", "assistant", "thread", "vector_store", "fine_tun", "list_", "retrieve", "mcp_tool")


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    reason = not_a_call_reason(record)
    if reason is not None:
        yield NotACall(reason)
        return
    response, hidden = mapping(record.get("response")), mapping(record.get("hidden_params"))
    metadata = mapping(record.get("metadata"))
    model = text(response.get("model")) or text(record.get("model")) or text(hidden.get("litellm_model_name"))
    model = model or batched_model(hidden)
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    status = Status.ERROR if record.get("status") == "failure" else Status.OK
    started, ended = micros(record.get("startTime"), "startTime"), micros(record.get("endTime"), "endTime")
    sent = mapping(record.get("model_parameters"))
    attribution = key_attribution(record, metadata)
    request = Request(
        model=model,
        model_requested=text(record.get("model_group")) or text(record.get("model")),
        provider=text(record.get("custom_llm_provider")),
        operation=operation(record.get("call_type")),
        time_us=started,
        service_tier=tier_of(response, sent),
        region=place_of(response),
        request_id=text(record.get("litellm_call_id")) or text(record.get("id")),
        merge_key=merge_key(response.get("id") or record.get("id"), model=model, status=status),
        conversation=text(record.get("session_id")),
        trace=text(record.get("trace_id")),
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        streamed=flag(record.get("stream")),
        status=status,
        status_code=as_int(at(record, "error_information", "error_code")),
        latency_ms=_latency_ms(record, started, ended),
        stated_cost_pico=cost_pico(record.get("response_cost")),
    )
    read_request_body(request, {**sent, "messages": record.get("messages")})
    read_response_body(request, response)
    request.usage = _usage(record, response, metadata)
    yield from as_batch(request) if is_finished_batch(record) else (request,)


def not_a_call_reason(record: Json) -> NotCallReason | None:
    """Return the reason why a payload or a spend row is not a call to a model; None where it is one."""
    if flag(record.get("cache_hit")):
        return NotCallReason.GATEWAY_CACHE_HIT
    call_type = (text(record.get("call_type")) or "").lower()
    if is_finished_batch(record):
        return None
    return NotCallReason.NOT_A_MODEL_CALL if any(word in call_type for word in _NO_MODEL_CALLS) else None


def is_finished_batch(record: Json) -> bool:
    """Return whether a payload or a spend row is the sum of a batch that is done, as LiteLLM logs what it cost."""
    call_type = text(record.get("call_type")) or ""
    return call_type.endswith("retrieve_batch") and bool(number(record.get("total_tokens")))


def batched_model(about: Json) -> str | None:
    """Return the model of a batch where one is named, alone."""
    named = listing(about.get("batch_models"))
    return text(named[0]) if len(named) == 1 else None


def as_batch(request: Request) -> Iterator[Entry]:
    """Yield the sum of a batch as a request. It is not said how many it stands for."""
    request.service_tier = ServiceTier.BATCH
    request.tags = (*request.tags, UNCOUNTED)
    yield from shared_out(request, 1)


def key_attribution(record: Json, metadata: Json) -> Attribution:
    """Read whom a call is charged to: the key's team and user first, then what the caller's own metadata says."""
    given = attribution_of(
        {**mapping(metadata.get("spend_logs_metadata")), **mapping(metadata.get("requester_metadata"))}
    )
    tags = {*given.tags, *labels(record.get("request_tags"))}
    if alias := text(metadata.get("user_api_key_alias")):
        tags.add(f"key={alias}")
    team = first(metadata, "user_api_key_team_alias", "user_api_key_team_id") or record.get("team_id")
    user = record.get("end_user") or metadata.get("user_api_key_user_id") or record.get("user")
    return Attribution(
        text(team) or given.team, given.app, text(user) or given.user, given.environment, tuple(sorted(tags))
    )


def usage_within(response: Json, metadata: Json) -> Usage:
    """Read the usage of the response, else the copy in the metadata; LiteLLM nests the lifetimes of cache writes."""
    usage = mapping(response.get("usage")) or mapping(metadata.get("usage_object"))
    lifetimes = mapping(at(usage, "prompt_tokens_details", "cache_creation_token_details"))
    if not usage:
        return usage_of(response)
    found = of_any({**usage, "cache_creation": lifetimes} if lifetimes else usage)
    read, prompt = found.cache_read_tokens or 0, found.input_tokens or 0
    written = (found.cache_write_5m_tokens or 0) + (found.cache_write_1h_tokens or 0)
    if "prompt_tokens" in usage and 0 < read <= prompt < read + written and usage.get("prompt_tokens") == prompt:
        # Versions of 2025 added reads to the prompt, but not writes.
        return replace(found, usage_source=UsageSource.AMBIGUOUS, ambiguous_tokens=read)
    return found


def _latency_ms(record: Json, started: int | None, ended: int | None) -> float | None:
    seconds = number(record.get("response_time"))
    return between_ms(started, ended) if seconds is None else seconds * 1000


def _usage(record: Json, response: Json, metadata: Json) -> Usage:
    usage = usage_within(response, metadata)
    return of_openai(record) if usage is NO_USAGE else usage


FORMAT = Format(
    info=FormatInfo(
        name="litellm",
        title="LiteLLM StandardLoggingPayload",
        evidence=Evidence.REAL,
        input_counts="inclusive; exclusive in older versions, settled by arithmetic",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "team", "service_tier"),
        notes="Gateway cache hits are not provider calls. Prompts that LiteLLM redacted or cut are not judged. "
        "What a finished batch took is one request, tagged request-count-unknown.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "call_type" in record and "startTime" in record and "response_cost" in record,
    entries=_entries,
    keys=frozenset({"call_type"}),
    keys_decide=True,
)
