"""OpenAI's usage and costs APIs, and the CSV of its dashboard: rows that sum up requests by bucket of time."""

from __future__ import annotations

from llm_audit.sources.entry import Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.usage._sums import refused
from llm_audit.sources.records.fields import mapping, objects, text


def _matches(record: Record, _context: Context) -> bool:
    if "num_model_requests" in record:
        return True
    kind = text(record.get("object")) or ""
    if kind == "page":
        return mapping(next(objects(record.get("data")), {})).get("object") == "bucket"
    return kind == "bucket" or (kind.startswith("organization.") and kind.endswith(".result"))


FORMAT = Format(
    info=FormatInfo(
        name="openai-usage",
        title="OpenAI usage and costs APIs",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="none",
        notes="Each row is a sum over many requests and is rejected: it can be neither judged nor priced as one "
        "request. Audit a log of requests, and hold the costs against it with llm-audit reconcile.",
    ),
    specificity=Specificity.ENVELOPE,
    matches=_matches,
    entries=lambda record, _: refused(record, field="num_model_requests"),
    keys=frozenset({"num_model_requests", "object"}),
)
