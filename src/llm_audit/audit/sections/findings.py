"""Findings: the templates, apps and routes to change first, by dollars, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.cells import by, total
from llm_audit.audit.aggregate.interval import bounds, replicates
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.sections.estimates import Evidence, assumption_errors, price_errors
from llm_audit.audit.sections.totals import mean, template_name
from llm_audit.document.audit import Finding
from llm_audit.money import usd

_LIMITS = {"route_template": 10, "route_app": 5, "route_model": 5}
_OUTCOMES = {
    "no_capable_model": "no cheaper model meets the policy",
    "no_saving": "no saving is expected",
    "gated": "a gate blocks",
    "abstained": "the prompt could not be judged",
    "unpriced": "no price",
    "not_in_ladder": "no ladder for the model",
    "already_cheapest": "already on the cheapest model",
    "unmeasured": "nobody measured the cheaper models",
    "not_offered": "the cheaper models were unavailable",
    "not_chat": "not a chat call",
}


_SUBJECTS = {"route_template": "template_hash", "route_app": "app", "route_model": "model_id"}
_OVERLAP = "Overlaps with findings above it: their amounts do not add up."


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The requests of one template, app or model.

    Attributes:
        kind: The kind of finding.
        column: The column that it groups by.
        subject: The group's value in it.
        saved_pico: What the policy would save.
        mine: The cells of the group.
        cells: The row numbers of the cells that it moves.
        overlaps: Whether it shares requests with a group before it.
    """

    kind: str
    column: str
    subject: object
    saved_pico: int
    mine: pl.DataFrame
    cells: frozenset[int]
    overlaps: bool = False


def groups(cells: pl.DataFrame) -> list[Group]:
    """Return the groups that would save money.

    First those that share no request with one before them, most dollars first: these add up. Then the others, most
    dollars first, which say that they overlap.
    """
    return _disjoint_first(_by_saving(cells))


def findings(groups: Sequence[Group], evidence: Evidence, *, options: AuditOptions) -> list[Finding]:
    """Return a finding for each group."""
    errors = _errors(groups, evidence, options)
    return [_finding(group, evidence, errors[:, number], options) for number, group in enumerate(groups)]


def _by_saving(cells: pl.DataFrame) -> list[Group]:
    """Return the groups that findings are about, most dollars first."""
    numbered = cells.with_row_index("cell")
    found = []
    for kind, column in _SUBJECTS.items():
        saving = by(cells.filter(pl.col(column).is_not_null()), column).filter(
            (pl.col("saved_pico") > 0) & (pl.col("moved") > 0)
        )
        for row in (
            saving.sort(["saved_pico", column], descending=[True, False]).head(_LIMITS[kind]).iter_rows(named=True)
        ):
            mine = numbered.filter(pl.col(column) == row[column])
            moved = frozenset(mine.filter(pl.col("moved") > 0)["cell"])
            saved = int(row["saved_pico"])
            found.append(Group(kind=kind, column=column, subject=row[column], saved_pico=saved, mine=mine, cells=moved))
    return sorted(found, key=lambda group: (-group.saved_pico, group.kind, str(group.subject)))


def _disjoint_first(groups: Sequence[Group]) -> list[Group]:
    """Return the groups, those that share requests with one before them last."""
    apart, others = [], []
    taken: set[int] = set()
    for group in groups:
        if taken.isdisjoint(group.cells):
            taken |= group.cells
            apart.append(group)
        else:
            others.append(replace(group, overlaps=True))
    return apart + others


def _errors(groups: Sequence[Group], evidence: Evidence, options: AuditOptions) -> Floats:
    """Return by how many pico-dollars each group's saving is off in each replicate, sampling apart."""
    saved = [float(group.saved_pico) for group in groups]
    moved = [float(total(group.mine.filter(pl.col("moved") > 0), "expected_pico")) for group in groups]
    price = price_errors(evidence.cells, resamples=options.resamples)[:, None] * saved
    # Assumptions act on what moved requests would cost: a group has its share of it.
    of_all = float(total(evidence.cells.filter(pl.col("moved") > 0), "expected_pico"))
    assumed = assumption_errors(evidence.effects, resamples=options.resamples)[:, None]
    return price + assumed * [part / of_all if of_all else 0.0 for part in moved] - evidence.risk.cost_error[:, 1:-1]


def _finding(group: Group, evidence: Evidence, errors: Floats, options: AuditOptions) -> Finding:
    moved = group.mine.filter(pl.col("moved") > 0)
    pairs = by(moved, "model_id", "route_model_id").sort(
        ["saved_pico", "model_id", "route_model_id"], descending=[True, False, False]
    )
    main = pairs.row(0, named=True)
    used, route = main["model_id"], main["route_model_id"]
    name = _name(group.mine, group.column, group.subject)
    more = pairs.height - 1
    low, high = _bounds(evidence.clusters.filter(pl.col(group.column) == group.subject), errors, options)
    return Finding(
        kind=group.kind,
        title=f"Route {name} by the policy ({used} → {route} and {more} more)"
        if more
        else f"Move {name} from {used} to {route}",
        detail=" ".join([_detail(group.mine, moved), *([_OVERLAP] if group.overlaps else [])]),
        action=_action(group.kind, name, f"{used} → {route}"),
        amount=usd(group.saved_pico),
        low=low,
        high=high,
        requests=total(moved, "requests"),
        subject=name,
        p_suffices=mean(total(moved, "p_nano"), total(moved, "moved")),
        overlaps=group.overlaps,
    )


def _name(mine: pl.DataFrame, column: str, subject: object) -> str:
    if column == "app":
        return f"app {subject}"
    if column == "model_id":
        return f"eligible {subject} calls"
    name = str(mine.head(1).select(template_name(pl.col("template_hash"))).item())
    app = by(mine, "app").sort(["cost_pico", "app"], descending=[True, False], nulls_last=True)["app"][0]
    return f"{name} of {app}" if app else name


def _bounds(clusters: pl.DataFrame, errors: Floats, options: AuditOptions) -> tuple[str | None, str | None]:
    """Return the interval of a finding's dollars: its resampled saved share times its cost, with its errors."""
    sums = clusters.group_by("bucket").agg(pl.col("saved_pico").sum(), pl.col("cost_pico").sum())
    shares = replicates(sums, "bucket", "saved_pico", "cost_pico", resamples=options.resamples)
    interval = bounds(shares * int(sums["cost_pico"].sum() or 0) + errors, confidence=options.confidence)
    return (None, None) if interval is None else (usd(round(interval.low)), usd(round(interval.high)))


def _detail(mine: pl.DataFrame, moved: pl.DataFrame) -> str:
    whole = (
        f"{total(moved, 'moved'):,} of {total(mine, 'requests'):,} requests would move, "
        f"${total(moved, 'cost_pico') / 1e12:,.2f} of ${total(mine, 'cost_pico') / 1e12:,.2f}."
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


def _action(kind: str, name: str, move: str) -> str:
    if kind == "route_model":
        return f"Enforce the policy in the gateway: `llm-audit policy export`; start with {name}, {move}."
    return f"Try {move} on a sample of {name} (`llm-audit sample` picks the prompts), then route it."
