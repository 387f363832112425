"""Arrays of requests that waste and metrics need and policies do not."""

from __future__ import annotations

import msgspec
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
CALL_COLUMNS = tuple(
    dict.fromkeys(
        (
            *("time", "request_key", "conversation", "trace", "template_hash", "model"),
            *("status", "judged", "tool_failed"),
            *_OWNERS,
            *BILLED_BY,
        )
    )
)
"""The ledger's columns that ``read_calls`` reads."""


class Calls(msgspec.Struct, kw_only=True, frozen=True):
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
    rows = columns(CALL_COLUMNS).collect()
    time, template = rows["time"], rows["template_hash"]
    flags = rows.select(
        tool_failed=pl.col("tool_failed").fill_null(value=False),
        failed=(pl.col("status").cast(pl.String) == "error").fill_null(value=False),
        abstained=(pl.col("judged").cast(pl.String) == "abstained").fill_null(value=False),
    )
    cluster = _numbers(rows.select(cluster_of()).to_series())
    return Calls(
        order=rows.select(pl.arg_sort_by("time", "request_key", nulls_last=True).cast(pl.Int32)).to_series().to_numpy(),
        time=time.to_physical().fill_null(0).to_numpy(),
        dated=time.is_not_null().to_numpy(),
        cluster=cluster,
        conversation=np.where(rows["conversation"].is_null().to_numpy(), NOWHERE, cluster).astype(np.int32),
        template=_numbers(template),
        model=_words(rows["model"])[0],
        owners={name: _words(rows[name]) for name in _OWNERS},
        billed=rows.select(**billing.columns()).select(is_billed()).to_series().to_numpy(),
        failed=flags["failed"].to_numpy(),
        abstained=flags["abstained"].to_numpy(),
        output_cost=output_cost,
        write_cost=write_cost,
        templates=template.drop_nulls().unique().sort().to_numpy(),
        tool_failed=flags["tool_failed"].to_numpy(),
    )


def _numbers(column: pl.Series) -> Index:
    """Values as numbers from 0, ascending; ``NOWHERE`` for null."""
    return (column.rank("dense").cast(pl.Int32).fill_null(0) - 1).to_numpy()


def _words(column: pl.Series) -> tuple[Index, list[str]]:
    """Names as numbers, with the names in their order."""
    names = column.unique().cast(pl.String).drop_nulls().sort().to_list()
    numbers = column.cast(pl.Enum(names)).to_physical().cast(pl.Int32)
    return numbers.fill_null(NOWHERE).to_numpy(), names
