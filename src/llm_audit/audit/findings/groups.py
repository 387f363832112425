"""Groups of requests that findings are about: of one template, app or model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from llm_audit.audit.aggregate.cells import by

_LIMITS = {"route_template": 10, "route_app": 5, "route_model": 5}
_SUBJECTS = {"route_template": "template_hash", "route_app": "app", "route_model": "model_id"}


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


def _by_saving(cells: pl.DataFrame) -> list[Group]:
    """Return the groups that findings are about, most dollars first."""
    numbered = cells.with_row_index("cell")
    found = []
    for kind, column in _SUBJECTS.items():
        saving = by(cells.filter(pl.col(column).is_not_null()), column, sums=("saved_pico", "moved")).filter(
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
