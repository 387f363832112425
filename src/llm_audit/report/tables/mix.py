"""The model mix by week and tier, and its concentration on few models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from llm_audit.document.audit import DailyMix, Document
from llm_audit.report.table import Cell, Column, ColumnKind, Priority, Table, count, money, share, table
from llm_audit.report.text import NONE
from llm_audit.report.text import share as write_share
from llm_audit.vocabulary import TIERS


class _Sum(msgspec.Struct, frozen=True):
    """Requests, tokens and known cost of some rows; the cost of rows without any price is unknown."""

    requests: int
    tokens: int
    cost: Decimal | None


def by_week(document: Document) -> Table:
    """Each tier's share of requests, tokens and cost by week, the last week first. Weeks start on Monday."""
    weeks: dict[str, list[DailyMix]] = defaultdict(list)
    for row in document.model_mix_daily:
        day = date.fromisoformat(row.date)
        weeks[(day - timedelta(days=day.weekday())).isoformat()].append(row)
    return table(
        "weekly_mix",
        "Model mix by week",
        (
            Column("Week of"),
            Column("Tier"),
            count("Requests"),
            share("of requests"),
            Column("Tokens", ColumnKind.COUNT, sums=True, priority=Priority.SPARE),
            share("of tokens"),
            money("Cost"),
            share("of cost"),
        ),
        (line for week in sorted(weeks, reverse=True) for line in _tiers(week, weeks[week])),
    )


def _tiers(week: str, rows: Sequence[DailyMix]) -> Iterator[tuple[Cell, ...]]:
    total = _sum(rows)
    for tier in TIERS:
        of_tier = [row for row in rows if (row.tier if row.tier in TIERS else "unknown") == tier]
        if of_tier:
            part = _sum(of_tier)
            yield (
                week, tier,
                part.requests, _part(part.requests, total.requests),
                part.tokens, _part(part.tokens, total.tokens),
                None if part.cost is None else f"{part.cost:f}", _part(part.cost, total.cost),
            )  # fmt: skip


def _sum(rows: Sequence[DailyMix]) -> _Sum:
    costs = [Decimal(row.cost) for row in rows if row.cost is not None]
    return _Sum(sum(r.requests for r in rows), sum(r.tokens for r in rows), sum(costs, Decimal(0)) if costs else None)


def _part(part: float | Decimal | None, total: float | Decimal | None) -> float | None:
    return float(part) / float(total) if part is not None and total else None


class _Concentration(msgspec.Struct, frozen=True):
    """The concentration of one measure on models. ``equivalents``: as many models with equal shares would match it."""

    measure: str
    largest: str
    largest_share: float
    herfindahl: float

    @property
    def equivalents(self) -> str:
        return f"{1 / self.herfindahl:.1f} models with equal shares"


def concentration(document: Document) -> Table:
    """The concentration of the mix: the largest model's share, and the Herfindahl index Σ share² over models.

    One over the index is the number of models that, used equally, would be as concentrated (Adelman, "Comment on the
    'H' Concentration Measure as a Numbers-Equivalent", The Review of Economics and Statistics 51, 1969).
    """
    return table(
        "concentration",
        "Concentration",
        (
            Column("Share of"),
            Column("Largest model"),
            share("Its share"),
            Column("Herfindahl index", ColumnKind.SCORE),
            Column("Equivalent to", ColumnKind.PROSE),
        ),
        (
            (found.measure, found.largest, found.largest_share, found.herfindahl, found.equivalents)
            for found in _concentrations(document)
        ),
    )


def _concentrations(document: Document) -> Iterator[_Concentration]:
    models = document.groups.get("model", [])
    measures: dict[str, list[tuple[str, float]]] = {
        "requests": [(row.name, row.requests) for row in models],
        "tokens": [(row.name, row.tokens) for row in models],
        "cost": [(row.name, float(row.cost)) for row in models if row.cost is not None],
    }
    for measure, sizes in measures.items():
        total = sum(size for _, size in sizes)
        if total > 0:
            name, largest = max(sizes, key=lambda item: item[1])
            index = sum((size / total) ** 2 for _, size in sizes)
            yield _Concentration(measure, name or NONE, largest / total, index)


def leader(document: Document) -> str:
    """Write the concentration of cost as a sentence, or "" where no cost is known."""
    for found in _concentrations(document):
        if found.measure == "cost":
            part = write_share(found.largest_share)
            return f"The largest model accounts for {part} of cost; spend is as concentrated as {found.equivalents}."
    return ""
