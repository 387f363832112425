"""Find the duplicates among the rows whose merge keys fall into one bucket, whatever parts they are in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.ledger.assembly import merge
from llm_audit.ledger.assembly.layout import LayoutStep
from llm_audit.ledger.shared.steps import Counts, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStep(LayoutStep):
    """Decide of a bucket of merge keys which rows are dropped, and merge their replies."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the file of decisions."""
        return (self.layout.duplicates.name(0, 0, self.number),)

    def run(self) -> Outcome:
        """Write for each part the rows that have duplicates."""
        folder, relay = self.folder, self.layout.duplicates
        rows = self.layout.merges.frame(folder, self.number)
        rows = pl.DataFrame() if rows is None else rows.filter(pl.col("merge_key").is_duplicated())
        if not rows.height:
            relay.write(folder, self.number, None, np.zeros(0, np.int64))
            return Outcome()
        keys = rows.drop("part", "row")
        found = rows.select("part", "row").with_columns(
            merge.duplicates(keys).alias("dropped"), *merge.merge_reply_fields(keys).drop("row").get_columns()
        )
        relay.write(folder, self.number, found.to_arrow(), found["part"].to_numpy())
        return Outcome(Counts(duplicates=int(found["dropped"].sum())))
