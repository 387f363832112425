"""Arrays of requests that waste and metrics need and policies do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.arrays import Bools, Index, Ints
from llm_audit.audit.aggregate.clusters import cluster_of
from llm_audit.audit.billing import COLUMNS as BILLED_BY
from llm_audit.audit.billing import Billing, is_billed
from llm_audit.policy import Columns

NOWHERE = -1
"""The number of a group that a request does not name."""

_OWNERS = ("team", "app")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """One entry a request in every array but ``order``; groups are numbered, ``NOWHERE`` where none is named.

    Attributes:
        order: The requests by time, those without one last, then by key.
        time: Microseconds; ``dated`` says where there is one.
        cluster: See ``clusters.cluster_of``; numbered in order of the hashes, so that a sum over them has one order.
        model: The model as the log writes it.
        owners: The team and the app, with their names.
        billed: Whether it is billed by use.
        output_cost: What the output cost, in pico-dollars.
        write_cost: What writing to caches cost, in pico-dollars.
        templates: The hashes of the templates, by number.
        tool_failed: Whether all tool results that end the prompt say that the call failed.
    """

    order: Ints
    time: Ints
    dated: Bools
    cluster: Index
    conversation: Index
    template: Index
    model: Index
    owners: dict[str, tuple[Index, list[str]]]
    billed: Bools
    failed: Bools
    abstained: Bools
    output_cost: Ints
    write_cost: Ints
    templates: npt.NDArray[np.uint64]
    tool_failed: Bools


def read_calls(columns: Columns, *, billing: Billing, output_cost: Ints, write_cost: Ints) -> Calls:
    """Number the groups of a ledger's requests.

    Args:
        columns: Reads columns of the ledger.
        billing: Declared bases of billing.
        output_cost: Of each request, pico-dollars.
        write_cost: Likewise.
    """
    time = columns(["time", "request_key"]).collect()
    order = time.select(pl.arg_sort_by("time", "request_key", nulls_last=True)).to_series()
    group = columns(["conversation", "trace", "request_key"]).collect()
    cluster = _numbers(group.select(cluster_of()).to_series())
    kept = (
        columns(["status", "judged", "tool_failed"])
        .select(
            tool_failed=pl.col("tool_failed").fill_null(value=False),
            failed=(pl.col("status").cast(pl.String) == "error").fill_null(value=False),
            abstained=(pl.col("judged").cast(pl.String) == "abstained").fill_null(value=False),
        )
        .collect()
    )

    billed = columns(BILLED_BY).select(**billing.columns()).select(is_billed()).collect().to_series()

    def one(name: str) -> pl.Series:
        return columns([name]).collect().to_series()

    template = one("template_hash")
    return Calls(
        order=order.cast(pl.Int32).to_numpy(),
        time=time["time"].to_physical().fill_null(0).to_numpy(),
        dated=time["time"].is_not_null().to_numpy(),
        cluster=cluster,
        conversation=np.where(group["conversation"].is_null().to_numpy(), NOWHERE, cluster).astype(np.int32),
        template=_numbers(template),
        model=_words(one("model"))[0],
        owners={name: _words(one(name)) for name in _OWNERS},
        billed=billed.to_numpy(),
        failed=kept["failed"].to_numpy(),
        abstained=kept["abstained"].to_numpy(),
        output_cost=output_cost,
        write_cost=write_cost,
        templates=template.drop_nulls().unique().sort().to_numpy(),
        tool_failed=kept["tool_failed"].to_numpy(),
    )


def _numbers(column: pl.Series) -> Index:
    """Values as numbers from 0, ascending; ``NOWHERE`` for null."""
    return (column.rank("dense").cast(pl.Int32).fill_null(0) - 1).to_numpy()


def _words(column: pl.Series) -> tuple[Index, list[str]]:
    """Names as numbers, with the names in their order."""
    names = column.unique().cast(pl.String).drop_nulls().sort().to_list()
    numbers = column.cast(pl.Enum(names)).to_physical().cast(pl.Int32)
    return numbers.fill_null(NOWHERE).to_numpy(), names
