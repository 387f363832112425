"""Cut rows into partitions: without duplicates, with merged replies, those that hang together in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from llm_audit.ledger.arrow import ARROW_SCHEMA, array_of
from llm_audit.ledger.assembly.keys import OWNER_COLUMNS, buckets_of, owners
from llm_audit.ledger.assembly.layout import LayoutStep
from llm_audit.ledger.assembly.merge import REPLY_COLUMNS
from llm_audit.ledger.assembly.numbering import PartRows, numbered_rows
from llm_audit.ledger.row_hashes import Hashes
from llm_audit.ledger.shared.steps import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CutStep(LayoutStep):
    """Write the rows of a group of parts that stay, each to its partition."""

    parts: tuple[PartRows, ...]
    repeated: bool  # whether any row has a duplicate
    linked: bool  # whether any owner has another one's label

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the file of rows."""
        return (self.layout.rows.name(0, 0, self.number),)

    def run(self) -> Outcome:
        """Write the rows for their partitions."""
        table, _ = numbered_rows(self.parts)
        if self.repeated and (found := self.layout.duplicates.frame(self.folder, self.number)) is not None:
            table = with_replies(table, found["row"].to_numpy(), found)
            kept = np.ones(table.num_rows, bool)
            kept[found.filter("dropped")["row"].to_numpy()] = False
            table = table.filter(array_of(kept, pa.bool_()))
        self.layout.rows.write(self.folder, self.number, table, self._partitions_of(table))
        return Outcome()

    def _partitions_of(self, table: Any) -> npt.NDArray[np.int64]:
        owner, has_owner = owners(pl.DataFrame(table.select(OWNER_COLUMNS)))
        labels: Hashes = np.where(has_owner, owner, table["request_key"].to_numpy())
        if self.linked and (linked := self.layout.labels.frame(self.folder, self.number)) is not None:
            named = linked.sort("owner")
            names, places = named["owner"].to_numpy(), np.zeros(len(labels), np.int64)
            places = np.searchsorted(names, labels).clip(max=len(names) - 1)
            labels = np.where((names[places] == labels) & has_owner, named["label"].to_numpy()[places], labels)
        return buckets_of(labels, self.layout.partitions)


def with_replies(table: Any, rows: npt.NDArray[Any], replies: pl.DataFrame) -> Any:
    """Set the reply columns of some rows of a table."""
    for name in REPLY_COLUMNS if replies.height else ():
        place = table.column_names.index(name)
        kind = ARROW_SCHEMA.field(name).type
        names = pa.types.is_dictionary(kind)
        held = pl.Series(name, table[name])
        filled = (held.cast(pl.String) if names else held).scatter(pl.Series(rows), replies[name]).to_arrow()
        filled = filled.cast(pa.string()).dictionary_encode() if names else filled.cast(kind)
        table = table.set_column(place, name, filled)
    return table
