"""The dependency graph of each trace: which request builds on which, and which are one decision.

Edges, in order of trust: a tool result answers the call that asked for it; a prompt continues the one whose messages it
repeats; a span names its parent; and, inferred, a prompt's longest new line is that of a reply, or a request follows
the one before it in its conversation. An edge runs from an earlier request to a later one, so the graph has no cycle.
The most trusted edge into a request makes a tree.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Ints

ROOT = -1


class Edge(StrEnum):
    """Evidence for an edge."""

    TOOL_RESULT = "tool_result"
    PROMPT_PREFIX = "prompt_prefix"
    PARENT_SPAN = "parent_span"
    TEXT_REUSE = "text_reuse"  # inferred: the prompt's longest new line is that of a reply
    PREVIOUS = "previous"  # inferred: the conversation's order only


INFERRED: tuple[Edge, ...] = (Edge.TEXT_REUSE, Edge.PREVIOUS)
"""Edges that the log does not state."""


_JOINS: tuple[tuple[Edge, str, str], ...] = (
    (Edge.TOOL_RESULT, "tool_call_hash", "tool_result_hash"),
    (Edge.PROMPT_PREFIX, "prompt_hash", "parent_prompt_hash"),
    (Edge.PARENT_SPAN, "span", "parent_span"),
    (Edge.TEXT_REUSE, "reply_hash", "quoted_hash"),
)


class Graph(msgspec.Struct, kw_only=True, frozen=True):
    """The requests of traces with at least two, by trace and then time.

    Attributes:
        nodes: ``row`` (place in the ledger), ``trace``, ``parent`` (a node, null for a root), ``edge``, ``unit``.
        edges: All edges between nodes: ``parent``, ``child``, ``edge``.
        unit: The decision each node belongs to: a tool loop is one, and so are siblings of one template.
        unit_parent: The decision each decision depends on, ``ROOT`` for none. It has a lower number.
    """

    nodes: pl.DataFrame
    edges: pl.DataFrame
    unit: Ints
    unit_parent: Ints

    @property
    def row(self) -> Ints:
        """Each node's place in the ledger."""
        return self.nodes["row"].cast(pl.Int32).to_numpy()

    @property
    def parent(self) -> Ints:
        """Each node's parent in the tree, ``ROOT`` for none."""
        return self.nodes["parent"].cast(pl.Int64).fill_null(ROOT).to_numpy()

    @property
    def inferred(self) -> pl.Series:
        """Whether the edge into each node is one that the log does not state; null for a root."""
        return self.nodes["edge"].is_in(INFERRED)

    def empty(self) -> Graph:
        """Return the graph of no requests."""
        return Graph(
            nodes=self.nodes.clear(), edges=self.edges.clear(), unit=self.unit[:0], unit_parent=self.unit_parent[:0]
        )

    def depths(self) -> Ints:
        """Return how many steps each node is from its root."""
        return depths(self.parent)

    def downstream(self, cost: Ints) -> Ints:
        """Return each node's own cost with that of all that depends on it; ``cost`` is of every request."""
        return downstream(self.parent, cost[self.row])


def build_graph(places: pl.LazyFrame) -> Graph:
    """Find the edges of every trace, or conversation where a log has no traces.

    Args:
        places: The columns of ``requests.TRACE_COLUMNS`` and ``answers_tools``, a row a request.
    """
    # A reply that repeats its own prompt passes on what another wrote.
    own = pl.col("reply_hash").ne_missing(pl.col("quoted_hash"))
    keyed = places.with_row_index("row").with_columns(group=pl.coalesce("trace", "conversation"))
    nodes = (
        keyed.filter(pl.col("group").is_not_null() & pl.col("group").is_duplicated())
        .sort("group", "time", "turns", "request_key", nulls_last=False)
        .with_row_index("node")
        .with_columns(pl.col("node").cast(pl.Int64), reply_hash=pl.when(own).then("reply_hash"))
        .collect()
    )
    edges = pl.concat([*(_joined(nodes, *join) for join in _JOINS), _previous(nodes)])
    trust = {edge.value: rank for rank, edge in enumerate(Edge)}
    ranked = edges.with_columns(_trust=pl.col("edge").replace_strict(trust, return_dtype=pl.Int8))
    best = ranked.sort("child", "_trust", "parent", descending=[False, False, True]).unique(
        "child", keep="first", maintain_order=True
    )
    tree = nodes.join(best.select("child", "parent", "edge"), left_on="node", right_on="child", how="left").sort("node")
    unit, unit_parent = _units(tree)
    return Graph(
        nodes=tree.select("row", trace="group", parent="parent", edge="edge").with_columns(unit=pl.Series(unit)),
        edges=edges.sort("child", "parent", "edge"),
        unit=unit,
        unit_parent=unit_parent,
    )


