"""Pairs of Amazon Bedrock's API: Converse, and InvokeModel in the model's own shape. The model is in the URL."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo
from llm_audit.sources.formats.providers.bedrock import model_of_arn, set_operation, usage_of_body
from llm_audit.sources.formats.providers.dialects import Dialect, speaks
from llm_audit.sources.formats.providers.pair import KEYS, pair_of, request_of
from llm_audit.sources.records.fields import at, text
from llm_audit.sources.records.hosts import region_of


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    pair = pair_of(record)
    if not pair.is_call:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    before, _, rest = pair.path.partition("/model/")
    named = rest.rpartition("/")[0] if before != pair.path else ""
    asked_for = named or text(pair.asked.get("modelId")) or text(record.get("modelId"))
    request = request_of(pair, provider="aws", model=asked_for and model_of_arn(asked_for))
    if asked_for:  # an answer in a model's own shape names it without the profile that decides the price
        routed = text(at(pair.answered, "trace", "promptRouter", "invokedModelId"))
        request.model = model_of_arn(routed or asked_for)
    request.region = region_of(pair.host)
    if request.streamed is None and pair.path:
        request.streamed = pair.path.endswith("-stream")
    set_operation(request)
    request.usage = usage_of_body(pair.answered)
    yield request


FORMAT = Format(
    info=FormatInfo(
        name="bedrock-converse",
        title="AWS Bedrock Converse and InvokeModel: request/response pairs",
        evidence=Evidence.REAL,
        tells=("prompts", "cache", "latency", "service_tier"),
        notes="Responses hold neither time nor id; both are taken from the record around them or its headers.",
    ),
    matches=lambda record: speaks(record, Dialect.BEDROCK),
    entries=_entries,
    keys=KEYS,
)
