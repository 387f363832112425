"""Link the owners that a key is seen under, so that all rows that hang together get one label, the smallest owner.

Owners and the keys they share are a graph, whose edges are spread over buckets. Rounds of two steps turn it into stars
around the smallest owner of each component, in a number of rounds that grows with the logarithm of the longest chain:
"small star" links all smaller neighbours of a node to the smallest, "large star" all larger ones (Kiveris et al.,
Connected Components in MapReduce and Beyond, 2014). Each edge goes to the bucket of the node that groups it next.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from llm_audit.ledger.assembly.keys import LINKS, OWNERS, in_buckets, read_rows, slice_of
from llm_audit.ledger.assembly.slices import read_slice, write_slices
from llm_audit.ledger.assembly.steps import Counts, Layout, Outcome, Step
from llm_audit.ledger.row_hashes import hash_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStep(Step):
    """One bucket of a round: round 0 finds the edges, odd ones make small stars and even ones large stars."""

    round: int

    @property
    def target(self) -> Path:
        """Return the file of edges, with a slice for each bucket."""
        return _edges(self.layout, self.round, self.number)

    def run(self) -> Outcome:
        """Write the edges of the next round."""
        if self.round == 0:
            place = slice_of(LINKS, self.number, self.layout.partitions)
            keys = (self.layout.path("keys", part) for part in range(self.layout.parts))
            links = read_rows([read_slice(path, place) for path in keys])
            edges = None if links is None else _shared(links)
            return self._write(edges)
        edges = _read_edges(self.layout, self.round - 1, self.number)
        if edges is None or self.round % 2 == 0:
            return self._write(None if edges is None else _large_stars(edges))
        small = _small_stars(edges)
        self._write(pl.concat([small, small.select(node="neighbour", neighbour="node")]))
        return Outcome(Counts(edges=edges.height, edges_hash=_hash_of_set(edges)))

    def _write(self, edges: pl.DataFrame | None) -> Outcome:
        buckets = self.layout.partitions
        write_slices(self.target, [None] * buckets if edges is None else in_buckets(edges, "node", buckets))
        return Outcome(Counts(edges=0 if edges is None else edges.height))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStep(Step):
    """Send the labels of a bucket's owners to the parts that have rows of them."""

    round: int  # that made the stars

    @property
    def target(self) -> Path:
        """Return the file of labels, with a slice for each part."""
        return self.layout.path("labels", self.number)

    def run(self) -> Outcome:
        """Write for each part the owners whose label is another owner."""
        labels = _read_edges(self.layout, self.round, self.number)
        if labels is None:
            write_slices(self.target, [None] * self.layout.parts)
            return Outcome(Counts())
        slices: list[Any] = []
        for part in range(self.layout.parts):
            path = self.layout.path("keys", part)
            own = read_slice(path, slice_of(OWNERS, self.number, self.layout.partitions))
            if own is None:
                slices.append(None)
                continue
            found = pl.DataFrame(own).join(labels, left_on="owner", right_on="node")
            slices.append(found.rename({"neighbour": "label"}).to_arrow())
        write_slices(self.target, slices)
        return Outcome(Counts())


def _edges(layout: Layout, round_: int, bucket: int) -> Path:
    return layout.path(f"link-{round_:03d}", bucket)


def _read_edges(layout: Layout, round_: int, bucket: int) -> pl.DataFrame | None:
    paths = (_edges(layout, round_, number) for number in range(layout.partitions))
    edges = read_rows([read_slice(path, bucket) for path in paths])
    return None if edges is None else edges.unique()


def _shared(links: pl.DataFrame) -> pl.DataFrame:
    """Return edges from the owners of each key to the smallest of them."""
    return (
        links.unique()
        .select(node="owner", neighbour=pl.col("owner").min().over("key"))
        .filter(pl.col("node") != pl.col("neighbour"))
        .unique()
    )


def _small_stars(edges: pl.DataFrame) -> pl.DataFrame:
    """Link a node and its neighbours, all of which are smaller, to the smallest neighbour."""
    smallest = edges.with_columns(smallest=pl.col("neighbour").min().over("node"))
    nodes = smallest.select("node", neighbour="smallest")
    neighbours = smallest.filter(pl.col("neighbour") != pl.col("smallest")).select(
        node="neighbour", neighbour="smallest"
    )
    return pl.concat([nodes, neighbours]).unique()


def _large_stars(edges: pl.DataFrame) -> pl.DataFrame:
    """Link the larger neighbours of a node to the smallest of it and its neighbours."""
    smallest = edges.with_columns(smallest=pl.min_horizontal("node", pl.col("neighbour").min().over("node")))
    return smallest.filter(pl.col("neighbour") > pl.col("node")).select(node="neighbour", neighbour="smallest").unique()


def _hash_of_set(edges: pl.DataFrame) -> int:
    return int(hash_rows([edges["node"].to_numpy(), edges["neighbour"].to_numpy()]).sum(dtype=np.uint64))
