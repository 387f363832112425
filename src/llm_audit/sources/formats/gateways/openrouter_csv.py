"""OpenRouter's activity: a row for each generation, or for each day, model and endpoint; no prompts.

Whether ``tokens_prompt`` includes ``tokens_cached`` is not documented, so a row with cached tokens is ambiguous. With
the user's own provider key ``cost_total`` is OpenRouter's fee only and ``byok_usage_inference`` what the provider took.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.billing.aggregates import count_of, shared_out
from llm_audit.sources.records.calls import cost_pico, merge_key
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import first, flag, number, text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if "generation_id" not in record:
        yield from _day(record)
        return
    model = text(record.get("model_permaslug"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model_permaslug")
    status = _status(record)
    request = Request(
        model=model,
        provider="openrouter",
        time_us=micros(record.get("created_at"), "created_at"),
        request_id=text(record.get("generation_id")),
        merge_key=merge_key(record.get("generation_id"), model=model, status=status),
        app=text(record.get("app_name")),
        user=text(record.get("user")),
        tags=_tags(record),
        streamed=flag(record.get("streamed")),
        status=status,
        latency_ms=number(record.get("generation_time_ms")),
        stated_cost_pico=_stated_cost_pico(record),
    )
    request.usage = disjoint_usage(
        read_count(record, "tokens_prompt"),
        read_count(record, "tokens_completion"),
        cache_read=read_count(record, "tokens_cached"),
        reasoning=read_count(record, "tokens_reasoning"),
    )
    yield request


def _day(record: Record) -> Iterator[Entry]:
    """Yield the requests of a day, whose reasoning is a part of the completion; cached tokens are not told apart."""
    model = text(record.get("model_permaslug"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model_permaslug")
    charged, upstream = cost_pico(record.get("usage")), cost_pico(record.get("byok_usage_inference"))
    request = Request(
        model=model,
        provider="openrouter",
        time_us=micros(record.get("date"), "date"),
        merge_key=",".join(f"{name}={value}" for name, value in sorted(record.items())),
        tags=_tags(record),
        stated_cost_pico=None if charged is None and upstream is None else (charged or 0) + (upstream or 0),
        usage=disjoint_usage(
            read_count(record, "prompt_tokens"),
            read_count(record, "completion_tokens"),
            reasoning=read_count(record, "reasoning_tokens"),
        ),
    )
    count = count_of(record.get("requests"), "requests")
    yield from shared_out(request, 1 if count is None else count)


def _status(record: Record) -> str:
    if flag(record.get("cancelled")):
        return Status.CANCELLED
    return Status.ERROR if first(record, "finish_reason_normalized", "finish_reason_raw") == "error" else Status.OK


def _stated_cost_pico(record: Record) -> int | None:
    charged = cost_pico(record.get("cost_total"))
    upstream = cost_pico(record.get("byok_usage_inference"))
    return None if charged is None and upstream is None else (charged or 0) + (upstream or 0)


def _tags(record: Record) -> tuple[str, ...]:
    named = (("api_key_name", "key"), ("provider_name", "upstream"), ("variant", "variant"))
    return tuple(f"{name}={value}" for column, name in named if (value := text(record.get(column))))


FORMAT = Format(
    info=FormatInfo(
        name="openrouter-csv",
        title="OpenRouter activity export (CSV), and activity by day",
        evidence=Evidence.FIXTURE,
        input_counts="unverified: both bounds",
        tells=("time", "id", "cache", "cost", "latency"),
        notes="Column names are documented, no real export was seen. Whether tokens_prompt includes tokens_cached is "
        "unverified: rows with cached tokens carry both bounds. Rows of a day are read as so many requests; "
        "cached tokens are not told apart in them and are priced as fresh.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: (
        "model_permaslug" in record and ("generation_id" in record or {"date", "requests"} <= record.keys())
    ),
    entries=_entries,
    keys=frozenset({"model_permaslug"}),
    keys_decide=True,
)
