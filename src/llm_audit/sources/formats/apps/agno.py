"""Agno's run outputs: an object a run, whose ``metrics`` sum up the calls of each model that took part.

Counts are the provider's own beside a sum that the library makes, so that the total proves nothing of cached tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records import tracing
from llm_audit.sources.records.billing.aggregates import AGGREGATED
from llm_audit.sources.records.billing.costs import cost_of_usage
from llm_audit.sources.records.bodies import place_of, tier_of
from llm_audit.sources.records.calls import merge_key, provider
from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.fields import Json, first, mapping, number, objects, text
from llm_audit.sources.records.messages import read_messages
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tokens import read_tokens
from llm_audit.vocabulary import Status

_COUNTS = frozenset({"input_tokens", "output_tokens", "total_tokens", "prompt_tokens", "completion_tokens"})
_COUNTED = _COUNTS | {"details"}
_OTHERS = frozenset({"request", "response", "usage", *_COUNTS})
_OWNERS = ("agent_id", "team_id", "workflow_id", "agent_name", "team_name")
_STATUSES = {"error": Status.ERROR, "cancelled": Status.CANCELLED}


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    metrics = mapping(record.get("metrics"))
    models = [(kind, one) for kind, found in mapping(metrics.get("details")).items() for one in objects(found)]
    calls = [*_calls(metrics)]
    if not models:
        models = [
            ("model", {**call, "id": record.get("model"), "provider": record.get("model_provider")}) for call in calls
        ]
    if not models:  # lists of no calls
        yield NotACall(NotCallReason.METADATA)
    for place, (kind, one) in enumerate(models):
        yield _request(record, kind, one, place, alone=len(models) == 1)


def _calls(metrics: Json) -> Iterator[Json]:
    """Yield the metrics of each call, which versions before 2 list by name: ``{"input_tokens": [100, 50], …}``."""
    lists = {name: found for name, found in metrics.items() if isinstance(found, list)}
    if _COUNTS.isdisjoint(lists):
        yield metrics
        return
    for values in zip_longest(*lists.values()):
        yield dict(zip(lists, values, strict=True))


def _request(record: Record, kind: str, one: Json, place: int, *, alone: bool) -> Request:
    model = text(one.get("id"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    run, vendor = text(record.get("run_id")), provider(one.get("provider"))
    status = _STATUSES.get((text(record.get("status")) or "").lower(), Status.OK)
    seconds = number(_of_run(record).get("duration"))
    messages = [message for message in objects(record.get("messages")) if message.get("role") != "assistant"]
    steps = sum(message.get("role") == "assistant" for message in objects(record.get("messages")))
    of_run = _of_run(record) if alone else {}  # which is that of one of several models
    billed = {"usage": mapping(one.get("provider_metrics")) or mapping(of_run.get("provider_metrics"))}
    return Request(
        model=model,
        provider=vendor,
        time_us=micros(record.get("created_at"), "created_at"),
        service_tier=tier_of(billed),
        region=place_of(billed),
        request_id=run,
        merge_key=merge_key(run and f"agno:{run}#{place}", model=model, status=status),
        conversation=text(record.get("session_id")),
        trace=run,
        app=text(first(record, "agent_name", "team_name", *_OWNERS)),
        user=text(record.get("user_id")),
        tags=(AGGREGATED,) if steps > 1 else (f"purpose={kind}",) if kind != "model" else (),
        status=status,
        latency_ms=seconds * 1000 if alone and seconds is not None else None,
        stated_cost_pico=cost_of_usage(one),
        messages=read_messages(messages) if alone and steps == 1 else None,
        completion=text(record.get("content")) if alone and steps == 1 else None,
        usage=_usage(one, vendor, model),
    )


def _of_run(record: Record) -> Json:
    return mapping(record.get("metrics"))


def _usage(counts: Json, vendor: str | None, model: str) -> Usage:
    claude = vendor == "anthropic" or "claude" in model.lower()
    convention = Convention.EXCLUSIVE if claude else tracing.convention(vendor, model)
    return read_tokens(counts, convention=convention, wrapper_total=True, model=model)


FORMAT = Format(
    info=FormatInfo(
        name="agno",
        title="Agno run outputs",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="as the provider's",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "service_tier"),
        notes="Fields as in Agno's source (RunMetrics, ModelMetrics; versions 1 and 2). A run is a request for each of "
        "its models, with the sum of that model's calls; where it took several steps, it is not judged. The sums of a "
        "session are not read beside its runs.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: (
        {"metrics", "run_id"} <= record.keys()
        and any(name in record for name in _OWNERS)
        and not _COUNTED.isdisjoint(mapping(record["metrics"]))
        and _OTHERS.isdisjoint(record)
    ),
    entries=_entries,
    keys=frozenset({"metrics"}),
)
