"""Metrics that gates check, each with the standard error of its cluster sampling.

A ratio R = Σy / Σx over clusters c has the linearised variance Σ (y_c - R·x_c)² / (Σx)², and a total Σy the variance
Σ y_c² of a Poisson number of clusters (Cochran, "Sampling Techniques", 3rd ed., 6.3 and 9.2). Both follow from Σy, Σx,
Σy², Σxy and Σx², which are whole numbers and add up over the parts of a log.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

import msgspec

from llm_audit.audit.aggregate.cluster_sums import FigureSums
from llm_audit.audit.aggregate.metric_sums import GROUPS, RATIOS, MetricSums
from llm_audit.document.audit import Metric
from llm_audit.money import PICO_PER_USD
from llm_audit.vocabulary import TIERS

LARGEST = 20
"""Models, teams and apps with metrics of their own, by requests; a gate on a smaller one is not evaluated."""


def metrics(sums: MetricSums, *, untaxed: Collection[str] = ()) -> list[Metric]:
    """Metrics over all requests, by tier and model, and by the largest teams and apps.

    Args:
        sums: Of the whole log.
        untaxed: Selectors (such as ``[team=search]``, "" for all requests) of requests whose tax is unknown.
    """
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
    return [_known(metric, untaxed) for metric in found]


def _known(metric: Metric, untaxed: Collection[str]) -> Metric:
    name, bracket, owner = metric.name.partition("[")
    if not name.startswith("flagship_tax") or f"{bracket}{owner}" not in untaxed:
        return metric
    return msgspec.structs.replace(metric, value=None, stderr=None)


def _largest(held: Mapping[str, FigureSums]) -> list[str]:
    """Return the names of most requests."""
    return sorted(held, key=lambda name: (-held[name].of["requests"], name))[:LARGEST]


def _metrics(sums: FigureSums, *, selector: str) -> Iterator[Metric]:
    yield _total(sums, f"total_cost{selector}", "cost")
    yield _total(sums, f"flagship_tax_amount{selector}", "tax")
    for name, unit, y, x in RATIOS:
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
    if not sums.of["priced"]:
        return _metric(sums, name, "USD", (None, None))
    stderr = math.sqrt(sums.products[f"{figure}*{figure}"])
    return _metric(sums, name, "USD", (sums.of[figure] / PICO_PER_USD, stderr / PICO_PER_USD))


def _ratio(sums: FigureSums, name: str, unit: str, first: tuple[int, int], second: tuple[int, int, int]) -> Metric:
    """Return Σy / Σx with its error; ``second`` has Σy², Σxy and Σx²."""
    (y, x), (yy, xy, xx) = first, second
    if x <= 0:
        return _metric(sums, name, unit, (None, None))
    scale = PICO_PER_USD if unit == "USD" else 1
    # Σ (y_c - R·x_c)² by whole numbers: nothing is lost where large terms cancel.
    variance = yy * x * x - 2 * xy * x * y + xx * y * y
    return _metric(sums, name, unit, (y / (x * scale), math.sqrt(variance) / (x * x * scale)))


def _metric(sums: FigureSums, name: str, unit: str, estimate: tuple[float | None, float | None]) -> Metric:
    value, stderr = estimate
    return Metric(
        name=name,
        unit=unit,
        value=None if value is None else _significant(value),
        stderr=None if stderr is None else _significant(stderr),
        requests=sums.of["requests"],
        clusters=sums.clusters,
    )


def _significant(value: float) -> float:
    """Nine significant digits: more than any gate needs."""
    return float(f"{value:.9g}")
