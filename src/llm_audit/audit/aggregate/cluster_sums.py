"""Sums over clusters of requests: of figures, and of products of two, in whole numbers of any size."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.arrays import Ints

try:
    from llm_audit.audit.aggregate._sums import add as _add_compiled
except ImportError:  # built where a C compiler is at hand; polars gives the same integers
    COMPILED = False
else:
    COMPILED = True

Pairs = Sequence[tuple[str, str]]
"""Pairs of figures; ``all_<figure>`` is that of the whole cluster, whatever the group."""

_ALL = "all_"
_EXACT = 1e37
"""Below it, sums of products fit 128 bits."""


class Figures(msgspec.Struct, kw_only=True, frozen=True):
    """Whole numbers of requests: a row a request, a column for each of ``names``."""

    names: tuple[str, ...]
    values: npt.NDArray[np.int64]

    def of(self, names: Sequence[str]) -> Figures:
        """Return some of the columns."""
        columns = [self.names.index(name) for name in names]
        return Figures(names=tuple(names), values=np.ascontiguousarray(self.values[:, columns]))


class FigureSums(msgspec.Struct, kw_only=True, frozen=True):
    """Sums over clusters: their number, each figure, and products of two figures, by ``y*x``."""

    clusters: int
    of: dict[str, int]
    products: dict[str, int]

    def mean_cluster(self, figure: str) -> float:
        """Return the mean figure of the cluster that a unit of it is in: 0 where there is none."""
        return self.products[f"{figure}*{figure}"] / self.of[figure] if self.of[figure] > 0 else 0.0


def cluster_sums(cluster: Ints, group: Ints, figures: Figures, pairs: Pairs) -> dict[int, FigureSums]:
    """Return the sums of each group over its clusters.

    Args:
        cluster: The cluster of each request, a number from 0.
        group: The group of each request, a number from 0; one below is of none.
        figures: What is summed.
        pairs: Of which products are summed.
    """
    found = _by_request(cluster, group, figures, pairs) if COMPILED else None
    return _by_polars(cluster, group, figures, pairs) if found is None else found


def _by_request(cluster: Ints, group: Ints, figures: Figures, pairs: Pairs) -> dict[int, FigureSums] | None:
    """Return the sums by compiled code; None where one does not fit its bits."""
    place = {name: at for at, name in enumerate((*figures.names, *(f"{_ALL}{name}" for name in figures.names)))}
    asked = np.array([[place[y], place[x]] for y, x in pairs], dtype=np.int64)
    groups = int(group.max(initial=-1)) + 1
    clusters = np.zeros(groups, dtype=np.int64)
    sums = np.zeros((groups, len(figures.names)), dtype=np.int64)
    low, high = (np.zeros((groups, len(pairs)), dtype=np.int64) for _ in range(2))
    if not _add_compiled(cluster, group, figures.values, asked, clusters, sums, low, high):
        return None
    found = {}
    for at in np.flatnonzero(clusters).tolist():
        halves = zip(high[at].tolist(), low[at].view(np.uint64).tolist(), strict=True)
        products = [(upper << 64) + lower for upper, lower in halves]
        found[at] = FigureSums(
            clusters=int(clusters[at]),
            of=dict(zip(figures.names, sums[at].tolist(), strict=True)),
            products={f"{y}*{x}": product for (y, x), product in zip(pairs, products, strict=True)},
        )
    return found


def _by_polars(cluster: Ints, group: Ints, figures: Figures, pairs: Pairs) -> dict[int, FigureSums]:
    """Return the same by polars."""
    columns = dict(zip(figures.names, figures.values.T, strict=True))
    frame = pl.DataFrame({"cluster": cluster, "group": group, **columns})
    clusters = frame.filter(pl.col("group") >= 0).group_by("group", "cluster").agg(pl.col(figures.names).sum())
    if any(name.startswith(_ALL) for pair in pairs for name in pair):
        whole = frame.group_by("cluster").agg(pl.col(figures.names).sum().name.prefix(_ALL))
        clusters = clusters.join(whole, on="cluster")
    largest = clusters.select(pl.col(pl.Int64).cast(pl.Float64).abs().max()).row(0) if clusters.height else ()
    most = max((value for value in largest if value is not None), default=0.0)
    if most * most * clusters.height >= _EXACT:
        return _in_any_size(clusters, figures.names, pairs)
    wide = {name: pl.col(name).cast(pl.Int128) for pair in pairs for name in pair}
    sums = clusters.group_by("group").agg(
        pl.len().alias("clusters"),
        *(pl.col(name).cast(pl.Int128).sum() for name in figures.names),
        *((wide[y] * wide[x]).sum().alias(f"{y}*{x}") for y, x in pairs),
    )
    return {
        row["group"]: FigureSums(
            clusters=row["clusters"],
            of={name: row[name] for name in figures.names},
            products={f"{y}*{x}": row[f"{y}*{x}"] for y, x in pairs},
        )
        for row in sums.iter_rows(named=True)
    }


def _in_any_size(clusters: pl.DataFrame, figures: Sequence[str], pairs: Pairs) -> dict[int, FigureSums]:
    """Return the same in whole numbers of any size, which takes longer."""
    found: dict[int, FigureSums] = {}
    for (group,), part in clusters.group_by("group"):
        columns = {column: part[column].to_list() for pair in pairs for column in pair}
        assert isinstance(group, int)
        found[group] = FigureSums(
            clusters=part.height,
            of={figure: sum(part[figure].to_list()) for figure in figures},
            products={f"{y}*{x}": sum(map(operator.mul, columns[y], columns[x])) for y, x in pairs},
        )
    return found
