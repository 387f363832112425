"""Who spends: users and tags, and the conversations and traces that cost most.

Users and tags may have requests in any part of a log, so all of them are summed. A conversation or trace is in one
part, so that the largest of all are among the largest of each part: the others are one row, and no total changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Index, Ints, exact_total, grouped_sum
from llm_audit.audit.aggregate.calls import NOWHERE
from llm_audit.policy import Columns, Requests

LARGEST = 20
"""Conversations and traces that are kept apart, by cost."""

_NAMED = ("kind", "name")
_SINGLE = ("requests", "priced", "cost_pico")
_SPENT_ON = {"app": "apps", "model": "models"}
SQUARES = ("cost_cost", "cost_priced", "priced_priced")
IDS = ("conversation", "trace")
SPENDER_COLUMNS = ("user", "tags", *IDS, *_SPENT_ON)
"""The ledger's columns that ``spender_sums`` reads."""

_NO_NAMES = pl.lit([], pl.List(pl.String))
_IDS = pl.Schema(
    {
        "kind": pl.String(),
        "name": pl.UInt64(),
        "requests": pl.Int64(),
        "priced": pl.Int64(),
        "cost_pico": pl.Int128(),
        "others": pl.Int64(),
        "apps": pl.List(pl.String),
        "models": pl.List(pl.String),
    }
)
"""Ids that cost most, and one row of each kind for the others, which has no name and their number."""


class SpenderSums(msgspec.Struct, kw_only=True, frozen=True):
    """Sums of priced and other requests by who sent them.

    Attributes:
        names: By ``kind`` (``user`` or ``tag:<key>``) and ``name``: sums, the number of clusters, and products of
            two figures summed over clusters.
        ids: By ``kind`` (``conversation`` or ``trace``) and ``name``, its hash, with the names of its ``apps`` and
            ``models``; null for ``others`` together.
    """

    names: pl.DataFrame
    ids: pl.DataFrame


def spender_sums(columns: Columns, requests: Requests, cluster: Index) -> SpenderSums:
    """Sum the requests of a part of a log.

    Args:
        columns: Reads columns of its rows.
        requests: The requests, in the same order.
        cluster: The number of each request's cluster.
    """
    frame = columns(SPENDER_COLUMNS).collect()
    sent = frame.select(
        "user",
        pl.col("tags").cast(pl.String),
        cluster=pl.Series(cluster),
        requests=pl.lit(1, pl.Int64),
        priced=pl.Series(requests.priced).cast(pl.Int64),
        cost_pico=pl.Series(requests.cost),
    )
    return SpenderSums(
        names=pl.concat([_names(_users(sent)), _names(_tags(sent))]).sort(_NAMED),
        ids=pl.concat([_ids(frame, kind, requests) for kind in IDS]),
    )


def add_spenders(parts: Sequence[SpenderSums]) -> SpenderSums:
    """Return the sums of a log from those of its parts."""
    sums = ("clusters", *_SINGLE, *SQUARES)
    names = pl.concat([part.names for part in parts]).group_by(_NAMED).agg(pl.col(name).sum() for name in sums)
    return SpenderSums(names=names.sort(_NAMED), ids=_largest(pl.concat([part.ids for part in parts])))


