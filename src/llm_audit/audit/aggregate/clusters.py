"""Clusters of requests that are alike, and how much of the cost the largest has."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Index, grouped_sum
from llm_audit.policy import Requests


def cluster_of() -> pl.Expr:
    """Return the cluster of a request: its conversation, or else its trace, or else itself."""
    return pl.coalesce("conversation", "trace", "request_key")


class Concentration(msgspec.Struct, kw_only=True, frozen=True):
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
