"""Checks of the data that the figures rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from llm_audit.audit.aggregate.rollups import by, total
from llm_audit.audit.billing import may_be_on_a_plan
from llm_audit.audit.sections.tables.cells import share
from llm_audit.document.audit import QualityCheck, Requests
from llm_audit.money import usd

_NAMED = 8
"""Fields and rates named in a message."""
_AGENT = "coding_agent:"
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
    "ambiguous_usage": _Check(0.05, "requests may count input tokens twice", "No input count is ambiguous"),
    "unexplained_usage": _Check(
        0.0, "requests have a total above the sum of their token counts", "Totals agree with the counts beside them"
    ),
    "placeholder_output": _Check(
        0.01,
        "requests have an output count from the start of their stream, which is too low",
        "No output count is a placeholder",
    ),
    "aggregated": _Check(
        0.2, "requests are shares of rows that stand for many: only their sums are known", "Every request is a record"
    ),
    "unread_fields": _Check(
        0.0, "requests have counts or costs in fields that were not used", "No field that may count tokens is unused"
    ),
    "unknown_model": _Check(0.05, "requests name a model that the catalogue lacks", "Every model is known"),
    "unmeasured_ability": _Check(
        0.05,
        "requests use, or would move to, a model whose ability nobody measured: a wide guess stands for it",
        "No request uses, or would move to, a model whose ability is such a guess",
    ),
    "undated": _Check(
        0.01,
        "requests have no time: they are priced at the last time of their file, else of the audit, else today",
        "Every request has a time",
    ),
    "odd_time": _Check(0.0, "requests have an implausible time", "Every time is plausible"),
    "no_conversation": _Check(
        1.0, "requests belong to no conversation or trace", "Every request belongs to a conversation or trace"
    ),
    "billing": _Check(
        0.2,
        "requests of coding agents are taken as paid by use, and may be on a plan",
        "No request of a coding agent is without a declared basis of billing",
    ),
    "no_owner": _Check(1.0, "requests name neither team nor app", "Every request names its team or app"),
    "reasoning_above_output": _Check(
        0.0, "requests report more reasoning than output tokens", "Reasoning tokens are within output tokens"
    ),
}


def quality_counts(measured: pl.DataFrame) -> dict[str, int]:
    """Count the requests that each check finds."""
    year = pl.col("time").dt.year()
    counts = measured.select(
        undated=pl.col("time").null_count(),
        no_conversation=(pl.col("conversation").is_null() & pl.col("trace").is_null()).sum(),
        no_owner=(pl.col("team").is_null() & pl.col("app").is_null()).sum(),
        no_usage=(pl.col("usage_source") == "none").sum(),
        estimated_usage=(pl.col("usage_source") == "estimated").sum(),
        ambiguous_usage=(pl.col("usage_source") == "ambiguous").sum(),
        unexplained_usage=(pl.col("unexplained_tokens") > 0).sum(),
        placeholder_output=_tagged("placeholder-output"),
        aggregated=_tagged("aggregated"),
        unread_fields=pl.col("unread_counts").count(),
        reasoning_above_output=(pl.col("reasoning_tokens") > pl.col("output_tokens")).sum(),
        unknown_model=pl.col("model_id").null_count(),
        odd_time=((year > 2100) | (year < 2018)).sum(),
        billing=may_be_on_a_plan().sum(),
    )
    formats = measured.filter(may_be_on_a_plan())["format"].cast(pl.String).value_counts()
    return dict(counts.row(0, named=True)) | {f"{_AGENT}{name}": count for name, count in formats.iter_rows()}


def _tagged(tag: str) -> pl.Expr:
    return pl.col("tags").cast(pl.String).str.contains(rf"(?:^|,){tag}(?:,|$)").sum()


def quality(
    usage: pl.DataFrame,
    counts: Mapping[str, int],
    requests: Requests,
    *,
    unmeasured: Sequence[str],
    undated_at: datetime,
) -> list[QualityCheck]:
    """All checks, worst first.

    Args:
        usage: The requests by how they were used, see ``rollups``.
        counts: See ``quality_counts``.
        requests: The account of records read.
        unmeasured: Models whose ability is a prior.
        undated_at: The latest time at which requests without a time are priced.
    """
    used, route = (pl.col(name).is_in(unmeasured) for name in ("model_id", "route_model_id"))
    audited = total(usage, "requests")
    found = {
        **counts,
        "rejected": requests.rejected,
        "unpriced": audited - total(usage, "priced"),
        "unmeasured_ability": total(usage.filter(used | route), "requests"),
    }
    details = (
        _details(usage) | _to_declare(counts) | {"undated": f"The latest such day is {undated_at:%Y-%m-%d} (UTC)."}
    )
    checks = [
        _checked(
            name,
            found[name],
            requests.read if name == "rejected" else audited,
            _CHECKS[name],
            details=details.get(name, ""),
        )
        for name in _CHECKS
    ]
    return sorted(checks, key=lambda check: (_ORDER.index(check.level), -(check.share or 0), check.check))


def _details(usage: pl.DataFrame) -> dict[str, str]:
    """Return what a check found, beyond its count: amounts in doubt, fields and rates that are missing."""
    found = {
        "ambiguous_usage": f"The cost may be up to ${usd(total(usage, 'ambiguous_cost_pico'))} too high.",
        "unexplained_usage": f"The other {total(usage, 'unexplained_tokens'):,} tokens would cost up to "
        f"${usd(total(usage, 'unexplained_cost_pico'))} more.",
    }
    unread: dict[str, int] = {}
    for row in by(usage.filter(pl.col("unread_counts").is_not_null()), "unread_counts", sums=["requests"]).iter_rows(
        named=True
    ):
        for name in row["unread_counts"].split(","):
            unread[name] = unread.get(name, 0) + int(row["requests"])
    if unread:
        found["unread_fields"] = f"{_listed(unread)}."
    missing = {
        row["unpriced_reason"].partition(": ")[2]: int(row["requests"] - row["priced"])
        for row in by(usage, "unpriced_reason", sums=("requests", "priced")).iter_rows(named=True)
        if (row["unpriced_reason"] or "").startswith("no_rate: ")
    }
    if missing:
        found["unpriced"] = f"No rate is known for {_listed(missing)}."
    return found


def _to_declare(counts: Mapping[str, int]) -> dict[str, str]:
    """Return how to declare the basis of the coding agents that have none."""
    formats = sorted(name.removeprefix(_AGENT) for name in counts if name.startswith(_AGENT))
    lines = ", ".join(f'"format={name}" = "subscription"' for name in formats)
    return {"billing": f"If so, declare it under [billing] in llm-audit.toml: {lines}."} if formats else {}


def _listed(counts: dict[str, int]) -> str:
    """Name what was counted, most first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest = len(ordered) - _NAMED
    names = ", ".join(f"{name} ({count:,})" for name, count in ordered[:_NAMED])
    return f"{names} and {rest} more" if rest > 0 else names


def _checked(name: str, count: int, whole: int, check: _Check, *, details: str = "") -> QualityCheck:
    part = share(count, whole)
    level = "ok" if not count else "warning" if (part or 0) > check.limit else "note"
    message = f"{count:,} {check.found}. {details}".rstrip() if count else f"{check.clean}."
    return QualityCheck(check=name, level=level, count=count, share=part, message=message)
