"""Link the owners that a key is seen under, so that all rows that hang together get one label, the smallest owner.

Owners and the keys they share are a graph, whose edges are spread over buckets. Rounds of two steps turn it into stars
around the smallest owner of each component, in a number of rounds that grows with the logarithm of the longest chain:
"small star" links all smaller neighbours of a node to the smallest, "large star" all larger ones (Kiveris et al.,
Connected Components in MapReduce and Beyond, 2014). Each edge goes to the bucket of the node that groups it next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.ledger.assembly.keys import send
from llm_audit.ledger.assembly.layout import LayoutStep
from llm_audit.ledger.row_hashes import hash_rows
from llm_audit.ledger.shared.steps import Counts, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStep(LayoutStep):
    """One bucket of a round: round 0 finds the edges, odd ones make small stars and even ones large stars."""

    round: int

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the file of edges."""
        return (self.layout.edges(self.round).name(0, 0, self.number),)

    def run(self) -> Outcome:
        """Write the edges of the next round."""
        if self.round == 0:
            links = self.layout.links.frame(self.folder, self.number)
            edges = None if links is None else _shared(links)
            return self._write(edges)
        edges = self.layout.edges(self.round - 1).frame(self.folder, self.number)
        if edges is not None:
            edges = edges.unique()
        if edges is None or self.round % 2 == 0:
            return self._write(None if edges is None else _large_stars(edges))
        small = _small_stars(edges)
        self._write(pl.concat([small, small.select(node="neighbour", neighbour="node")]))
        return Outcome(Counts(edges=edges.height, edges_hash=_hash_of_set(edges)))

    def _write(self, edges: pl.DataFrame | None) -> Outcome:
        send(self.folder, self.layout.edges(self.round), self.number, edges, "node")
        return Outcome(Counts(edges=0 if edges is None else edges.height))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStep(LayoutStep):
    """Send the labels of a bucket's owners to the groups that have rows of them."""

    round: int  # that made the stars

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the file of labels."""
        return (self.layout.labels.name(0, 0, self.number),)

    def run(self) -> Outcome:
        """Write for each group the owners whose label is another owner."""
        folder, relay = self.folder, self.layout.labels
        labels = self.layout.edges(self.round).frame(folder, self.number)
        own = None if labels is None else self.layout.owners.frame(folder, self.number)
        if labels is None or own is None:
            relay.write(folder, self.number, None, np.zeros(0, np.int64))
            return Outcome()
        found = own.join(labels.unique(), left_on="owner", right_on="node", maintain_order="left").rename(
            {"neighbour": "label"}
        )
        relay.write(folder, self.number, found.drop("group").to_arrow(), found["group"].to_numpy())
        return Outcome()


def _shared(links: pl.DataFrame) -> pl.DataFrame:
    """Return edges from the owners of each key to the smallest of them."""
    order = np.argsort(links["key"].to_numpy())
    keys, owners = links["key"].to_numpy()[order], links["owner"].to_numpy()[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    smallest = np.repeat(np.minimum.reduceat(owners, starts), np.diff(starts, append=len(keys)))
    linked = owners != smallest
    return pl.DataFrame({"node": owners[linked], "neighbour": smallest[linked]}).unique()


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
