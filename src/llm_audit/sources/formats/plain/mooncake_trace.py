"""The Mooncake trace (JSON lines): ``input_length``, ``output_length``, ``hash_ids``.

Its ``timestamp`` is in milliseconds from the start of the trace, so that when a call was made is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.plain._traffic import traffic_request
from llm_audit.sources.records.disjoint import read_count


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    yield traffic_request(
        "mooncake-trace",
        input_tokens=read_count(record, "input_length"),
        output_tokens=read_count(record, "output_length"),
    )


FORMAT = Format(
    info=FormatInfo(
        name="mooncake-trace",
        title="Mooncake traffic trace (JSON lines)",
        evidence=Evidence.REAL,
        input_counts="no cached tokens",
        notes="Times count from the start of the trace; hash_ids of prefix blocks are not used.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "hash_ids" in record and "input_length" in record,
    entries=_entries,
    keys=frozenset({"hash_ids"}),
    keys_decide=True,
)
