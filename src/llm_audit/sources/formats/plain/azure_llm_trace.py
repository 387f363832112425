"""The Azure LLM inference trace (CSV): ``TIMESTAMP, ContextTokens, GeneratedTokens``."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.plain._traffic import traffic_request
from llm_audit.sources.records.disjoint import read_count
from llm_audit.sources.records.times import micros


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    yield traffic_request(
        "azure-llm-trace",
        input_tokens=read_count(record, "ContextTokens"),
        output_tokens=read_count(record, "GeneratedTokens"),
        time_us=micros(record.get("TIMESTAMP"), "TIMESTAMP"),
    )


FORMAT = Format(
    info=FormatInfo(
        name="azure-llm-trace",
        title="Azure LLM inference trace (CSV)",
        evidence=Evidence.REAL,
        input_counts="no cached tokens",
        tells=("time",),
        notes="No model, prompts or cache: requests are counted and left unpriced and unjudged.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "ContextTokens" in record and "GeneratedTokens" in record,
    entries=_entries,
    keys=frozenset({"ContextTokens"}),
    keys_decide=True,
)
