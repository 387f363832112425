"""GitHub Copilot's metrics and billing exports, which hold no tokens: each row is rejected and says so."""

from __future__ import annotations

from llm_audit.sources.entry import Reason, Record, Rejected
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.column_names import columns_of

_NO_TOKENS = "Copilot's reports count users, chats and premium requests, not tokens: there is nothing to audit"
_QUOTAS = frozenset({"exceeds_quota", "total_monthly_quota", "Exceeds Monthly Quota", "Total Monthly Quota"})
_METRICS = frozenset(
    {"copilot_ide_code_completions", "copilot_ide_chat", "copilot_dotcom_chat", "copilot_dotcom_pull_requests"}
)


def _matches(record: Record, _context: Context) -> bool:
    quotas = len(_QUOTAS & record.keys()) > 1 and not columns_of(record).counts_tokens
    return quotas or not _METRICS.isdisjoint(record)


FORMAT = Format(
    info=FormatInfo(
        name="copilot",
        title="GitHub Copilot metrics and premium requests",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="none",
        notes="Fields as in programs that read GitHub's Copilot metrics API. It and the reports of premium "
        "requests hold no tokens, and every row is rejected. Copilot's OpenTelemetry spans are read as otlp.",
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=lambda _record, _context: iter((Rejected(Reason.BAD_SHAPE, "tokens", note=_NO_TOKENS),)),
    keys=_METRICS | _QUOTAS,
    keys_decide=True,
)
