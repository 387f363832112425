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
from llm_audit.ledger.assembly.merge import DUPLICATE_COLUMNS, REPLY_COLUMNS
from llm_audit.ledger.assembly.numbering import POSITION, PartRows, numbered_rows
from llm_audit.ledger.row_hashes import Hashes, hash_rows
from llm_audit.ledger.shared.folder import SharedFolder
from llm_audit.ledger.shared.relay import Relay
from llm_audit.ledger.shared.steps import Outcome

OWNER_COLUMNS = ("conversation", "trace", "opening_hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysStep(LayoutStep):
    """Write the keys of a part's rows, each to the bucket of its hash."""

    part: PartRows

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the files of rows to merge, of pairs of a key and its owner, and of owners."""
        layout = self.layout
        return tuple(relay.name(0, 0, self.number) for relay in (layout.merges, layout.links, layout.owners))

    def run(self) -> Outcome:
        """Write the files."""
        names = dict.fromkeys((*DUPLICATE_COLUMNS, *REPLY_COLUMNS, *OWNER_COLUMNS, *POSITION))
        table, origins = numbered_rows(self.part, [*names])
        rows: pl.DataFrame = pl.DataFrame(table)
        merges = rows.select(
            *dict.fromkeys((*DUPLICATE_COLUMNS, *REPLY_COLUMNS, "line")),
            pl.Series("origin", origins),
            part=pl.lit(self.number, pl.UInt32),
            row=pl.int_range(pl.len(), dtype=pl.UInt32),
        ).filter(pl.col("merge_key").is_not_null())
        owner, has_owner, links = owners(rows)
        own = pl.DataFrame({"owner": np.unique(owner[has_owner])}).with_columns(part=pl.lit(self.number, pl.UInt32))
        folder = self.folder
        send(folder, self.layout.merges, self.number, merges, "merge_key")
        send(folder, self.layout.links, self.number, links.unique(maintain_order=True), "key")
        send(folder, self.layout.owners, self.number, own, "owner")
        return Outcome()


def owners(rows: pl.DataFrame) -> tuple[Hashes, npt.NDArray[np.bool_], pl.DataFrame]:
    """Return the owner of each row, whether it has one, and pairs of a key and an owner it is seen under.

    A conversation that the log identifies is never looked for in prompts, so the opening of its rows is no key. Where
    rows have no trace it stands for one, so that it stays with a trace of the same id.

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
    in_place = hash_rows([rows["conversation"].fill_null(0).to_numpy(), np.ones(rows.height, np.uint64)])  # of a trace
    pairs = [
        pl.DataFrame({"key": key[rows_of], "owner": owner[rows_of]})
        for key, rows_of in ((trace, traced), (in_place, named & ~traced), (opening, opened & ~named))
    ]
    return owner, named | traced | opened, pl.concat(pairs)


def send(folder: SharedFolder, relay: Relay, source: int, rows: pl.DataFrame | None, name: str) -> None:
    """Write rows, each for the bucket of a column's hash."""
    if rows is None or not rows.height:
        relay.write(folder, source, None, np.zeros(0, np.int64))
    else:
        relay.write(folder, source, rows.to_arrow(), buckets_of(rows[name].to_numpy(), relay.readers))


def buckets_of(keys: Hashes, buckets: int) -> npt.NDArray[np.int64]:
    """Return the bucket of each key; keys are mixed again, since they need not be uniform."""
    return (hash_rows([keys]) % np.uint64(buckets)).astype(np.int64)
