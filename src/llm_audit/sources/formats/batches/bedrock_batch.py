"""Output files of Amazon Bedrock's batch inference."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record
from llm_audit.sources.formats.batches._requests import NOT_SENT, batched
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.pair_requests import request_of, set_counts
from llm_audit.sources.records.bedrock import model_of_arn, set_operation, usage_of_body
from llm_audit.sources.records.fields import first, mapping, text
from llm_audit.sources.records.pair import Pair


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    response_body = mapping(record.get("modelOutput"))
    if not response_body:
        yield NOT_SENT if record.get("error") else NotACall(NotCallReason.METADATA)
        return
    model = text(first(record, "modelId", "model"))
    pair = Pair(mapping(record.get("modelInput")), response_body, record)
    request = request_of(pair, provider="aws", model=model and model_of_arn(model))
    set_operation(request)
    set_counts(request, pair, usage_of_body(response_body))
    yield batched(request)


FORMAT = Format(
    info=FormatInfo(
        name="bedrock-batch",
        title="AWS Bedrock batch inference output",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="as in the body",
        tells=("prompts", "cache", "service_tier"),
        notes="Records hold no time; a model that does not name itself in its answer is unknown.",
    ),
    specificity=Specificity.BATCH,
    matches=lambda record, _: "recordId" in record and ("modelOutput" in record or "modelInput" in record),
    entries=_entries,
    keys=frozenset({"recordId"}),
    keys_decide=True,
)
