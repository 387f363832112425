"""Cloudflare AI Gateway logs: one object for each request, without a breakdown of cached tokens."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico, merge_key, operation, outcome
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import as_int, attribution_of, flag, mapping, number, text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_SIGNATURE = frozenset({"tokens_in", "tokens_out", "cached", "success", "provider"})  # custom logs have some of these


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if flag(record.get("cached")):
        yield NotACall(NotCallReason.GATEWAY_CACHE_HIT)
        return
    model = text(record.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    code = as_int(record.get("status_code"))
    status = outcome(code)
    if flag(record.get("success")) is False:
        status = Status.ERROR
    attribution = attribution_of(mapping(record.get("metadata")))
    log_id = text(record.get("id"))
    request = Request(
        model=model,
        provider=text(record.get("provider")),
        operation=operation(record.get("path")),
        time_us=micros(record.get("created_at"), "created_at"),
        request_id=log_id,
        merge_key=merge_key(log_id and f"cloudflare:{log_id}", model=model, status=status),
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        status=status,
        status_code=code,
        latency_ms=number(record.get("duration")),
        stated_cost_pico=cost_pico(record.get("cost")),
    )
    request.usage = disjoint_usage(read_count(record, "tokens_in"), read_count(record, "tokens_out"))
    yield request


FORMAT = Format(
    info=FormatInfo(
        name="cloudflare",
        title="Cloudflare AI Gateway log",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="not split",
        tells=("time", "id", "cost", "latency"),
        notes="tokens_in is not split into fresh and cached tokens, so cached input is priced as fresh. Rows with "
        "cached = true are gateway hits, not provider calls. Bodies are in separate files and are not read.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: record.keys() >= _SIGNATURE,
    entries=_entries,
    keys=frozenset({"tokens_in"}),
    keys_decide=True,
)
