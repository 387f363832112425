"""Keys of rows: what makes two rows one request, and what must stay together in one partition.

Rows of one conversation id, one trace or one chain of prompts stay together. Each row is owned by the first of these
that it has; its owner decides its partition, unless a key is seen under several owners, which are then linked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.ledger.assembly.layout import LayoutStep
from llm_audit.ledger.assembly.numbering import POSITION, PartRows, numbered_rows
from llm_audit.ledger.row_hashes import Hashes, hash_rows
from llm_audit.ledger.shared.folder import SharedFolder
from llm_audit.ledger.shared.relay import Relay
from llm_audit.ledger.shared.steps import Outcome

OWNER_COLUMNS = ("conversation", "trace", "opening_hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysStep(LayoutStep):
    """Write the keys of the rows of a group of parts, each to the bucket of its hash."""

    parts: tuple[PartRows, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the files of merge keys, of pairs of a key and its owner, and of owners."""
        layout = self.layout
        return tuple(relay.name(0, 0, self.number) for relay in (layout.merges, layout.links, layout.owners))

    def run(self) -> Outcome:
        """Write the files."""
        table, _ = numbered_rows(self.parts, ["merge_key", *OWNER_COLUMNS, *POSITION])
        rows: pl.DataFrame = pl.DataFrame(table.select(["merge_key", *OWNER_COLUMNS]))
        group = pl.lit(self.number, pl.UInt32)
        merges = rows.select("merge_key", group=group, row=pl.int_range(pl.len(), dtype=pl.UInt32)).drop_nulls()
        owner, has_owner = owners(rows)
        own = pl.DataFrame({"owner": _distinct(owner[has_owner])}).with_columns(group=group)
        folder = self.folder
        send(folder, self.layout.merges, self.number, merges, "merge_key")
        send(folder, self.layout.links, self.number, links(rows, owner), "key")
        send(folder, self.layout.owners, self.number, own, "owner")
        return Outcome()


def owners(rows: pl.DataFrame) -> tuple[Hashes, npt.NDArray[np.bool_]]:
    """Return the owner of each row, and whether it has one.

    Args:
        rows: ``OWNER_COLUMNS``.
    """
    owner, has_owner = np.zeros(rows.height, np.uint64), np.zeros(rows.height, bool)
    for kind, name in enumerate(OWNER_COLUMNS):
        new = rows[name].is_not_null().to_numpy() & ~has_owner
        owner[new] = _hashed(rows, name, new, kind)
        has_owner |= new
    return owner, has_owner


def links(rows: pl.DataFrame, owner: Hashes) -> pl.DataFrame:
    """Return pairs of a key and an owner it is seen under.

    A conversation that the log identifies is never looked for in prompts, so the opening of its rows is no key. Where
    rows have no trace it stands for one, so that it stays with a trace of the same id.

    Args:
        rows: ``OWNER_COLUMNS``.
        owner: Of each row.
    """
    named, traced, opened = (rows[name].is_not_null().to_numpy() for name in OWNER_COLUMNS)
    kind_of_trace, kind_of_opening = 1, 2
    found = [
        (_hashed(rows, name, some, kind), owner[some])
        for name, some, kind in (
            ("trace", traced, kind_of_trace),
            ("conversation", named & ~traced, kind_of_trace),
            ("opening_hash", opened & ~named, kind_of_opening),
        )
    ]
    keys, owners_of = (np.concatenate(column) for column in zip(*found, strict=True))
    return pl.DataFrame({"key": keys, "owner": owners_of})


def _distinct(values: Hashes) -> Hashes:
    """Return values once each; ``np.unique`` takes ten times as long."""
    ordered: Hashes = np.sort(values)
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def _hashed(rows: pl.DataFrame, name: str, some: npt.NDArray[np.bool_], kind: int) -> Hashes:
    values = rows[name].fill_null(0).to_numpy()[some]
    return hash_rows([values, np.full(len(values), kind, np.uint64)])


def send(folder: SharedFolder, relay: Relay, source: int, rows: pl.DataFrame | None, name: str) -> None:
    """Write rows, each for the bucket of a column's hash."""
    if rows is None or not rows.height:
        relay.write(folder, source, None, np.zeros(0, np.int64))
    else:
        relay.write(folder, source, rows.to_arrow(), buckets_of(rows[name].to_numpy(), relay.readers))


def buckets_of(keys: Hashes, buckets: int) -> npt.NDArray[np.int64]:
    """Return the bucket of each key; keys are mixed again, since they need not be uniform."""
    return (hash_rows([keys]) % np.uint64(buckets)).astype(np.int64)
