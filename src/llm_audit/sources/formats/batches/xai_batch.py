"""Results of xAI's Batch API: pages, or a result a line, around the body that the plain API returns."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record
from llm_audit.sources.formats.batches._requests import NOT_SENT, batched
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.openai_chat import chat_request
from llm_audit.sources.formats.providers.openai_responses import responses_request
from llm_audit.sources.records.fields import mapping
from llm_audit.sources.records.pair import Pair

_LINE = frozenset({"batch_result", "batch_request", "error"})
_OF_CUSTOM_LOGS = frozenset({"model", "usage"})  # which may keep the id of a batch's request


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if "batch_request" in record:  # a line of the input file
        yield NotACall(NotCallReason.METADATA)
        return
    answers = mapping(mapping(record.get("batch_result")).get("response")).values()  # by the call's kind
    body = next((found for answer in answers if "model" in (found := mapping(answer))), None)
    if body is None:
        yield NOT_SENT
        return
    pair = Pair({}, body, {})
    read = responses_request if body.get("object") == "response" else chat_request
    yield batched(read(pair, provider="xai"))


FORMAT = Format(
    info=FormatInfo(
        name="xai-batch",
        title="xAI Batch results",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="inclusive",
        tells=("time", "id", "cache", "service_tier"),
        notes="Shapes as in programs that read them. Results hold no prompt, and are billed at the batch price.",
    ),
    specificity=Specificity.BATCH,
    matches=lambda record, _: (
        "batch_request_id" in record and not _LINE.isdisjoint(record) and _OF_CUSTOM_LOGS.isdisjoint(record)
    ),
    entries=_entries,
    keys=frozenset({"batch_request_id"}),
    keys_decide=True,
)
