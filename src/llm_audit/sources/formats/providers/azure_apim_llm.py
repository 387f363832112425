"""The LLM log of Azure API Management: counts without cached tokens, and a long prompt split over several rows.

The rows of one call share a correlation id.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import read_response_body
from llm_audit.sources.records.calls import merge_key, operation
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, first, flag, text
from llm_audit.sources.records.messages import read_messages
from llm_audit.sources.records.times import micros


def llm_entries(record: Record, _context: Context) -> Iterator[Entry]:
    """Yield the call that a row of the log states."""
    deployment = text(record.get("DeploymentName"))
    model = text(record.get("ModelName")) or deployment
    input_tokens, output_tokens = read_count(record, "PromptTokens"), read_count(record, "CompletionTokens")
    if model is None and not input_tokens and not output_tokens:
        yield NotACall(NotCallReason.METADATA)  # another part of a long prompt or reply
        return
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "ModelName")
    correlation = text(record.get("CorrelationId"))
    request = Request(
        model=model,
        model_requested=deployment,
        provider="azure",
        operation=str(operation(record.get("OperationName"))),
        time_us=micros(first(record, "TimeGenerated", "timestamp"), "TimeGenerated"),
        region=text(record.get("Region")),
        request_id=correlation,
        merge_key=merge_key(correlation and f"azure:{correlation}", model=model),
        streamed=flag(record.get("IsStreamCompletion")),
        messages=read_messages(record.get("RequestMessages")),
    )
    read_response_body(request, _response_body(record))
    request.usage = disjoint_usage(
        input_tokens, output_tokens, total=read_count(record, "TotalTokens"), convention=Convention.INCLUSIVE
    )
    yield request


def _response_body(record: Json) -> Json:
    messages = read_messages(record.get("ResponseMessages")) or []
    return {"content": "\n".join(message.text for message in messages)} if messages else {}


FORMAT = Format(
    info=FormatInfo(
        name="azure-apim-llm",
        title="Azure API Management LLM log",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="not split",
        tells=("time", "id", "prompts"),
        notes="Cached tokens are not logged, so they are priced as fresh. Of a call in several rows the one with the "
        "most output tokens counts.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "CorrelationId" in record and "PromptTokens" in record,
    entries=llm_entries,
    keys=frozenset({"CorrelationId"}),
    keys_decide=True,
)
