"""Sums that metrics are made of: figures of clusters, and products of two, which add up over the parts of a log.

But for the tax they depend on no policy, and are kept for the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from llm_audit.arrays import Bools, Index, Ints
from llm_audit.audit.aggregate.calls import Calls
from llm_audit.audit.aggregate.cluster_sums import Figures, FigureSums, cluster_sums
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

_NONE = -1
"""The number of no group."""


class Measured(msgspec.Struct, kw_only=True, frozen=True):
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


class MetricSums(msgspec.Struct, kw_only=True, frozen=True):
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
    figures = _figures(measured)
    shared = figures.of(_PARTS)
    of_whole = [pair for name in _PARTS for pair in ((name, name), (name, f"all_{name}"))]

    def parts(names: Sequence[str | None]) -> dict[str, FigureSums]:
        held = list(dict.fromkeys(name for name in names if name is not None))
        number = {name: at for at, name in enumerate(held)}
        group = np.array([number.get(name, _NONE) if name is not None else _NONE for name in names], dtype=np.int32)
        return _named(cluster_sums(calls.cluster, group[measured.name], shared, of_whole), held)

    return MetricSums(
        whole=cluster_sums(calls.cluster, np.zeros_like(calls.cluster), figures, _PRODUCTS)[0],
        owners={
            name: _named(cluster_sums(calls.cluster, number, figures, _PRODUCTS), held)
            for name, (number, held) in calls.owners.items()
            if name in GROUPS
        },
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
    figures = Figures(names=("cost", "tax"), values=_columns([measured.requests.cost, tax]))

    def taxed(group: Ints) -> dict[int, FigureSums]:
        return cluster_sums(calls.cluster, group, figures, _OF_TAX)

    owners = {}
    for name in GROUPS:
        number, held = calls.owners[name]
        owners[name] = {held[at]: _joined(sums.owners[name][held[at]], found) for at, found in taxed(number).items()}
    return replace(sums, whole=_joined(sums.whole, taxed(np.zeros_like(calls.cluster))[0]), owners=owners)


def _named(sums: dict[int, FigureSums], names: Sequence[str]) -> dict[str, FigureSums]:
    return {names[at]: found for at, found in sums.items()}


def _joined(held: FigureSums, tax: FigureSums) -> FigureSums:
    return replace(held, of=held.of | {"tax": tax.of["tax"]}, products=held.products | tax.products)


def _figures(measured: Measured) -> Figures:
    requests, calls = measured.requests, measured.calls
    values: dict[str, Ints | Bools] = {
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
    return Figures(names=_FIGURES, values=_columns([values[name] for name in _FIGURES]))


def _columns(columns: Sequence[Ints | Bools]) -> npt.NDArray[np.int64]:
    """Return columns as a table, a row a request."""
    table = np.empty((len(columns[0]), len(columns)), dtype=np.int64)
    for at, column in enumerate(columns):
        table[:, at] = column
    return table


def _tokens(requests: Requests, kinds: Sequence[str]) -> Ints:
    total: Ints = np.zeros(len(requests), dtype=np.int64)
    for kind in kinds:
        total = total + requests.tokens[kind]
    return total
