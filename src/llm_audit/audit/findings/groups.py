"""Groups of requests that findings are about: of one template, app or model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import polars as pl

from llm_audit.audit.aggregate.rollups import by


class _Kind(NamedTuple):
    """A kind of finding: the column that names its subjects, the most that are shown, and the rollups it needs."""

    column: str
    most: int
    days: str
    bags: str


_KINDS = {
    "route_template": _Kind("template_hash", 10, "template_days", "template_bags"),
    "route_app": _Kind("app", 5, "daily", "app_bags"),
    "route_model": _Kind("model_id", 5, "daily", "model_bags"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The requests of one template, app or model.

    Attributes:
        kind: The kind of finding.
        column: The column that it groups by.
        subject: The group's value in it.
        saved_pico: What the policy would save.
        mine: The group's rows of the rollup ``subjects``, with their number there, ``row``.
        moved: Those of requests that move.
        days: Its rows of a rollup by day.
        bags: Its bags of conversations.
        risk: Its rows of ``risk.risk_cells``.
        overlaps: Whether it shares requests with a group before it.
    """

    kind: str
    column: str
    subject: object
    saved_pico: int
    mine: pl.DataFrame
    moved: pl.DataFrame
    days: pl.DataFrame
    bags: pl.DataFrame
    risk: pl.DataFrame
    overlaps: bool = False


def groups(rollups: Mapping[str, pl.DataFrame], risk: pl.DataFrame) -> list[Group]:
    """Return the groups that would save money.

    First those that share no request with one before them, most dollars first: these add up. Then the others, most
    dollars first, which say that they overlap.
    """
    return _disjoint_first(_by_saving(rollups, risk))


def _by_saving(rollups: Mapping[str, pl.DataFrame], risk: pl.DataFrame) -> list[Group]:
    """Return the groups that findings are about, most dollars first."""
    subjects = rollups["subjects"].with_row_index("row")
    moved = subjects.filter(pl.col("moved") > 0)
    found = []
    for kind, (column, most, days, bags) in _KINDS.items():
        saving = by(subjects.filter(pl.col(column).is_not_null()), column, sums=("saved_pico", "moved")).filter(
            (pl.col("saved_pico") > 0) & (pl.col("moved") > 0)
        )
        ranked = saving.sort(["saved_pico", column], descending=[True, False]).head(most)
        names = ranked[column].implode()
        tables = (subjects, moved, rollups[days], rollups[bags], risk)
        mine, moving, of_days, of_bags, of_risk = (_of_each(rows, column, names) for rows in tables)
        found += [
            Group(
                kind=kind,
                column=column,
                subject=subject,
                saved_pico=int(saved_pico),
                mine=mine[subject],
                moved=moving[subject],
                days=of_days[subject],
                bags=of_bags[subject],
                risk=of_risk[subject],
            )
            for subject, saved_pico in ranked.select(column, "saved_pico").iter_rows()
        ]
    return sorted(found, key=lambda group: (-group.saved_pico, group.kind, str(group.subject)))


def _of_each(rows: pl.DataFrame, column: str, names: pl.Series) -> dict[object, pl.DataFrame]:
    """Return the rows of each name in a column."""
    return {part.item(0, column): part for part in rows.filter(pl.col(column).is_in(names)).partition_by(column)}


def _disjoint_first(groups: Sequence[Group]) -> list[Group]:
    """Return the groups, those that share requests with one before them last."""
    apart, others = [], []
    taken: set[int] = set()
    for group in groups:
        rows = group.moved["row"].to_list()
        if taken.isdisjoint(rows):
            taken.update(rows)
            apart.append(group)
        else:
            others.append(replace(group, overlaps=True))
    return apart + others
