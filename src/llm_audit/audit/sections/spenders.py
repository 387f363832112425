"""Top lists by user, customer (tag), conversation and trace, and what gates can hold of users and tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from llm_audit.audit.aggregate.cluster_sums import FigureSums
from llm_audit.audit.aggregate.spenders import IDS, LARGEST, SQUARES, SpenderSums
from llm_audit.audit.sections.metrics import cost_metrics
from llm_audit.audit.sections.tables.cells import share
from llm_audit.document.audit import Metric, Spender
from llm_audit.money import usd

KEYS = 10
"""Tag keys that are listed, by the number of requests that have them."""


def spenders(sums: SpenderSums, *, actual_pico: int) -> dict[str, list[Spender]]:
    """Return the largest of each kind by cost, and the others together.

    Args:
        sums: Of the whole log.
        actual_pico: The cost of all requests, which shares are of.
    """
    found = {}
    for kind in _kinds(sums.names):
        ranked = _ranked(sums.names.filter(pl.col("kind") == kind)).with_row_index("rank")
        beyond = (pl.col("rank") >= LARGEST).cast(pl.Int64)
        found[kind] = _listed(ranked.with_columns(others=beyond), actual_pico)
    for kind in IDS:
        rows = sums.ids.filter(pl.col("kind") == kind)
        digits = [None if name is None else f"{name:016x}" for name in rows["name"]]
        found[kind] = _listed(rows.with_columns(name=pl.Series(digits, dtype=pl.String)), actual_pico)
    return {kind: rows for kind, rows in found.items() if rows}


def spender_metrics(sums: SpenderSums) -> Iterator[Metric]:
    """Yield the cost, and the cost a request, of the largest users and of the largest values of each tag."""
    for kind in _kinds(sums.names):
        ranked = _ranked(sums.names.filter(pl.col("kind") == kind))
        for row in ranked.head(LARGEST).iter_rows(named=True):
            held = FigureSums(
                clusters=row["clusters"],
                of={"requests": row["requests"], "priced": row["priced"], "cost": row["cost_pico"]},
                products={name.replace("_", "*"): row[name] for name in SQUARES},
            )
            yield from cost_metrics(held, selector=f"[{kind}={row['name']}]")


def _kinds(names: pl.DataFrame) -> list[str]:
    """Return ``user`` and the tags of most requests, in order of their names."""
    tags = names.filter(pl.col("kind") != "user").group_by("kind").agg(pl.col("requests").sum())
    kept = tags.sort(["requests", "kind"], descending=[True, False]).head(KEYS)["kind"].to_list()
    return ["user", *sorted(kept)]


def _ranked(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(["cost_pico", "requests", "name"], descending=[True, True, False])


def _row(row: Mapping[str, Any], actual_pico: int, *, name: str | None, others: int = 0) -> Spender:
    priced = row["priced"] > 0
    return Spender(
        name=name,
        others=others,
        requests=row["requests"],
        cost=usd(row["cost_pico"]) if priced else None,
        cost_share=share(row["cost_pico"], actual_pico) if priced else None,
        unpriced_requests=row["requests"] - row["priced"],
        apps=row.get("apps", []),
        models=row.get("models", []),
    )


def _listed(rows: pl.DataFrame, actual_pico: int) -> list[Spender]:
    """Return the first rows by themselves and the others together; ``others`` counts them, or is 0."""
    first, rest = rows.filter(pl.col("others") == 0), rows.filter(pl.col("others") > 0)
    found = [_row(row, actual_pico, name=str(row["name"])) for row in first.iter_rows(named=True)]
    if rest.height:
        sums = rest.select(pl.col("requests", "priced", "cost_pico", "others").sum()).row(0, named=True)
        found.append(_row(sums, actual_pico, name=None, others=sums["others"]))
    return found
