"""Groups of requests that findings are about: of one template, app or model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace

from llm_audit.audit.aggregate.rollups import by

_MINE = ("requests", "cost_pico")
MOVED = (
    *("requests", "moved", "cost_pico", "expected_pico", "saved_pico", "escalation_pico"),
    *("p_nano", "lost_nano", "gained_nano"),
)
"""What is summed of a group's requests that move."""


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


class Owned(NamedTuple):
    """What an owner's requests that move cost."""

    team: str | None
    app: str | None
    cost_pico: int


class Group(msgspec.Struct, kw_only=True, frozen=True):
    """The requests of one template, app or model.

    Attributes:
        kind: The kind of finding.
        column: The column that it groups by.
        subject: The group's value in it.
        saved_pico: What the policy would save.
        mine: Sums of all of its requests.
        moved: ``MOVED``, sums of those that move.
        rows: Their rows of the rollup ``subjects``.
        pairs: The models that they use and their routes, most dollars saved first.
        owners: Whose they are, most cost first.
        kept: Why others are kept, with what these cost, most cost first.
        days: Cost and saving by day.
        repeat_pico: What repeating those that move on the model used would cost.
        bags: Its bags of conversations.
        risk: Its rows of ``risk.risk_cells``.
        overlaps: Whether it shares requests with a group before it.
    """

    kind: str
    column: str
    subject: object
    saved_pico: int
    mine: Mapping[str, int]
    moved: Mapping[str, int]
    rows: npt.NDArray[np.uint32]
    pairs: Sequence[tuple[str, str]]
    owners: Sequence[Owned]
    kept: Sequence[tuple[str, int]]
    days: Mapping[dt.date, tuple[int, int]]
    repeat_pico: int
    bags: pl.DataFrame
    risk: pl.DataFrame
    overlaps: bool = False


def groups(rollups: Mapping[str, pl.DataFrame], risk: pl.DataFrame) -> list[Group]:
    """Return the groups that would save money.

    First those that share no request with one before them, most dollars first: these add up. Then the others, most
    dollars first, which say that they overlap.
    """
    subjects = rollups["subjects"].with_row_index("row")
    moved = subjects.filter(pl.col("moved") > 0)
    found = [
        group
        for kind, (column, most, days, bags) in _KINDS.items()
        for group in _of_kind(kind, column, most, _Tables(subjects, moved, rollups[days], rollups[bags], risk))
    ]
    ranked = sorted(found, key=lambda group: (-group.saved_pico, group.kind, str(group.subject)))
    return _disjoint_first(ranked, rows=subjects.height)


class _Tables(NamedTuple):
    """Tables that groups of a kind are made of."""

    mine: pl.DataFrame
    moved: pl.DataFrame
    days: pl.DataFrame
    bags: pl.DataFrame
    risk: pl.DataFrame


def _of_kind(kind: str, column: str, most: int, tables: _Tables) -> list[Group]:
    """Return the groups of a kind; each table is summed once, for all of them."""
    saving = by(tables.mine.filter(pl.col(column).is_not_null()), column, sums=("saved_pico", "moved")).filter(
        (pl.col("saved_pico") > 0) & (pl.col("moved") > 0)
    )
    ranked = saving.sort(["saved_pico", column], descending=[True, False]).head(most)
    names = ranked[column].implode()
    mine, moved, days, bags, risk = (rows.filter(pl.col(column).is_in(names)) for rows in tables)
    sums_of_mine, sums_of_moved = _sums(mine, column, _MINE), _sums(moved, column, MOVED)
    pairs, owners = _pairs(moved, column), _owners(moved, column)
    kept, spent, repeats = _kept(mine, column), _days(days, column), _sums(risk, column, ("repeat_pico",))
    rows = {part.item(0, column): part["row"].to_numpy() for part in moved.select(column, "row").partition_by(column)}
    bags_of, risk_of = ({part.item(0, column): part for part in table.partition_by(column)} for table in (bags, risk))
    return [
        Group(
            kind=kind,
            column=column,
            subject=subject,
            saved_pico=int(saved_pico),
            mine=sums_of_mine[subject],
            moved=sums_of_moved[subject],
            rows=rows[subject],
            pairs=[(str(used), str(route)) for used, route in pairs[subject]],
            owners=[Owned(*owned) for owned in owners[subject]],
            kept=kept.get(subject, []),
            days={date: (int(cost or 0), int(saved or 0)) for date, cost, saved in spent[subject] if date is not None},
            repeat_pico=repeats[subject]["repeat_pico"],
            bags=bags_of[subject],
            risk=risk_of[subject],
        )
        for subject, saved_pico in ranked.select(column, "saved_pico").iter_rows()
    ]


def _pairs(moved: pl.DataFrame, column: str) -> dict[object, list[tuple[Any, ...]]]:
    sums = _by(moved, column, "model_id", "route_model_id", sums=("saved_pico",))
    ordered = sums.sort(["saved_pico", "model_id", "route_model_id"], descending=[True, False, False])
    return _lists(ordered, column, "model_id", "route_model_id")


def _owners(moved: pl.DataFrame, column: str) -> dict[object, list[tuple[Any, ...]]]:
    sums = _by(moved, column, "team", "app", sums=("cost_pico",))
    ordered = sums.sort(["cost_pico", "app", "team"], descending=[True, False, False], nulls_last=True)
    return _lists(ordered, column, "team", "app", "cost_pico")


def _kept(mine: pl.DataFrame, column: str) -> dict[object, list[tuple[Any, ...]]]:
    others = mine.filter((pl.col("outcome") != "moved") & (pl.col("cost_pico") > 0))
    sums = _by(others, column, "outcome", sums=("cost_pico",))
    return _lists(sums.sort(["cost_pico", "outcome"], descending=[True, False]), column, "outcome", "cost_pico")


def _days(days: pl.DataFrame, column: str) -> dict[object, list[tuple[Any, ...]]]:
    sums = ("cost_pico", "saved_pico")
    return _lists(_by(days, column, "date", sums=sums), column, "date", *sums)


def _sums(rows: pl.DataFrame, column: str, names: Sequence[str]) -> dict[object, dict[str, int]]:
    """Return the sums of each group, by name."""
    found = _lists(by(rows, column, sums=names), column, *names)
    return {
        subject: {name: int(value or 0) for name, value in zip(names, values, strict=True)}
        for subject, (values,) in found.items()
    }


def _by(rows: pl.DataFrame, *keys: str, sums: Sequence[str]) -> pl.DataFrame:
    """Return a table's sums by keys of which some may be the same column."""
    return by(rows, *dict.fromkeys(keys), sums=sums)


def _lists(rows: pl.DataFrame, column: str, *names: str) -> dict[object, list[tuple[Any, ...]]]:
    """Return the values of each group's rows, in their order."""
    found: dict[object, list[tuple[Any, ...]]] = {}
    for subject, *values in zip(*(rows[name].to_list() for name in (column, *names)), strict=True):
        found.setdefault(subject, []).append(tuple(values))
    return found


def _disjoint_first(groups: Sequence[Group], *, rows: int) -> list[Group]:
    """Return the groups, those that share requests with one before them last."""
    apart, others = [], []
    taken = np.zeros(rows, bool)
    for group in groups:
        if taken[group.rows].any():
            others.append(replace(group, overlaps=True))
        else:
            taken[group.rows] = True
            apart.append(group)
    return apart + others
