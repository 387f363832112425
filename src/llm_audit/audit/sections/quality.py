"""Checks of the data that the figures rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from llm_audit.audit.aggregate.cells import total
from llm_audit.audit.sections.totals import share
from llm_audit.document.audit import QualityCheck, Requests

_ORDER = ("warning", "note", "ok")


class _Check(NamedTuple):
    limit: float  # the share above which what was found is a warning
    found: str
    clean: str


_CHECKS: dict[str, _Check] = {
    "rejected": _Check(0.01, "records were rejected", "Every record could be read"),
    "unpriced": _Check(0.01, "requests have no known price", "Every request is priced"),
    "no_usage": _Check(0.01, "requests have no token counts", "Every request has token counts"),
    "estimated_usage": _Check(0.2, "requests have token counts estimated from text", "No token count is estimated"),
    "ambiguous_usage": _Check(0.05, "requests may count cached tokens twice", "No input count is ambiguous"),
    "unknown_model": _Check(0.05, "requests name a model that the catalogue lacks", "Every model is known"),
    "unmeasured_ability": _Check(
        0.05,
        "requests use, or would move to, a model whose ability nobody measured: a wide guess stands for it",
        "The ability of every model was measured",
    ),
    "undated": _Check(0.01, "requests have no time", "Every request has a time"),
    "odd_time": _Check(0.0, "requests have an implausible time", "Every time is plausible"),
    "no_conversation": _Check(
        1.0, "requests belong to no conversation or trace", "Every request belongs to a conversation or trace"
    ),
    "no_owner": _Check(1.0, "requests name neither team nor app", "Every request names its team or app"),
    "reasoning_above_output": _Check(
        0.0, "requests report more reasoning than output tokens", "Reasoning tokens are within output tokens"
    ),
}


def quality_counts(measured: pl.DataFrame) -> pl.DataFrame:
    """Count the requests that each check finds: one row, which adds up over parts."""
    year = pl.col("time").dt.year()
    return measured.select(
        undated=pl.col("time").null_count(),
        no_conversation=(pl.col("conversation").is_null() & pl.col("trace").is_null()).sum(),
        no_owner=(pl.col("team").is_null() & pl.col("app").is_null()).sum(),
        no_usage=(pl.col("usage_source") == "none").sum(),
        estimated_usage=(pl.col("usage_source") == "estimated").sum(),
        ambiguous_usage=(pl.col("usage_source") == "ambiguous").sum(),
        reasoning_above_output=(pl.col("reasoning_tokens") > pl.col("output_tokens")).sum(),
        unknown_model=pl.col("model_id").null_count(),
        odd_time=((year > 2100) | (year < 2018)).sum(),
    )


def quality(
    cells: pl.DataFrame, counts: pl.DataFrame, requests: Requests, *, unmeasured: Sequence[str]
) -> list[QualityCheck]:
    """All checks, worst first.

    Args:
        cells: The audit's cells.
        counts: Rows of ``quality_counts``, one a part.
        requests: The account of records read.
        unmeasured: Models whose ability is a prior.
    """
    used, route = (pl.col(name).is_in(unmeasured) for name in ("model_id", "route_model_id"))
    audited = total(cells, "requests")
    found = counts.select(pl.all().cast(pl.Int64).sum()).row(0, named=True)
    found |= {
        "rejected": requests.rejected,
        "unpriced": audited - total(cells, "priced"),
        "unmeasured_ability": total(cells.filter(used | route), "requests"),
    }
    checks = [
        _checked(name, found[name], requests.read if name == "rejected" else audited, _CHECKS[name]) for name in _CHECKS
    ]
    return sorted(checks, key=lambda check: (_ORDER.index(check.level), -(check.share or 0), check.check))


def _checked(name: str, count: int, whole: int, check: _Check) -> QualityCheck:
    part = share(count, whole)
    level = "ok" if not count else "warning" if (part or 0) > check.limit else "note"
    message = f"{count:,} {check.found}." if count else f"{check.clean}."
    return QualityCheck(check=name, level=level, count=count, share=part, message=message)
