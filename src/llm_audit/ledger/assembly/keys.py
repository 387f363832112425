"""Keys of rows: what makes two rows one request, and what must stay together in one partition.

Rows of one conversation id, one trace or one chain of prompts stay together. Each row is owned by the first of these
that it has; its owner decides its partition, unless a key is seen under several owners, which are then linked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from llm_audit.ledger.assembly.merge import DUPLICATE_COLUMNS, REPLY_COLUMNS
from llm_audit.ledger.assembly.numbering import POSITION, PartRows, numbered_rows
from llm_audit.ledger.assembly.slices import write_slices
from llm_audit.ledger.assembly.steps import Counts, Outcome, Step
from llm_audit.ledger.row_hashes import Hashes, hash_rows

OWNER_COLUMNS = ("conversation", "trace", "opening_hash")
MERGES, LINKS, OWNERS = range(3)
"""Groups of slices, each with one a bucket: rows to merge, pairs of a key and its owner, and the owners of a part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysStep(Step):
    """Write the keys of a part's rows, each to the bucket of its hash."""

    part: PartRows

    @property
    def target(self) -> Path:
        """Return the file of keys."""
        return self.layout.path("keys", self.number)

    def run(self) -> Outcome:
        """Write the slices of the three groups."""
        buckets = self.layout.partitions
        names = dict.fromkeys((*DUPLICATE_COLUMNS, *REPLY_COLUMNS, *OWNER_COLUMNS, *POSITION))
        table, origins = numbered_rows(self.part, [*names])
        rows: pl.DataFrame = pl.DataFrame(table)
        merges = rows.select(
            *dict.fromkeys((*DUPLICATE_COLUMNS, *REPLY_COLUMNS, "line")),
            pl.Series("origin", origins),
            row=pl.int_range(pl.len(), dtype=pl.UInt32),
        ).filter(pl.col("merge_key").is_not_null())
        owner, has_owner, links = owners(rows)
        own = pl.DataFrame({"owner": np.unique(owner[has_owner])})
        write_slices(
            self.target,
            [
                *in_buckets(merges, "merge_key", buckets),
                *in_buckets(links.unique(), "key", buckets),
                *in_buckets(own, "owner", buckets),
            ],
        )
        return Outcome(Counts())


def slice_of(group: int, bucket: int, buckets: int) -> int:
    """Return the number of the slice of a group and a bucket in a file of keys."""
    return group * buckets + bucket


def owners(rows: pl.DataFrame) -> tuple[Hashes, npt.NDArray[np.bool_], pl.DataFrame]:
    """Return the owner of each row, whether it has one, and pairs of a key and an owner it is seen under.

    A conversation that the log identifies is never looked for in prompts, so the opening of its rows is no key.

    Args:
        rows: ``OWNER_COLUMNS``.
    """
    known = {name: rows[name].is_not_null().to_numpy() for name in OWNER_COLUMNS}
    conversation, trace, opening = (
        hash_rows([rows[name].fill_null(0).to_numpy(), np.full(rows.height, kind, np.uint64)])
        for kind, name in enumerate(OWNER_COLUMNS)
    )
    named, traced, opened = (known[name] for name in OWNER_COLUMNS)
    owner = np.where(named, conversation, np.where(traced, trace, opening))
    pairs = [
        pl.DataFrame({"key": key[rows_of], "owner": owner[rows_of]})
        for key, rows_of in ((trace, traced), (opening, opened & ~named))
    ]
    return owner, named | traced | opened, pl.concat(pairs)


def in_buckets(rows: pl.DataFrame, name: str, buckets: int) -> list[Any]:
    """Return the rows of each bucket of a column's hash as Arrow tables."""
    if not rows.height:
        return [None] * buckets
    return divide(rows.to_arrow(), buckets_of(rows[name].to_numpy(), buckets), buckets)


def buckets_of(keys: Hashes, buckets: int) -> npt.NDArray[np.int64]:
    """Return the bucket of each key; keys are mixed again, since they need not be uniform."""
    return (hash_rows([keys]) % np.uint64(buckets)).astype(np.int64)


def divide(table: Any, numbers: npt.NDArray[np.int64], count: int) -> list[Any]:
    """Return the rows of each number below ``count`` as a table, in order."""
    order = np.argsort(numbers, kind="stable")
    ends = np.searchsorted(numbers[order], np.arange(count + 1))
    table = table.take(pa.array(order))
    return [table.slice(start, end - start) for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]


def read_rows(tables: list[Any]) -> pl.DataFrame | None:
    """Return slices as one frame; None where all are empty."""
    filled = [table for table in tables if table is not None]
    return pl.DataFrame(pa.concat_tables(filled)) if filled else None
