"""Results of Anthropic's Message Batches."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Record
from llm_audit.sources.formats.batches._requests import NOT_SENT, batched
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.anthropic_messages import messages_requests
from llm_audit.sources.records.fields import mapping
from llm_audit.sources.records.pair import Pair


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    message = mapping(mapping(record.get("result")).get("message"))
    if not message:
        yield NOT_SENT
        return
    for request in messages_requests(Pair({}, message, {})):
        yield batched(request)


FORMAT = Format(
    info=FormatInfo(
        name="anthropic-batch",
        title="Anthropic Message Batches results",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="exclusive",
        tells=("id", "cache", "service_tier"),
        notes="Results hold no time and no prompt. Every call is billed at the batch price.",
    ),
    specificity=Specificity.BATCH,
    matches=lambda record, _: "custom_id" in record and "type" in mapping(record.get("result")),
    entries=_entries,
    keys=frozenset({"custom_id"}),
)
