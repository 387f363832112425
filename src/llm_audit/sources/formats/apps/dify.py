"""Dify's ``messages`` table: a row a question and its answer, with the counts of the model's call."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico, merge_key
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import first, listing, number, text
from llm_audit.sources.records.messages import read_messages
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    model = text(record.get("model_id"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model_id")
    row_id = text(record.get("id"))
    seconds = number(record.get("provider_response_latency"))
    failed = record.get("status") == "error" or text(record.get("error")) is not None
    status = Status.ERROR if failed else Status.OK
    dollars = text(record.get("currency")) in {None, "USD"}
    prompt = listing(record.get("message")) or record.get("query")
    yield Request(
        model=model,
        provider=(text(record.get("model_provider")) or "").rpartition("/")[2] or None,
        time_us=micros(record.get("created_at"), "created_at"),
        request_id=row_id,
        merge_key=merge_key(row_id and f"dify:{row_id}", model=model, status=status),
        conversation=text(record.get("conversation_id")),
        app=text(first(record, "app_name", "app_id")),
        user=text(first(record, "from_end_user_id", "from_account_id")),
        status=status,
        latency_ms=None if seconds is None else seconds * 1000,
        stated_cost_pico=cost_pico(record.get("total_price")) if dollars else None,
        messages=read_messages(prompt),
        completion=text(record.get("answer")),
        usage=disjoint_usage(read_count(record, "message_tokens"), read_count(record, "answer_tokens")),
    )


FORMAT = Format(
    info=FormatInfo(
        name="dify",
        title="Dify messages",
        evidence=Evidence.FIXTURE,
        input_counts="not split",
        tells=("time", "id", "prompts", "cost", "latency"),
        notes="Columns as in Dify's source (class Message of api/models/model.py, 2025). Cached tokens are not "
        "logged, so cached input is priced as fresh. The answer of an agent or a chatflow may sum up several "
        "calls; a chatflow names no model, and its rows are rejected. The calls of a workflow's nodes are in "
        "other tables and are not read. A price in another currency is not read as a cost.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "message_tokens" in record and "answer_tokens" in record,
    entries=_entries,
    keys=frozenset({"message_tokens"}),
    keys_decide=True,
)
