"""Kong AI Gateway logs: ``ai.proxy`` in current versions, ``ai.<plugin>`` with singular token names up to 3.9.

Each plugin that called a model is an entry of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import place_of, read_request_body, read_response_body, tier_of, usage_of
from llm_audit.sources.records.calls import cost_pico, merge_key, operation, outcome, reject_on_error
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, as_int, at, first, mapping, number, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tokens.contradictions import named_as_unread
from llm_audit.sources.records.usage import of_openai
from llm_audit.vocabulary import Status

_COUNTS = ("prompt_tokens", "prompt_token", "completion_tokens", "completion_token", "total_tokens", "total_token")


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    plugins = mapping(record.get("ai"))
    called = [name for name, plugin in plugins.items() if _calls(plugin)]
    for name in called:
        yield reject_on_error(partial(_entry, record, plugins), name)
    if not called:
        yield NotACall(NotCallReason.METADATA)


def _calls(plugin: object) -> bool:
    found = mapping(plugin)
    return "usage" in found and "meta" in found


def _entry(record: Record, plugins: Json, name: str) -> Entry:
    plugin, payload = mapping(plugins.get(name)), mapping(plugins.get("payload"))
    if (text(at(plugin, "cache", "cache_status")) or "").lower() == "hit":
        return NotACall(NotCallReason.GATEWAY_CACHE_HIT)
    meta, usage = mapping(plugin.get("meta")), mapping(plugin.get("usage"))
    requested = text(meta.get("request_model"))
    model = text(meta.get("response_model")) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "response_model")
    code = as_int(at(record, "response", "status"))
    status = Status.OK if code is None else outcome(code)
    request_id = text(at(record, "request", "id"))
    own = mapping(plugin.get("payload"))
    sent = mapping(own.get("request")) or mapping(payload.get("request"))
    received = mapping(own.get("response")) or mapping(payload.get("response"))
    request = Request(
        model=model,
        model_requested=requested,
        provider=text(meta.get("provider_name")),
        operation=operation(at(record, "request", "uri")),
        time_us=micros(record.get("started_at"), "started_at"),
        service_tier=tier_of(received, sent),
        region=place_of(received),
        request_id=request_id,
        merge_key=merge_key(request_id and f"kong:{name}:{request_id}", model=model, status=status),
        app=text(at(record, "service", "name")),
        user=text(at(record, "consumer", "username")) or text(at(record, "consumer", "id")),
        status=status,
        status_code=code,
        latency_ms=number(meta.get("llm_latency")),
        stated_cost_pico=cost_pico(usage.get("cost")) or None,  # 0 where no price was configured
    )
    read_request_body(request, sent)
    read_response_body(request, received)
    found = usage_of(received)  # zeros of a body that was cut short say less than the gateway's counts
    is_counted = found.input_tokens or found.cache_read_tokens or found.output_tokens
    request.usage = found if is_counted else _usage(usage)
    return request


def _usage(usage: Json) -> Usage:
    """Read the gateway's counts; one that is no number is unknown, and named as not used."""
    odd = [name for name in _COUNTS if usage.get(name) not in (None, "") and number(usage[name]) is None]
    if odd:
        return named_as_unread(_usage({name: count for name, count in usage.items() if name not in odd}), odd)
    if first(usage, "prompt_tokens", "completion_tokens") is not None:
        return of_openai(usage)
    return disjoint_usage(
        read_count(usage, "prompt_token"),
        read_count(usage, "completion_token"),
        total=read_count(usage, "total_tokens", "total_token"),
    )


FORMAT = Format(
    info=FormatInfo(
        name="kong",
        title="Kong AI Gateway log",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="as the provider counts",
        tells=("time", "prompts", "cache", "cost", "latency", "service_tier"),
        notes="Checked against the documentation's example. A hit of the semantic cache is no provider call; a cost of "
        "0 means that the gateway has no price and is read as unknown.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "ai" in record and any(_calls(plugin) for plugin in mapping(record.get("ai")).values()),
    entries=_entries,
    keys=frozenset({"ai"}),
)
