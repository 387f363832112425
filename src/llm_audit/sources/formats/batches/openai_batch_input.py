"""Input files of OpenAI's Batch API. A line is not a call: its response is a line of the output file."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity


def _entries(_record: Record, _context: Context) -> Iterator[Entry]:
    yield NotACall(NotCallReason.METADATA)


FORMAT = Format(
    info=FormatInfo(
        name="openai-batch-input",
        title="OpenAI Batch input file",
        evidence=Evidence.REAL,
        input_counts="none",
        notes="Its lines are no calls; the output file holds them.",
    ),
    specificity=Specificity.BATCH,
    matches=lambda record, _: "custom_id" in record and "method" in record and "url" in record,
    entries=_entries,
    keys=frozenset({"custom_id"}),
    keys_decide=True,
    before=("openai-batch",),
)
