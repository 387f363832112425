"""Find the duplicates among the rows whose merge keys fall into one bucket, whatever parts they are in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from llm_audit.ledger.assembly import merge
from llm_audit.ledger.assembly.keys import MERGES, divide, slice_of
from llm_audit.ledger.assembly.slices import read_slice, write_slices
from llm_audit.ledger.assembly.steps import Counts, Outcome, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStep(Step):
    """Decide of a bucket of merge keys which rows are dropped, and merge their replies."""

    @property
    def target(self) -> Path:
        """Return the file of decisions, with a slice for each part."""
        return self.layout.path("duplicates", self.number)

    def run(self) -> Outcome:
        """Write for each part the rows that have duplicates."""
        place = slice_of(MERGES, self.number, self.layout.partitions)
        frames = [
            pl.DataFrame(table).with_columns(part=pl.lit(part, pl.UInt32))
            for part in range(self.layout.parts)
            if (table := read_slice(self.layout.path("keys", part), place)) is not None
        ]
        rows = pl.concat(frames).filter(pl.col("merge_key").is_duplicated()) if frames else pl.DataFrame()
        if not rows.height:
            write_slices(self.target, [None] * self.layout.parts)
            return Outcome(Counts())
        keys = rows.drop("part", "row")
        found = rows.select("part", "row").with_columns(
            merge.duplicates(keys).alias("dropped"), *merge.merge_reply_fields(keys).drop("row").get_columns()
        )
        write_slices(self.target, divide(found.to_arrow(), found["part"].to_numpy().astype("int64"), self.layout.parts))
        return Outcome(Counts(duplicates=int(found["dropped"].sum())))
