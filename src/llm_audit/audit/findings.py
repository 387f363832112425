"""What to act on first, by dollars: templates, apps and routes, each with its interval and what holds the rest back."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from llm_audit.audit.cells import by, total
from llm_audit.audit.document import Finding
from llm_audit.audit.interval import bounds, replicates
from llm_audit.audit.tables import mean, template_name
from llm_audit.money import usd

CLUSTER_KEYS: tuple[str, ...] = ("template_hash", "app", "model_id", "route_model_id", "bucket")
"""What clusters are told apart by: enough to give any finding its own interval."""

_LIMITS = {"route_template": 10, "route_app": 5, "route_model": 5}
_OUTCOMES = {
    "sufficed_by_none": "no cheaper model is likely enough to suffice",
    "no_saving": "a move is not expected to save",
    "gated": "a gate blocks",
    "abstained": "the prompt could not be judged",
    "unpriced": "no price",
    "not_in_ladder": "no ladder for the model",
    "already_cheapest": "already on the cheapest model",
    "not_chat": "not a chat call",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How findings get their intervals."""

    confidence: float
    resamples: int


def findings(cells: pl.DataFrame, clusters: pl.DataFrame, resampling: Resampling) -> list[Finding]:
    """Findings that would save money, most dollars first. They overlap: never add them up.

    Args:
        cells: The audit's cells.
        clusters: Sums of ``saved_pico`` and ``cost_pico`` by ``CLUSTER_KEYS``.
        resampling: Interval options.
    """
    subjects = {"route_template": "template_hash", "route_app": "app", "route_model": "model_id"}
    found = [
        finding
        for kind, column in subjects.items()
        for finding in _routes(cells, clusters, kind=kind, column=column, resampling=resampling)
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1].kind, pair[1].subject))
    return [finding for _, finding in found]


def _routes(
    cells: pl.DataFrame, clusters: pl.DataFrame, *, kind: str, column: str, resampling: Resampling
) -> list[tuple[int, Finding]]:
    moved = by(cells.filter((pl.col("moved") > 0) & pl.col(column).is_not_null()), column)
    top = moved.filter(pl.col("saved_pico") > 0).sort(["saved_pico", column], descending=[True, False])
    found = []
    for row in top.head(_LIMITS[kind]).iter_rows(named=True):
        subject = row[column]
        mine = cells.filter(pl.col(column) == subject)
        main = by(mine.filter(pl.col("moved") > 0), "model_id", "route_model_id").sort(
            ["saved_pico", "model_id", "route_model_id"], descending=[True, False, False]
        ).row(0, named=True)  # fmt: skip
        name = _name(mine, column, subject)
        low, high = _bounds(clusters.filter(pl.col(column) == subject), resampling)
        found.append(
            (
                int(row["saved_pico"]),
                Finding(
                    kind=kind,
                    title=f"Move {name} from {main['model_id']} to {main['route_model_id']}",
                    detail=_detail(mine, row),
                    action=_action(kind, name, main["route_model_id"]),
                    amount=usd(row["saved_pico"]),
                    low=low,
                    high=high,
                    requests=int(row["requests"]),
                    subject=name,
                    p_suffices=mean(row["p_nano"], row["moved"]),
                ),
            )
        )
    return found


def _name(mine: pl.DataFrame, column: str, subject: object) -> str:
    if column == "app":
        return f"app {subject}"
    if column == "model_id":
        return f"eligible {subject} calls"
    name = str(mine.head(1).select(template_name(pl.col("template_hash"))).item())
    app = by(mine, "app").sort(["cost_pico", "app"], descending=[True, False], nulls_last=True)["app"][0]
    return f"{name} of {app}" if app else name


def _bounds(clusters: pl.DataFrame, resampling: Resampling) -> tuple[str | None, str | None]:
    """The interval of the finding's dollars: its share of saved cost, resampled, times its cost."""
    sums = clusters.group_by("bucket").agg(pl.col("saved_pico").sum(), pl.col("cost_pico").sum())
    shares = replicates(sums, "bucket", "saved_pico", "cost_pico", resamples=resampling.resamples)
    interval = bounds(shares, confidence=resampling.confidence)
    actual = int(sums["cost_pico"].sum() or 0)
    if interval is None:
        return None, None
    return usd(round(interval.low * actual)), usd(round(interval.high * actual))


def _detail(mine: pl.DataFrame, moved: dict[str, int]) -> str:
    whole = (
        f"{int(moved['moved']):,} of {total(mine, 'requests'):,} requests would move, "
        f"${moved['cost_pico'] / 1e12:,.2f} of ${total(mine, 'cost_pico') / 1e12:,.2f}."
    )
    parts = [whole]
    kept = by(mine.filter((pl.col("outcome") != "moved") & (pl.col("cost_pico") > 0)), "outcome").sort(
        ["cost_pico", "outcome"], descending=[True, False]
    )
    reasons = [
        f"{_OUTCOMES.get(row['outcome'], row['outcome'])} (${row['cost_pico'] / 1e12:,.2f})"
        for row in kept.head(2).iter_rows(named=True)
    ]
    if reasons:
        parts.append(f"Kept: {'; '.join(reasons)}.")
    return " ".join(parts)


def _action(kind: str, name: str, route: str) -> str:
    if kind == "route_model":
        return f"Enforce the policy in the gateway: `llm-audit policy export`; start with {name} going to {route}."
    return f"Try {route} on a sample of {name} (`llm-audit sample` picks the prompts), then route it."
