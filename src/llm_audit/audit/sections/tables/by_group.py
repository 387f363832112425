"""Tables by day, and by team, app and whatever else requests are grouped by."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from llm_audit.audit.aggregate.rollups import GROUPED, by, total
from llm_audit.audit.sections.tables.cells import SPENT, UNNAMED, known, routed, share, template_name
from llm_audit.document.audit import Day, GroupRow, Spend
from llm_audit.money import usd
from llm_audit.vocabulary import TIERS

MAX_GROUP_ROWS = 200
"""Rows a grouping shows; the rest are summed in one row."""


def daily(days: pl.DataFrame) -> list[Day]:
    """Spend and policy cost by day, for requests that have a time; see ``cells.routed``."""
    dated = days.filter(pl.col("date").is_not_null())
    tiers: dict[object, dict[str, int]] = {}
    for row in by(dated, "date", "tier", sums=SPENT).iter_rows(named=True):
        spent = tiers.setdefault(row["date"], {})
        if row["priced"]:
            spent[row["tier"]] = row["cost_pico"]
    return [
        Day(
            date=row["date"].isoformat(),
            requests=int(row["requests"]),
            tokens=int(row["tokens"]),
            cost=known(row, "cost_pico"),
            policy_cost=routed(row, "expected_pico"),
            cost_by_tier={tier: usd(tiers[row["date"]][tier]) for tier in TIERS if tier in tiers[row["date"]]},
            unpriced_requests=int(row["requests"] - row["priced"]),
        )
        for row in by(dated, "date", sums=GROUPED).iter_rows(named=True)
    ]


def groups(tables: Mapping[str, tuple[pl.DataFrame, str]]) -> dict[str, list[GroupRow]]:
    """Return a grouping for each name, by a column of a rollup, most cost first.

    Long groupings end in one row for all the rest, so that each still adds up to the whole. Of the policy's
    amounts see ``cells.routed``.
    """
    return {name: _group(rows, column) for name, (rows, column) in tables.items()}


def _group(summed: pl.DataFrame, column: str) -> list[GroupRow]:
    actual = total(summed, "cost_pico")
    label = template_name(pl.col(column)) if column == "template_hash" else pl.col(column).cast(pl.String)
    rows = by(summed.with_columns(_name=label.fill_null(UNNAMED)), "_name", sums=GROUPED).sort(
        ["cost_pico", "requests", "_name"], descending=[True, True, False]
    )
    if rows.height > MAX_GROUP_ROWS:
        rest = rows[MAX_GROUP_ROWS - 1 :]
        others = rest.with_columns(_name=pl.lit(f"({rest.height:,} more)"))
        rows = pl.concat([rows[: MAX_GROUP_ROWS - 1], by(others, "_name", sums=GROUPED)])
    return [
        GroupRow(
            name=row["_name"],
            requests=int(row["requests"]),
            tokens=int(row["tokens"]),
            cost=known(row, "cost_pico"),
            cost_share=share(row["cost_pico"], actual) if row["priced"] else None,
            policy_cost=routed(row, "expected_pico"),
            flagship_tax=routed(row, "saved_pico"),
            unpriced_requests=int(row["requests"] - row["priced"]),
            moved_requests=int(row["moved"]),
            covered_share=share(row["covered_pico"], row["cost_pico"]) if row["priced"] else None,
        )
        for row in rows.iter_rows(named=True)
    ]


def spend(days: pl.DataFrame) -> list[Spend]:
    """Return each team's spend through each app on each model, most cost first."""
    named = days.with_columns(pl.col("team").fill_null(""), pl.col("app").fill_null(""))
    rows = by(named, "team", "app", "provider", "model", "tier", sums=SPENT).sort(
        ["cost_pico", "requests", "team", "app", "provider", "model"],
        descending=[True, True, False, False, False, False],
        nulls_last=True,
    )
    return [
        Spend(
            team=row["team"],
            app=row["app"],
            provider=row["provider"] or UNNAMED,
            model=row["model"] or UNNAMED,
            tier=row["tier"],
            requests=int(row["requests"]),
            tokens=int(row["tokens"]),
            cost=known(row, "cost_pico"),
            unpriced_requests=int(row["requests"] - row["priced"]),
        )
        for row in rows.iter_rows(named=True)
    ]
