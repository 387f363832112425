"""Who spends: users and tags, and the conversations and traces that cost most.

Users and tags may have requests in any part of a log, so all of them are summed. A conversation or trace is in one
part, so that the largest of all are among the largest of each part: the others are one row, and no total changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from llm_audit.arrays import Index
from llm_audit.policy import Columns, Requests

LARGEST = 20
"""Conversations and traces that are kept apart, by cost."""

_NAMED = ("kind", "name")
_SINGLE = ("requests", "priced", "cost_pico")
_SPENT_ON = {"app": "apps", "model": "models"}
SQUARES = ("cost_cost", "cost_priced", "priced_priced")
IDS = ("conversation", "trace")


_NO_NAMES = pl.lit([], pl.List(pl.String))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpenderSums:
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
    frame = (
        columns(["user", "tags", *IDS, *_SPENT_ON])
        .collect()
        .with_columns(
            pl.col("user").cast(pl.String),
            pl.col("tags").cast(pl.String),
            cluster=pl.Series(cluster),
            requests=pl.lit(1, pl.Int64),
            priced=pl.Series(requests.priced).cast(pl.Int64),
            cost_pico=pl.Series(requests.cost),
        )
    )
    users = frame.select(pl.lit("user").alias("kind"), pl.col("user").alias("name"), "cluster", *_SINGLE)
    ids = [frame.select(pl.lit(kind).alias("kind"), pl.col(kind).alias("name"), *_SINGLE, *_SPENT_ON) for kind in IDS]
    return SpenderSums(names=_names(pl.concat([users.drop_nulls("name"), _tags(frame)])), ids=_ids(pl.concat(ids)))


def add_spenders(parts: Sequence[SpenderSums]) -> SpenderSums:
    """Return the sums of a log from those of its parts."""
    sums = ("clusters", *_SINGLE, *SQUARES)
    names = pl.concat([part.names for part in parts]).group_by(_NAMED).agg(pl.col(name).sum() for name in sums)
    return SpenderSums(names=names.sort(_NAMED), ids=_largest(pl.concat([part.ids for part in parts])))


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
        .select(*_NAMED, "clusters", *_SINGLE, *SQUARES)
        .sort(_NAMED)
    )


def _ids(rows: pl.DataFrame) -> pl.DataFrame:
    found = (
        rows.drop_nulls("name")
        .group_by(_NAMED)
        .agg(pl.col("requests", "priced").sum(), pl.col("cost_pico").cast(pl.Int128).sum())
    )
    largest = _largest(found.with_columns(others=pl.lit(0, pl.Int64), apps=_NO_NAMES, models=_NO_NAMES))
    lists = [pl.col(one).cast(pl.String).drop_nulls().unique().sort().alias(many) for one, many in _SPENT_ON.items()]
    spent_on = rows.join(largest, on=_NAMED, how="semi").group_by(_NAMED).agg(lists)
    return (
        largest.drop("apps", "models")
        .join(spent_on, on=_NAMED, how="left")
        .with_columns(pl.col("apps", "models").fill_null(_NO_NAMES))
    )


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
