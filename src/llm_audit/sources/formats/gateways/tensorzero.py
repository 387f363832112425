"""TensorZero's ``ModelInference`` rows, from ClickHouse or PostgreSQL: a row a call to a provider. Inclusive.

``input_tokens`` holds cache reads and writes, whose columns are there since March 2026; the provider's own response,
which the row keeps, tells them in any version and is preferred.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from llm_audit.sources.entry import NO_USAGE, BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import model_of, place_of, read_parameters, read_response_body, tier_of, usage_of
from llm_audit.sources.records.calls import cost_pico, merge_key
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import first, flag, listing, mapping, number, text
from llm_audit.sources.records.messages import read_messages, set_reply
from llm_audit.sources.records.pair import read_body
from llm_audit.sources.records.times import micros

_SIGNATURE = frozenset({"model_name", "model_provider_name", "inference_id"})
_UUID_WITH_TIME = 7  # its version


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if flag(record.get("cached")):
        yield NotACall(NotCallReason.GATEWAY_CACHE_HIT)
        return
    sent, (received, streamed) = mapping(record.get("raw_request")), read_body(record.get("raw_response"))
    named = (text(record.get("model_name")) or "").rpartition("::")[2] or None
    model = model_of(received) or model_of(sent) or named
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model_name")
    row_id = text(record.get("id"))
    variant = text(record.get("variant_name"))
    request = Request(
        model=model,
        model_requested=named,
        provider=text(record.get("model_provider_name")),
        time_us=_time_us(record, row_id),
        service_tier=tier_of(received, sent),
        region=place_of(received),
        request_id=row_id,
        merge_key=merge_key(row_id and f"tensorzero:{row_id}", model=model),
        trace=text(record.get("inference_id")),
        app=text(record.get("function_name")),
        tags=(f"variant={variant}",) if variant is not None else (),
        streamed=streamed if received else None,
        latency_ms=number(record.get("response_time_ms")),
        stated_cost_pico=cost_pico(record.get("cost")),
        messages=read_messages(record.get("input_messages"), record.get("system")),
    )
    read_parameters(request, sent)
    read_response_body(request, received)
    if request.completion is None and not request.completion_calls:
        set_reply(request, {"role": "assistant", "content": listing(record.get("output"))})
    usage = usage_of(received)
    if usage is NO_USAGE:
        usage = disjoint_usage(
            read_count(record, "input_tokens"),
            read_count(record, "output_tokens"),
            cache_read=read_count(record, "provider_cache_read_input_tokens"),
            cache_write=read_count(record, "provider_cache_write_input_tokens"),
            convention=Convention.INCLUSIVE,
        )
    request.usage = usage
    yield request


def _time_us(record: Record, row_id: str | None) -> int | None:
    """Return the time of a row; a table's own column of it is left out by ``SELECT *``, but the id holds it."""
    stated = first(record, "timestamp", "created_at")
    if stated is not None or row_id is None:
        return micros(stated, "timestamp")
    try:
        found = UUID(row_id)
    except ValueError:
        return None
    return micros(found.int >> 80) if found.version == _UUID_WITH_TIME else None


FORMAT = Format(
    info=FormatInfo(
        name="tensorzero",
        title="TensorZero ModelInference rows",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "service_tier"),
        notes="Columns as in TensorZero's source (migrations and StoredModelInference, 2026). The response of the "
        "provider in a row is preferred to its counts. Rows with cached = true are hits of the gateway's cache, not "
        "provider calls.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: record.keys() >= _SIGNATURE,
    entries=_entries,
    keys=frozenset({"model_provider_name"}),
    keys_decide=True,
)
