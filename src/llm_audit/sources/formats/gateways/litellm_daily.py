"""LiteLLM's daily tables, such as ``LiteLLM_DailyUserSpend``: a row sums up a day's calls of a key to a model.

Inclusive, as LiteLLM's other counters. A call that failed is in the row without tokens.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Reason, Record, Rejected, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.billing.aggregates import count_of, shared_out
from llm_audit.sources.records.calls import cost_pico, merge_key, operation
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_COUNTS = ("api_requests", "successful_requests", "failed_requests")
_NO_TOKENS = disjoint_usage(0, 0)


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if text(record.get("mcp_namespaced_tool_name")) is not None:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    every, good, failed = (count_of(record.get(name), name) for name in _COUNTS)
    if good is None and every is not None:
        good = every - (failed or 0)
    if good is None or good < 0:
        yield Rejected(Reason.BAD_SHAPE, "api_requests", note="a daily row does not say how many requests it sums up")
        return
    model = text(record.get("model")) or text(record.get("model_group"))
    if model is None:
        yield Rejected(Reason.NO_MODEL, "model")
        return
    row_id = text(record.get("id"))
    request = Request(
        model=model,
        model_requested=text(record.get("model_group")) or model,
        provider=text(record.get("custom_llm_provider")),
        operation=operation(record.get("endpoint")),
        time_us=micros(record.get("date"), "date"),
        merge_key=merge_key(row_id and f"litellm-daily:{row_id}", model=model),
        team=text(record.get("team_id")),
        user=text(record.get("user_id")),
        stated_cost_pico=cost_pico(record.get("spend")),
        usage=disjoint_usage(
            read_count(record, "prompt_tokens"),
            read_count(record, "completion_tokens"),
            cache_read=read_count(record, "cache_read_input_tokens"),
            cache_write=read_count(record, "cache_creation_input_tokens"),
            convention=Convention.INCLUSIVE,
        ),
    )
    yield from shared_out(request, good)
    if failed:  # without tokens, unless no request succeeded
        key = merge_key(row_id and f"litellm-daily:{row_id}", model=model, status=Status.ERROR)
        bare = replace(request, merge_key=key, status=Status.ERROR)
        yield from shared_out(replace(bare, usage=_NO_TOKENS, stated_cost_pico=0) if good else bare, failed)
    if not good and not failed:
        yield NotACall(NotCallReason.METADATA)


FORMAT = Format(
    info=FormatInfo(
        name="litellm-daily",
        title="LiteLLM daily spend tables",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="inclusive",
        tells=("time", "cache", "cost", "team"),
        notes="Columns as in LiteLLM's schema (LiteLLM_DailyUserSpend and LiteLLM_DailyTeamSpend, 2026). A row is as "
        "many requests as it sums up, each with an equal share of its tokens and its spend, priced at its day and not "
        "judged.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "api_requests" in record and "date" in record and "spend" in record,
    entries=_entries,
    keys=frozenset({"api_requests"}),
    keys_decide=True,
)
