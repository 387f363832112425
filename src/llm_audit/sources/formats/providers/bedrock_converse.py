"""Pairs of Amazon Bedrock's API: Converse, and InvokeModel in the model's own shape. The model is in the URL."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record
from llm_audit.sources.formats.dialects import Dialect, pair_of, speaks
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.pair_requests import request_of, set_counts
from llm_audit.sources.records.bedrock import model_of_arn, of_stream, set_operation, usage_of_body
from llm_audit.sources.records.fields import at, mapping, text
from llm_audit.sources.records.hosts import region_of
from llm_audit.sources.records.pair import KEYS


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    pair = pair_of(record, context)
    if not pair.is_call:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    before, _, rest = pair.path.partition("/model/")
    named = rest.rpartition("/")[0] if before != pair.path else ""
    requested = named or text(pair.request_body.get("modelId")) or text(record.get("modelId"))
    request = request_of(pair, provider="aws", model=requested and model_of_arn(requested))
    if requested:  # a response in a model's own shape names it without the profile that decides the price
        routed = text(at(pair.response_body, "trace", "promptRouter", "invokedModelId"))
        request.model = model_of_arn(routed or requested)
    request.region = region_of(pair.host)
    if request.streamed is None and pair.path:
        request.streamed = pair.path.endswith("-stream")
    set_operation(request)
    usage = usage_of_body(pair.response_body)
    converse = "inputTokens" in mapping(pair.response_body.get("usage"))
    set_counts(request, pair, of_stream(usage, request.model) if request.streamed and converse else usage)
    yield request


FORMAT = Format(
    info=FormatInfo(
        name="bedrock-converse",
        title="AWS Bedrock Converse and InvokeModel: request/response pairs",
        evidence=Evidence.REAL,
        input_counts="exclusive",
        tells=("prompts", "cache", "latency", "service_tier"),
        notes="Responses hold neither time nor id; both are taken from the record around them or its headers.",
    ),
    specificity=Specificity.PAIR,
    matches=speaks(Dialect.BEDROCK),
    entries=_entries,
    keys=KEYS,
)
