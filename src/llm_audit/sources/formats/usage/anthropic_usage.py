"""Anthropic's usage and cost reports, and its console's CSV: rows that sum up requests by bucket of time. Exclusive.

Rows do not say how many requests they sum up. They are read as the fewest that their context window allows, since the
price depends on it and on nothing else of a request's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from llm_audit.sources.entry import Entry, Reason, Record, Rejected, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.usage._sums import (
    BY_MODEL,
    COSTS_ONLY,
    fewest_requests,
    read_rows,
    spread,
    start_us,
    sum_of,
)
from llm_audit.sources.records.billing.aggregates import UNCOUNTED
from llm_audit.sources.records.bodies import region_of_usage
from llm_audit.sources.records.calls import tier
from llm_audit.sources.records.disjoint import Convention, disjoint_usage
from llm_audit.sources.records.fields import Json, mapping, objects, text

_CONSOLE_INPUT, _CONSOLE_WRITES = "usage_input_tokens_no_cache", "usage_input_tokens_cache_write"
_OF_CALLS = frozenset({"input_tokens", "prompt_tokens", "timestamp", "time", "ts", "created_at", "request_id"})
"""Columns of custom logs, which may count uncached tokens too."""
_WINDOW, _LONG_WINDOW = 200_000, 1_000_000


def _row(row: Json) -> Iterator[Entry]:
    if "uncached_input_tokens" not in row:
        yield Rejected(Reason.BAD_SHAPE, "uncached_input_tokens", note=COSTS_ONLY if "amount" in row else "")
        return
    model = text(row.get("model"))
    if model is None:
        yield Rejected(Reason.NO_MODEL, "model", note=BY_MODEL)
        return
    created = mapping(row.get("cache_creation"))
    fresh, read, output = (
        sum_of(row, name) for name in ("uncached_input_tokens", "cache_read_input_tokens", "output_tokens")
    )
    short, long = sum_of(created, "ephemeral_5m_input_tokens"), sum_of(created, "ephemeral_1h_input_tokens")
    searches = sum_of(mapping(row.get("server_tool_use")), "web_search_requests")
    sent = sum(count or 0 for count in (fresh, read, short, long))
    request = Request(
        model=model,
        provider="anthropic",
        time_us=start_us(row),
        service_tier=_tier(row),
        region=region_of_usage(row),
        team=text(row.get("workspace_id")),
        user=text(row.get("account_id")),
        tags=(UNCOUNTED,),
        usage=disjoint_usage(
            fresh,
            output,
            cache_read=read,
            cache_write=short,
            cache_write_1h=long,
            tool_calls=searches or None,
            convention=Convention.EXCLUSIVE,
        ),
    )
    window = _LONG_WINDOW if row.get("context_window") == "200k-1M" else _WINDOW
    used = bool(sent or output or searches)
    yield from spread(request, row, count=fewest_requests(sent, window=window) if used else 0)


def _of_console(row: Json) -> Json:
    """Return a row of the console's CSV as the API has it."""
    count = partial(sum_of, row)  # cells are texts, which would tell groups apart
    long = any(sign in (text(row.get("context_window")) or "") for sign in ("1M", ">"))
    short = "usage_input_tokens_cache_write_5m" if "usage_input_tokens_cache_write_5m" in row else _CONSOLE_WRITES
    return {
        "starting_at": row.get("usage_date_utc"),
        "model": row.get("model_version"),
        "api_key_id": row.get("api_key"),
        "workspace_id": row.get("workspace"),
        "service_tier": row.get("usage_type"),
        "context_window": "200k-1M" if long else "0-200k",
        "inference_geo": row.get("inference_geo"),
        "speed": row.get("speed"),
        "uncached_input_tokens": count(_CONSOLE_INPUT),
        "cache_read_input_tokens": count("usage_input_tokens_cache_read"),
        "cache_creation": {
            "ephemeral_5m_input_tokens": count(short),
            "ephemeral_1h_input_tokens": count("usage_input_tokens_cache_write_1h"),
        },
        "output_tokens": count("usage_output_tokens"),
        "server_tool_use": {"web_search_requests": count("web_search_count")},
    }


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    return read_rows(_of_console(record) if _CONSOLE_INPUT in record else record, _row)


def _tier(row: Json) -> str:
    if row.get("speed") == "fast":
        return tier("fast")
    return tier((text(row.get("service_tier")) or "").partition("_")[0])  # priority_on_demand, flex_discount


def _matches(record: Record, _context: Context) -> bool:
    if _CONSOLE_INPUT in record:
        return "model_version" in record
    if "uncached_input_tokens" in record:
        return "cache_read_input_tokens" in record and _OF_CALLS.isdisjoint(record)
    if "starting_at" in record:
        return "results" in record
    return "starting_at" in mapping(next(objects(record.get("data")), {}))


FORMAT = Format(
    info=FormatInfo(
        name="anthropic-usage",
        title="Anthropic usage and cost reports",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="exclusive",
        tells=("time", "cache", "team", "service_tier"),
        notes="Fields as in Anthropic's API reference (Messages Usage Report, 2026), columns of the console's CSV as "
        "in programs that read it. Reports do not count requests: a row is read as the fewest that its context window "
        "allows (200,000 tokens each unless it says 200k-1M), tagged request-count-unknown, priced at the start of "
        "its bucket and not judged. Rows without a model (group_by=model) and costs without tokens are rejected.",
    ),
    specificity=Specificity.ENVELOPE,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"uncached_input_tokens", "starting_at", "data", _CONSOLE_INPUT}),
)
