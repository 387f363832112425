"""Cluster sums: the table that intervals are resampled from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Index, grouped_sum
from llm_audit.audit.aggregate.interval import bucket
from llm_audit.audit.billing import is_billed
from llm_audit.policy import Requests

CLUSTER_KEYS: tuple[str, ...] = ("template_hash", "app", "model_id", "route_model_id", "billed", "bucket")
"""Columns that distinguish clusters: enough to give any finding its own interval."""

_SUMS = ("saved_pico", "cost_pico")


def cluster_of() -> pl.Expr:
    """Return the cluster of a request: its conversation, or else its trace, or else itself."""
    return pl.coalesce("conversation", "trace", "request_key")


def cluster_sums(measured: pl.DataFrame) -> pl.DataFrame:
    """Saved and actual pico-dollars of priced requests by what findings need and by bag of conversations."""
    names = {name: pl.col(name).cast(pl.String) for name in ("app", "model_id", "route_model_id")}
    sums = (
        measured.lazy()
        .filter(pl.col("cost_pico").is_not_null())
        .with_columns(billed=is_billed())
        .group_by(*(name for name in CLUSTER_KEYS if name != "bucket"), bucket(cluster_of()).alias("bucket"))
        .agg(pl.col(name).cast(pl.Int128).sum() for name in _SUMS)
        .with_columns(**names)
        .select(*CLUSTER_KEYS, *_SUMS)
    )
    return sums.collect()


def add_clusters(sums: pl.DataFrame) -> pl.DataFrame:
    """Sum rows with equal keys, sorted."""
    return sums.group_by(CLUSTER_KEYS).agg(pl.col(name).sum() for name in _SUMS).sort(CLUSTER_KEYS, nulls_last=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """Number of clusters, how many of them are billed by use, and the dollars of the largest."""

    conversations: int
    largest_pico: int
    billed: int


def concentration(requests: Requests, cluster: Index, *, billed: Bools) -> Concentration:
    """Count the conversations among priced requests and find the largest; ``cluster`` numbers them."""
    count = int(cluster.max(initial=-1)) + 1
    held = np.bincount(cluster[requests.priced], minlength=count)
    sizes = grouped_sum(cluster, requests.cost, count)
    of_billed = np.bincount(cluster[requests.priced & billed], minlength=count)
    return Concentration(
        conversations=int(np.count_nonzero(held)),
        largest_pico=int(sizes.max(initial=0)),
        billed=int(np.count_nonzero(of_billed)),
    )
