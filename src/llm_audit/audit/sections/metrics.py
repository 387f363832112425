"""Metrics that gates check, each with the standard error of its cluster sampling.

A ratio R = Σy / Σx over clusters c has the linearised variance Σ (y_c - R·x_c)² / (Σx)², and a total Σy the variance
Σ y_c² of a Poisson number of clusters (Cochran, "Sampling Techniques", 3rd ed., 6.3 and 9.2). Both need one pass and
depend on no order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llm_audit.arrays import Bools, Floats, Index, Ints, exact_total, grouped_sum
from llm_audit.audit.aggregate.calls import NOWHERE, Calls
from llm_audit.document.audit import Metric
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import PICO_PER_USD
from llm_audit.policy import Requests
from llm_audit.vocabulary import TIERS

GROUPS = ("team", "app")
LARGEST = 20
"""Models, teams and apps with metrics of their own, by requests; a gate on a smaller one is not evaluated."""

_ROUNDING = 8 * float(np.finfo(np.float64).eps)

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


def _tokens(*kinds: str) -> Callable[[Measured], Ints]:
    def total(measured: Measured) -> Ints:
        tokens = np.zeros(len(measured.name), dtype=np.int64)
        for kind in kinds:
            tokens += measured.requests.tokens[kind]
        return tokens

    return total


_FIGURES: dict[str, Callable[[Measured], Ints | Bools]] = {
    "requests": lambda measured: np.ones(len(measured.name), dtype=np.bool_),
    "priced": lambda measured: measured.requests.priced,
    "unpriced": lambda measured: ~measured.requests.priced,
    "cost": lambda measured: measured.requests.cost,
    "tax": lambda measured: measured.tax,
    "tokens": _tokens(*TOKEN_TYPES),
    "cache_read": _tokens("cache_read"),
    "input_side": _tokens(*_INPUT_TYPES),
    "failed": lambda measured: measured.calls.failed,
    "abstained": lambda measured: measured.calls.abstained,
}
"""Figures that metrics sum, a value a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """Sums of a figure by cluster, and in all: whole numbers, or dollars."""

    by: Floats
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """Sums over requests.

    Attributes:
        of: Each figure's, by cluster.
        requests: Requests in all.
    """

    of: Mapping[str, _Figure]
    requests: int


def metrics(measured: Measured) -> list[Metric]:
    """Metrics over all requests, by tier and model, and by the largest teams and apps."""
    calls, name = measured.calls, measured.name
    count = int(calls.cluster.max(initial=-1)) + 1
    figures = {figure: of(measured) for figure, of in _FIGURES.items()}
    sums = {figure: _summed(calls.cluster, values, figure, count) for figure, values in figures.items()}
    whole = _Sums(of=sums, requests=len(name))
    found = list(_metrics(whole, selector=""))

    def part(metric: str, held: Sequence[bool], figure: str) -> Metric:
        """Return the share of a figure that requests of some names have."""
        rows = np.array(held, dtype=np.bool_)[name]
        above = _summed(calls.cluster[rows], figures[figure][rows], figure, count)
        return _ratio(whole, metric, "share", above, sums[figure])

    ascending = (*reversed(TIERS[:-1]), TIERS[-1])  # the unknown tier stays last
    tiers = {tier: [held == tier for held in measured.tiers] for tier in ascending}
    found += [part(f"model_share[{tier}]", tiers[tier], "requests") for tier in ascending]
    found += [part(f"cost_share[{tier}]", tiers[tier], "cost") for tier in ascending]
    for model in _largest(name, measured.labels):
        found.append(part(f"model_share[{model}]", [label == model for label in measured.labels], "requests"))
    for group in GROUPS:
        number, owners = calls.owners[group]
        for owner in _largest(number, owners):
            rows = np.flatnonzero(number == owners.index(owner))
            cluster = np.unique(calls.cluster[rows], return_inverse=True)[1].astype(np.int32)
            held = int(cluster.max(initial=-1)) + 1
            of_owner = {figure: _summed(cluster, values[rows], figure, held) for figure, values in figures.items()}
            found += _metrics(_Sums(of=of_owner, requests=len(rows)), selector=f"[{group}={owner}]")
    return found


def _largest(number: Index, names: Sequence[str | None]) -> list[str]:
    """Return the names of most requests; several numbers may have one name."""
    counts: Counter[str] = Counter()
    for name, count in zip(names, np.bincount(number[number != NOWHERE], minlength=len(names)).tolist(), strict=True):
        if name is not None:
            counts[name] += count
    return sorted(counts, key=lambda name: (-counts[name], name))[:LARGEST]


def _summed(cluster: Index, values: Ints | Bools, figure: str, count: int) -> _Figure:
    unit = PICO_PER_USD if figure in {"cost", "tax"} else 1
    amounts = values.astype(np.int64)
    return _Figure(by=grouped_sum(cluster, amounts, count) / unit, total=exact_total(amounts) / unit)


def _metrics(sums: _Sums, *, selector: str) -> Iterator[Metric]:
    yield _total(sums, f"total_cost{selector}", "cost")
    yield _total(sums, f"flagship_tax_amount{selector}", "tax")
    for name, unit, above, below in _RATIOS:
        yield _ratio(sums, f"{name}{selector}", unit, sums.of[above], sums.of[below])


def _total(sums: _Sums, name: str, figure: str) -> Metric:
    values = sums.of[figure]
    return _metric(sums, name, "USD", (values.total, math.sqrt(float((values.by * values.by).sum()))))


def _ratio(sums: _Sums, name: str, unit: str, above: _Figure, below: _Figure) -> Metric:
    if below.total <= 0:
        return _metric(sums, name, unit, (0.0, None))
    ratio = above.total / below.total
    residuals = above.by - ratio * below.by
    # What is left by rounding alone is no error.
    residuals[np.abs(residuals) <= _ROUNDING * np.abs(above.by)] = 0
    return _metric(sums, name, unit, (ratio, math.sqrt(float((residuals * residuals).sum())) / below.total))


def _metric(sums: _Sums, name: str, unit: str, estimate: tuple[float, float | None]) -> Metric:
    value, stderr = estimate
    return Metric(
        name=name,
        unit=unit,
        value=_significant(value),
        stderr=None if stderr is None else _significant(stderr),
        requests=sums.requests,
        clusters=len(sums.of["requests"].by),
    )


def _significant(value: float) -> float:
    """Nine significant digits: more than any gate needs, fewer than the last bits that a sum's order could touch."""
    return float(f"{value:.9g}")