def _joined(nodes: pl.DataFrame, edge: Edge, cause: str, effect: str) -> pl.DataFrame:
    """Edges from the latest earlier request of the trace whose ``cause`` is a request's ``effect``."""
    left = nodes.filter(pl.col(effect).is_not_null()).select("group", child="node", key=effect)
    right = nodes.filter(pl.col(cause).is_not_null()).select("group", parent="node", key=cause)
    found = left.sort("child").join_asof(
        right.sort("parent"),
        left_on="child",
        right_on="parent",
        by=["group", "key"],
        strategy="backward",
        allow_exact_matches=False,
        coalesce=False,
        check_sortedness=False,  # nodes are numbered in order
    )
    return _named(found.filter(pl.col("parent").is_not_null()), edge)


def _previous(nodes: pl.DataFrame) -> pl.DataFrame:
    """Edges from the request before each in its trace and conversation."""
    known = nodes.filter(pl.col("conversation").is_not_null())
    group, conversation = known["group"].rle_id().to_numpy(), known["conversation"].to_numpy()
    order = np.lexsort((conversation, group))  # which is stable: nodes stay in their order
    follows = (np.diff(group[order]) == 0) & (np.diff(conversation[order]) == 0)
    node = known["node"].to_numpy()[order]
    return _named(pl.DataFrame({"parent": node[:-1][follows], "child": node[1:][follows]}), Edge.PREVIOUS)


def _named(edges: pl.DataFrame, edge: Edge) -> pl.DataFrame:
    return edges.select(
        pl.col("parent").cast(pl.Int64),
        pl.col("child").cast(pl.Int64),
        edge=pl.lit(edge.value, pl.Enum([member.value for member in Edge])),
    )


def _units(tree: pl.DataFrame) -> tuple[Ints, Ints]:
    """Number the decisions: each tool loop, with the siblings of the same template below one parent."""
    count = tree.height
    itself = np.arange(count)
    parent = tree["parent"].fill_null(ROOT).to_numpy()
    loops = tree["answers_tools"].fill_null(value=False) & (tree["edge"] != Edge.PARENT_SPAN.value).fill_null(
        value=False
    )
    head = climb(np.where(loops.to_numpy() & (parent != ROOT), parent, itself))
    above = np.where(parent[head] == ROOT, ROOT, head[parent[head]])
    heads = pl.DataFrame(
        {
            "node": itself,
            "is_head": head == itself,
            "above": above,
            "template": tree["template_hash"],
            "span": tree["parent_span"],
            "group": tree["group"],
        }
    )
    # Siblings are known to stand together by a parent in the tree or by naming the same span.
    together = (pl.col("above") != ROOT) | pl.col("span").is_not_null()
    siblings = pl.col("is_head") & pl.col("template").is_not_null() & together
    family = ["is_head", "above", "template", "span", "group"]
    leaders = pl.when(siblings).then(pl.col("node").min().over(family)).otherwise("node")
    first = heads.select(leaders).to_series().to_numpy()
    leader = first[head]
    members, unit = np.unique(leader, return_inverse=True)
    lifted = above[members]
    unit_parent = np.where(lifted == ROOT, ROOT, unit[np.maximum(lifted, 0)])
    return unit.astype(np.int32), unit_parent.astype(np.int32)


def climb(pointer: Ints) -> Ints:
    """Follow pointers to earlier places until they point to themselves, by doubling."""
    while True:
        further = pointer[pointer]
        if (further == pointer).all():
            return pointer
        pointer = further


def depths(parent: Ints) -> Ints:
    """Return each node's distance from its root; a parent has a lower number than its children."""
    # The distance to where each pointer leads, doubled until all lead beyond a root.
    depth = np.where(parent == ROOT, 0, 1)
    pointer = parent.copy()
    while (pointer != ROOT).any():
        there = pointer != ROOT
        step = np.maximum(pointer, 0)
        depth, pointer = depth + np.where(there, depth[step], 0), np.where(there, pointer[step], ROOT)
    return depth


def downstream(parent: Ints, cost: Ints) -> Ints:
    """Return each node's own cost with that of all that depends on it."""
    total = cost.copy()
    depth = depths(parent)
    order = np.argsort(-depth, kind="stable")
    starts = np.flatnonzero(np.diff(depth[order], prepend=-1))
    for level in np.split(order, starts[1:]):
        below = level[parent[level] != ROOT]
        np.add.at(total, parent[below], total[below])
    return total
