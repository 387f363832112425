"""Cut the rows of a part into partitions: without duplicates, with merged replies, those that hang together in one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from llm_audit.ledger.arrow import ARROW_SCHEMA
from llm_audit.ledger.assembly.keys import OWNER_COLUMNS, buckets_of, divide, owners, read_rows
from llm_audit.ledger.assembly.merge import REPLY_COLUMNS
from llm_audit.ledger.assembly.numbering import PartRows, numbered_rows
from llm_audit.ledger.assembly.slices import compact_dictionaries, read_slice, write_slices
from llm_audit.ledger.assembly.steps import Counts, Outcome, Step
from llm_audit.ledger.row_hashes import Hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class CutStep(Step):
    """Write the rows of a part that stay, each to its partition."""

    part: PartRows
    linked: bool  # whether any owner has another one's label

    @property
    def target(self) -> Path:
        """Return the file of rows, with a slice for each partition."""
        return self.layout.path("rows", self.number)

    def run(self) -> Outcome:
        """Write the slices."""
        table, _ = numbered_rows(self.part)
        if (found := self._decisions("duplicates")) is not None:
            table = with_replies(table, found["row"].to_numpy(), found)
            kept = np.ones(table.num_rows, bool)
            kept[found.filter("dropped")["row"].to_numpy()] = False
            table = table.filter(pa.array(kept))
        partitions = self.layout.partitions
        slices = divide(table.unify_dictionaries().combine_chunks(), self._partitions_of(table), partitions)
        write_slices(self.target, [compact_dictionaries(rows) for rows in slices])
        return Outcome(Counts())

    def _decisions(self, kind: str) -> pl.DataFrame | None:
        paths = (self.layout.path(kind, bucket) for bucket in range(self.layout.partitions))
        return read_rows([read_slice(path, self.number) for path in paths])

    def _partitions_of(self, table: Any) -> npt.NDArray[np.int64]:
        owner, has_owner, _ = owners(pl.DataFrame(table.select(OWNER_COLUMNS)))
        labels: Hashes = np.where(has_owner, owner, table["request_key"].to_numpy())
        if self.linked and (linked := self._decisions("labels")) is not None:
            named = linked.sort("owner")
            names, places = named["owner"].to_numpy(), np.zeros(len(labels), np.int64)
            places = np.searchsorted(names, labels).clip(max=len(names) - 1)
            labels = np.where((names[places] == labels) & has_owner, named["label"].to_numpy()[places], labels)
        return buckets_of(labels, self.layout.partitions)


def with_replies(table: Any, rows: npt.NDArray[Any], replies: pl.DataFrame) -> Any:
    """Set the reply columns of some rows of a table."""
    for name in REPLY_COLUMNS if replies.height else ():
        place = table.column_names.index(name)
        filled = pl.Series(name, table[name]).scatter(pl.Series(rows), replies[name])
        table = table.set_column(place, name, filled.to_arrow().cast(ARROW_SCHEMA.field(name).type))
    return table
