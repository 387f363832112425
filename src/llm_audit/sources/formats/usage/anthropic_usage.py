"""Anthropic's usage and cost reports: rows that sum up requests by bucket of time."""

from __future__ import annotations

from llm_audit.sources.entry import Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.usage._sums import refused
from llm_audit.sources.records.fields import mapping, objects


def _matches(record: Record, _context: Context) -> bool:
    if "uncached_input_tokens" in record or "starting_at" in record:
        return "uncached_input_tokens" in record or "results" in record
    return "starting_at" in mapping(next(objects(record.get("data")), {}))


FORMAT = Format(
    info=FormatInfo(
        name="anthropic-usage",
        title="Anthropic usage and cost reports",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="none",
        notes="Each row is a sum over many requests and is rejected: it can be neither judged nor priced as one "
        "request. Audit a log of requests, and hold the costs against it with llm-audit reconcile.",
    ),
    specificity=Specificity.ENVELOPE,
    matches=_matches,
    entries=lambda record, _: refused(record, field="uncached_input_tokens"),
    keys=frozenset({"uncached_input_tokens", "starting_at", "data"}),
)
