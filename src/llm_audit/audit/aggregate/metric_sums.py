"""Sums that metrics are made of: figures of clusters, and products of two, which add up over the parts of a log.

But for the tax they depend on no policy, and are kept for the next.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from llm_audit.arrays import Index, Ints
from llm_audit.audit.aggregate.calls import Calls
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy import Requests

GROUPS = ("team", "app")

RATIOS = (
    ("cost_per_request", "USD", "cost", "priced"),
    ("tokens_per_request", "count", "tokens", "requests"),
    ("flagship_tax", "share", "tax", "cost"),
    ("cache_read_share", "share", "cache_read", "input_side"),
    ("failed_share", "share", "failed", "requests"),
    ("abstained_share", "share", "abstained", "requests"),
    ("unpriced_share", "share", "unpriced", "requests"),
)
"""Metrics that are ratios of two figures, with their units."""

_INPUT_TYPES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input")
_FIGURES = ("requests", "priced", "unpriced", "cost", "tokens", "cache_read", "input_side", "failed", "abstained")
"""Figures that metrics sum, a value a request, besides the tax."""

_PAIRS = [("cost", "cost"), *(pair for _, _, y, x in RATIOS for pair in ((y, y), (y, x), (x, x)))]
_PRODUCTS = tuple(dict.fromkeys(pair for pair in _PAIRS if "tax" not in pair))
"""Pairs of figures whose products are summed over clusters."""
_OF_TAX = tuple(dict.fromkeys(pair for pair in _PAIRS if "tax" in pair))

_PARTS = ("requests", "cost")
"""Figures of which parts of the whole are metrics."""

_EXACT = 1e37
"""Below it, sums of products fit 128 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Requests, as metrics see them whatever the policy.

    Attributes:
        requests: The requests.
        calls: Their clusters and owners.
        name: A number for each request's model and tier.
        tiers: The tier of each number.
        labels: The model of each number.
    """

    requests: Requests
    calls: Calls
    name: Index
    tiers: list[str]
    labels: list[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSums:
    """Sums over clusters: their number, each figure, and products of two figures, by ``y*x``."""

    clusters: int
    of: dict[str, int]
    products: dict[str, int]

    def mean_cluster(self, figure: str) -> float:
        """Return the mean figure of the cluster that a unit of it is in: 0 where there is none."""
        return self.products[f"{figure}*{figure}"] / self.of[figure] if self.of[figure] > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSums:
    """Sums of all requests, of each team and app, and of the parts of the whole that each tier and model is."""

    whole: FigureSums
    owners: dict[str, dict[str, FigureSums]]
    tiers: dict[str, FigureSums]
    labels: dict[str, FigureSums]


def untaxed_sums(measured: Measured) -> MetricSums:
    """Sum the requests of a part of a log, in which no cluster may lie that another part has requests of.

    What no policy changes is summed: all figures but the tax, see ``with_tax``.
    """
    calls = measured.calls
    frame = pl.DataFrame(
        {"cluster": calls.cluster, "name": measured.name, **{name: calls.owners[name][0] for name in GROUPS}}
    ).with_columns(**_figures(measured))
    clusters = frame.group_by("cluster").agg(pl.col(_FIGURES).sum())
    named = frame.group_by("cluster", "name").agg(pl.col(_PARTS).sum())
    whole = clusters.select("cluster", *(pl.col(name).alias(f"all_{name}") for name in _PARTS))

    def parts(names: Sequence[str | None]) -> dict[str, FigureSums]:
        held = pl.col("name").replace_strict(dict(enumerate(names)), return_dtype=pl.String)
        of = named.with_columns(held.alias("part")).drop_nulls("part").group_by("part", "cluster")
        sums = of.agg(pl.col(_PARTS).sum()).join(whole, on="cluster")
        pairs = [pair for name in _PARTS for pair in ((name, name), (name, f"all_{name}"))]
        return _by_group(sums, "part", _PARTS, pairs)

    owners = {}
    for name in GROUPS:
        held = calls.owners[name][1]
        of = frame.filter(pl.col(name) >= 0).group_by(name, "cluster").agg(pl.col(_FIGURES).sum())
        owners[name] = _by_group(
            of.with_columns(pl.col(name).replace_strict(dict(enumerate(held)), return_dtype=pl.String)),
            name,
            _FIGURES,
            _PRODUCTS,
        )
    one = clusters.with_columns(part=pl.lit("all"))
    return MetricSums(
        whole=_by_group(one, "part", _FIGURES, _PRODUCTS)["all"],
        owners=owners,
        tiers=parts(measured.tiers),
        labels=parts(measured.labels),
    )


def with_tax(sums: MetricSums, measured: Measured, tax: Ints) -> MetricSums:
    """Return the sums with those of the tax.

    Args:
        sums: Of ``untaxed_sums``.
        measured: The same requests.
        tax: Actual minus expected policy cost of each, pico-dollars.
    """
    calls = measured.calls
    figures = {"cost": measured.requests.cost, "tax": tax}
    frame = pl.DataFrame({"cluster": calls.cluster, **{name: calls.owners[name][0] for name in GROUPS}}).with_columns(
        **{name: pl.Series(values.astype(np.int64)) for name, values in figures.items()}
    )

    def taxed(rows: pl.DataFrame, *keys: str) -> dict[Any, FigureSums]:
        clusters = rows.group_by("cluster", *keys).agg(pl.col(*figures).sum())
        return _by_group(clusters.with_columns(part=pl.col(*keys) if keys else pl.lit(0)), "part", ["tax"], _OF_TAX)

    owners = {}
    for name in GROUPS:
        of_tax, held = taxed(frame.filter(pl.col(name) >= 0), name), calls.owners[name][1]
        owners[name] = {held[at]: _joined(sums.owners[name][held[at]], found) for at, found in of_tax.items()}
    return replace(sums, whole=_joined(sums.whole, taxed(frame)[0]), owners=owners)


def _joined(held: FigureSums, tax: FigureSums) -> FigureSums:
    return replace(held, of=held.of | tax.of, products=held.products | tax.products)


def _figures(measured: Measured) -> dict[str, pl.Series]:
    requests, calls = measured.requests, measured.calls
    values = {
        "requests": np.ones(len(measured.name), dtype=np.int64),
        "priced": requests.priced,
        "unpriced": ~requests.priced,
        "cost": requests.cost,
        "tokens": _tokens(requests, TOKEN_TYPES),
        "cache_read": requests.tokens["cache_read"],
        "input_side": _tokens(requests, _INPUT_TYPES),
        "failed": calls.failed,
        "abstained": calls.abstained,
    }
    return {name: pl.Series(np.asarray(column).astype(np.int64)) for name, column in values.items()}


def _tokens(requests: Requests, kinds: Sequence[str]) -> Ints:
    total: Ints = np.zeros(len(requests), dtype=np.int64)
    for kind in kinds:
        total = total + requests.tokens[kind]
    return total


def _by_group(
    clusters: pl.DataFrame, group: str, figures: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> dict[Any, FigureSums]:
    """Return sums over clusters of figures and of products of two, by group."""
    largest = clusters.select(pl.col(pl.Int64).cast(pl.Float64).abs().max()).row(0) if clusters.height else ()
    most = max((value for value in largest if value is not None), default=0.0)
    if most * most * clusters.height >= _EXACT:
        return _in_any_size(clusters, group, figures, pairs)
    wide = {name: pl.col(name).cast(pl.Int128) for pair in pairs for name in pair}
    sums = clusters.group_by(group).agg(
        pl.len().alias("clusters"),
        *(pl.col(name).cast(pl.Int128).sum() for name in figures),
        *((wide[y] * wide[x]).sum().alias(f"{y}*{x}") for y, x in pairs),
    )
    return {
        row[group]: FigureSums(
            clusters=row["clusters"],
            of={name: row[name] for name in figures},
            products={f"{y}*{x}": row[f"{y}*{x}"] for y, x in pairs},
        )
        for row in sums.iter_rows(named=True)
    }


def _in_any_size(
    clusters: pl.DataFrame, group: str, figures: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> dict[Any, FigureSums]:
    """Return the same in whole numbers of any size, which takes longer."""
    found: dict[Any, FigureSums] = {}
    for (name,), part in clusters.group_by(group):
        columns = {column: part[column].to_list() for pair in pairs for column in pair}
        found[name] = FigureSums(
            clusters=part.height,
            of={figure: sum(part[figure].to_list()) for figure in figures},
            products={f"{y}*{x}": sum(map(operator.mul, columns[y], columns[x])) for y, x in pairs},
        )
    return found
