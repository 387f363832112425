"""Cluster sums: the table that intervals are resampled from."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from llm_audit.audit.interval import bucket

CLUSTER_KEYS: tuple[str, ...] = ("template_hash", "app", "model_id", "route_model_id", "bucket")
"""What clusters are told apart by: enough to give any finding its own interval."""

_SUMS = ("saved_pico", "cost_pico")


def cluster_of() -> pl.Expr:
    """The cluster of a request: its conversation, or else its trace, or else itself."""
    return pl.coalesce("conversation", "trace", "request_key")


def cluster_sums(measured: pl.DataFrame) -> pl.DataFrame:
    """Saved and actual pico-dollars of priced requests by what findings need and by bag of conversations."""
    return add_clusters(
        measured.filter(pl.col("cost_pico").is_not_null()).select(
            pl.col("template_hash"),
            pl.col("app").cast(pl.String),
            pl.col("model_id").cast(pl.String),
            pl.col("route_model_id").cast(pl.String),
            bucket(cluster_of()).alias("bucket"),
            *(pl.col(name).cast(pl.Int128) for name in _SUMS),
        )
    )


def add_clusters(sums: pl.DataFrame) -> pl.DataFrame:
    """Sum rows with equal keys, sorted."""
    return sums.group_by(CLUSTER_KEYS).agg(pl.col(name).sum() for name in _SUMS).sort(CLUSTER_KEYS, nulls_last=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """How many clusters there are, and the dollars of the largest."""

    conversations: int
    largest_pico: int


def concentration(measured: pl.DataFrame) -> Concentration:
    """Count the conversations among priced requests and find the largest."""
    sizes = (
        measured.lazy()
        .filter(pl.col("cost_pico").is_not_null())
        .group_by(cluster_of().alias("cluster"))
        .agg(pl.col("cost_pico").cast(pl.Int128).sum())
        .select(count=pl.len(), largest=pl.col("cost_pico").max())
        .collect()
    )
    return Concentration(conversations=int(sizes["count"][0]), largest_pico=int(sizes["largest"][0] or 0))