def _users(sent: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each request that names a user."""
    return sent.drop_nulls("user").select(
        pl.lit("user").alias("kind"), name="user", cluster="cluster", **{name: pl.col(name) for name in _SINGLE}
    )


def _tags(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each request and each of its tags that has a key."""
    pairs = frame.drop_nulls("tags").select(pl.col("tags").str.split(",").alias("tag"), "cluster", *_SINGLE)
    pair = pl.col("tag").str.splitn("=", 2)
    return (
        pairs.explode("tag")
        .filter(pl.col("tag").str.contains("=", literal=True))
        .select(
            kind=pl.concat_str(pl.lit("tag:"), pair.struct.field("field_0")),
            name=pair.struct.field("field_1"),
            cluster="cluster",
            **{name: pl.col(name) for name in _SINGLE},
        )
        .filter(pl.col("name") != "")
    )


def _names(rows: pl.DataFrame) -> pl.DataFrame:
    by_cluster = rows.group_by(*_NAMED, "cluster").agg(pl.col(_SINGLE).sum())
    cost, priced = (pl.col(name).cast(pl.Int128) for name in ("cost_pico", "priced"))
    return (
        by_cluster.group_by(_NAMED)
        .agg(
            pl.len().cast(pl.Int64).alias("clusters"),
            pl.col("requests", "priced").sum(),
            cost.sum(),
            (cost * cost).sum().alias("cost_cost"),
            (cost * priced).sum().alias("cost_priced"),
            (priced * priced).sum().alias("priced_priced"),
        )
        .select(pl.col(_NAMED).cast(pl.String), "clusters", *_SINGLE, *SQUARES)
    )


def _ids(frame: pl.DataFrame, kind: str, requests: Requests) -> pl.DataFrame:
    """Return the ids of a kind that cost most, and one row for those of all others: see ``_IDS``."""
    rows = np.flatnonzero(frame[kind].is_not_null())
    names, of = np.unique(frame[kind].drop_nulls().to_numpy(), return_inverse=True)
    count, costs = len(names), requests.cost[rows]
    sent = np.bincount(of, minlength=count)
    priced = np.bincount(of[requests.priced[rows]], minlength=count)
    cost = grouped_sum(of, costs, count)
    order = np.lexsort((names, -sent, -cost))
    first, rest = order[:LARGEST], order[LARGEST:]
    spent_on = _spent_on(frame[rows], of, first)
    listed = {"kind": kind, "name": names[first], "requests": sent[first], "priced": priced[first]}
    found = [pl.DataFrame({**listed, "cost_pico": cost[first], "others": 0, **spent_on}, schema=_IDS)]
    if len(rest):
        sums = {"requests": sent[rest].sum(), "priced": priced[rest].sum(), "cost_pico": exact_total(cost[rest])}
        others = {"kind": kind, "name": None, **sums, "others": len(rest), "apps": [], "models": []}
        found.append(pl.DataFrame([others], schema=_IDS))
    return pl.concat(found)


def _spent_on(frame: pl.DataFrame, of: Ints, ids: Ints) -> dict[str, pl.Series]:
    """Return the names of the apps and models of some ids, given the number of each row's id."""
    place = np.full(int(of.max(initial=-1)) + 1, NOWHERE)
    place[ids] = np.arange(len(ids))
    number = place[of]
    rows = np.flatnonzero(number != NOWHERE)
    lists = [pl.col(one).cast(pl.String).drop_nulls().unique().sort().alias(many) for one, many in _SPENT_ON.items()]
    found = frame[rows].group_by(number=pl.Series(number[rows])).agg(lists).sort("number")
    return {many: found[many] for many in _SPENT_ON.values()}


def _largest(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the ids that cost most of each kind, and one row for those of all others."""
    order = ["kind", "cost_pico", "requests", "name"]
    ranked = (
        rows.drop_nulls("name")
        .sort(order, descending=[False, True, True, False])
        .with_columns(rank=pl.int_range(pl.len()).over("kind"))
    )
    first = ranked.filter(pl.col("rank") < LARGEST).drop("rank")
    rest = pl.concat(
        [
            rows.filter(pl.col("name").is_null()),
            ranked.filter(pl.col("rank") >= LARGEST).drop("rank").with_columns(others=pl.lit(1, pl.Int64)),
        ]
    )
    sums = rest.group_by("kind").agg(pl.col(*_SINGLE, "others").sum())
    others = sums.with_columns(pl.lit(None, pl.UInt64).alias("name"), apps=_NO_NAMES, models=_NO_NAMES)
    return pl.concat([first, others.select(first.columns)])
