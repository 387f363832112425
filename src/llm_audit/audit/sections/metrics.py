"""Metrics that gates check, each with the standard error of its cluster sampling.

A ratio R = Σy / Σx over clusters c has the linearised variance Σ (y_c - R·x_c)² / (Σx)², and a total Σy the variance
Σ y_c² of a Poisson number of clusters (Cochran, "Sampling Techniques", 3rd ed., 6.3 and 9.2). Both follow from Σy, Σx,
Σy², Σxy and Σx², which are whole numbers and add up over the parts of a log.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.arrays import Index, Ints
from llm_audit.audit.aggregate.calls import Calls
from llm_audit.document.audit import Metric
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import PICO_PER_USD
from llm_audit.policy import Requests
from llm_audit.vocabulary import TIERS

GROUPS = ("team", "app")
LARGEST = 20
"""Models, teams and apps with metrics of their own, by requests; a gate on a smaller one is not evaluated."""

_INPUT_TYPES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input")
_RATIOS = (
    ("cost_per_request", "USD", "cost", "priced"),
    ("tokens_per_request", "count", "tokens", "requests"),
    ("flagship_tax", "share", "tax", "cost"),
    ("cache_read_share", "share", "cache_read", "input_side"),
    ("failed_share", "share", "failed", "requests"),
    ("abstained_share", "share", "abstained", "requests"),
    ("unpriced_share", "share", "unpriced", "requests"),
)
_FIGURES = (
    "requests", "priced", "unpriced", "cost", "tax", "tokens", "cache_read", "input_side", "failed", "abstained",
)  # fmt: skip
"""Figures that metrics sum, a value a request."""

_PRODUCTS = tuple(
    dict.fromkeys(
        [("cost", "cost"), ("tax", "tax")] + [pair for _, _, y, x in _RATIOS for pair in ((y, y), (y, x), (x, x))]
    )
)
"""Pairs of figures whose products are summed over clusters."""

_PARTS = ("requests", "cost")
"""Figures of which parts of the whole are metrics."""

_EXACT = 1e37
"""Below it, sums of products fit 128 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Requests, and what a policy would have paid.

    Attributes:
        requests: The requests.
        calls: Their clusters and owners.
        name: A number for each request's model and tier.
        tiers: The tier of each number.
        labels: The model of each number.
        tax: Actual minus expected policy cost, pico-dollars.
    """

    requests: Requests
    calls: Calls
    name: Index
    tiers: list[str]
    labels: list[str | None]
    tax: Ints


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


def metric_sums(measured: Measured) -> MetricSums:
    """Sum the requests of a part of a log, in which no cluster may lie that another part has requests of."""
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


def _figures(measured: Measured) -> dict[str, pl.Series]:
    requests, calls = measured.requests, measured.calls
    values = {
        "requests": np.ones(len(measured.name), dtype=np.int64),
        "priced": requests.priced,
        "unpriced": ~requests.priced,
        "cost": requests.cost,
        "tax": measured.tax,
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
) -> dict[str, FigureSums]:
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
) -> dict[str, FigureSums]:
    """Return the same in whole numbers of any size, which takes longer."""
    found = {}
    for (name,), part in clusters.group_by(group):
        columns = {column: part[column].to_list() for pair in pairs for column in pair}
        found[str(name)] = FigureSums(
            clusters=part.height,
            of={figure: sum(part[figure].to_list()) for figure in figures},
            products={f"{y}*{x}": sum(map(operator.mul, columns[y], columns[x])) for y, x in pairs},
        )
    return found


def metrics(sums: MetricSums) -> list[Metric]:
    """Metrics over all requests, by tier and model, and by the largest teams and apps."""
    whole = sums.whole
    found = list(_metrics(whole, selector=""))

    def part(metric: str, held: FigureSums | None, figure: str) -> Metric:
        """Return the share of a figure that a part of the requests has."""
        of, products = (held.of, held.products) if held else ({}, {})
        y, yy, xy = of.get(figure, 0), products.get(f"{figure}*{figure}", 0), products.get(f"{figure}*all_{figure}", 0)
        return _ratio(whole, metric, "share", (y, whole.of[figure]), (yy, xy, whole.products[f"{figure}*{figure}"]))

    ascending = (*reversed(TIERS[:-1]), TIERS[-1])  # the unknown tier stays last
    found += [part(f"model_share[{tier}]", sums.tiers.get(tier), "requests") for tier in ascending]
    found += [part(f"cost_share[{tier}]", sums.tiers.get(tier), "cost") for tier in ascending]
    found += [part(f"model_share[{model}]", sums.labels[model], "requests") for model in _largest(sums.labels)]
    for group in GROUPS:
        for owner in _largest(sums.owners[group]):
            found += _metrics(sums.owners[group][owner], selector=f"[{group}={owner}]")
    return found


def _largest(held: Mapping[str, FigureSums]) -> list[str]:
    """Return the names of most requests."""
    return sorted(held, key=lambda name: (-held[name].of["requests"], name))[:LARGEST]


def _metrics(sums: FigureSums, *, selector: str) -> Iterator[Metric]:
    yield _total(sums, f"total_cost{selector}", "cost")
    yield _total(sums, f"flagship_tax_amount{selector}", "tax")
    for name, unit, y, x in _RATIOS:
        of, products = sums.of, sums.products
        second = (products[f"{y}*{y}"], products[f"{y}*{x}"], products[f"{x}*{x}"])
        yield _ratio(sums, f"{name}{selector}", unit, (of[y], of[x]), second)


def cost_metrics(sums: FigureSums, *, selector: str) -> Iterator[Metric]:
    """Yield the metrics that need no other figures than requests, priced requests and cost."""
    products = sums.products
    yield _total(sums, f"total_cost{selector}", "cost")
    second = (products["cost*cost"], products["cost*priced"], products["priced*priced"])
    yield _ratio(sums, f"cost_per_request{selector}", "USD", (sums.of["cost"], sums.of["priced"]), second)


def _total(sums: FigureSums, name: str, figure: str) -> Metric:
    stderr = math.sqrt(sums.products[f"{figure}*{figure}"])
    return _metric(sums, name, "USD", (sums.of[figure] / PICO_PER_USD, stderr / PICO_PER_USD))


def _ratio(sums: FigureSums, name: str, unit: str, first: tuple[int, int], second: tuple[int, int, int]) -> Metric:
    """Return Σy / Σx with its error; ``second`` has Σy², Σxy and Σx²."""
    (y, x), (yy, xy, xx) = first, second
    if x <= 0:
        return _metric(sums, name, unit, (0.0, None))
    scale = PICO_PER_USD if unit == "USD" else 1
    # Σ (y_c - R·x_c)² by whole numbers: nothing is lost where large terms cancel.
    variance = yy * x * x - 2 * xy * x * y + xx * y * y
    return _metric(sums, name, unit, (y / (x * scale), math.sqrt(variance) / (x * x * scale)))


def _metric(sums: FigureSums, name: str, unit: str, estimate: tuple[float, float | None]) -> Metric:
    value, stderr = estimate
    return Metric(
        name=name,
        unit=unit,
        value=_significant(value),
        stderr=None if stderr is None else _significant(stderr),
        requests=sums.of["requests"],
        clusters=sums.clusters,
    )


def _significant(value: float) -> float:
    """Nine significant digits: more than any gate needs."""
    return float(f"{value:.9g}")
