"""Find the duplicates among the rows of all groups: first which rows share a merge key, then which of these stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.ledger.assembly import merge
from llm_audit.ledger.assembly.keys import send
from llm_audit.ledger.assembly.layout import LayoutStep
from llm_audit.ledger.assembly.numbering import POSITION, PartRows, numbered_rows
from llm_audit.ledger.shared.steps import Counts, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatsStep(LayoutStep):
    """Find the rows of a bucket of merge keys that share theirs."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the file of these rows."""
        return (self.layout.repeated.name(0, 0, self.number),)

    def run(self) -> Outcome:
        """Write for each group its rows that share a key."""
        keys = self.layout.merges.frame(self.folder, self.number)
        rows = None if keys is None else keys.filter(pl.col("merge_key").is_duplicated()).select("group", "row")
        _answer(self, rows)
        return Outcome(Counts(repeated=0 if rows is None else rows.height))


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidatesStep(LayoutStep):
    """Send what decides between rows of one merge key, of those that a group of parts has."""

    parts: tuple[PartRows, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the file of candidates."""
        return (self.layout.candidates.name(0, 0, self.number),)

    def run(self) -> Outcome:
        """Write the rows, each for the bucket of its key."""
        layout, folder = self.layout, self.folder
        shared = layout.repeated.frame(folder, self.number)
        rows = None
        if shared is not None:
            names = [*dict.fromkeys((*merge.DUPLICATE_COLUMNS, *merge.REPLY_COLUMNS, "line"))]
            table, origins = numbered_rows(self.parts, [*dict.fromkeys((*names, *POSITION))])
            every = pl.DataFrame(table.select(names)).with_columns(
                pl.Series("origin", origins),
                group=pl.lit(self.number, pl.UInt32),
                row=pl.int_range(pl.len(), dtype=pl.UInt32),
            )
            rows = every[shared["row"].sort()]
        send(folder, layout.candidates, self.number, rows, "merge_key")
        return Outcome()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStep(LayoutStep):
    """Decide of a bucket of candidates which rows are dropped, and merge their replies."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the file of decisions."""
        return (self.layout.duplicates.name(0, 0, self.number),)

    def run(self) -> Outcome:
        """Write for each group what becomes of its candidates."""
        rows = self.layout.candidates.frame(self.folder, self.number)
        if rows is None:
            _answer(self, None)
            return Outcome()
        keys = rows.drop("group", "row")
        found = rows.select("group", "row").with_columns(
            merge.duplicates(keys).alias("dropped"), *merge.merge_reply_fields(keys).drop("row").get_columns()
        )
        _answer(self, found)
        return Outcome(Counts(duplicates=int(found["dropped"].sum())))


def _answer(step: RepeatsStep | ExchangeStep, rows: pl.DataFrame | None) -> None:
    """Write rows for their groups."""
    relay = step.layout.repeated if isinstance(step, RepeatsStep) else step.layout.duplicates
    if rows is None:
        relay.write(step.folder, step.number, None, np.zeros(0, np.int64))
    else:
        relay.write(step.folder, step.number, rows.to_arrow(), rows["group"].to_numpy())
