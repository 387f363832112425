"""Make a partition of the ledger: drop spans that repeat others, rebuild conversations and write the rows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from llm_audit.files import PRIVATE
from llm_audit.ledger.arrow import parquet_writer
from llm_audit.ledger.assembly import conversations, merge
from llm_audit.ledger.assembly.cut import with_replies
from llm_audit.ledger.assembly.numbering import PartRows, numbered_rows
from llm_audit.ledger.assembly.slices import read_slice
from llm_audit.ledger.assembly.steps import Counts, Outcome, Step
from llm_audit.ledger.sealed import xxh3_of

_ROW_GROUP = 1 << 16
_COLUMNS = tuple(dict.fromkeys((*merge.SPAN_COLUMNS, *conversations.COLUMNS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionStep(Step):
    """Write a partition from the rows that all parts have for it."""

    output: Path

    @property
    def target(self) -> Path:
        """Return the Parquet file."""
        return self.output

    def run(self) -> Outcome:
        """Write the file, completely or not at all."""
        paths = (self.layout.path("rows", part) for part in range(self.layout.parts))
        tables = [table for path in paths if (table := read_slice(path, self.number)) is not None]
        handle, name = tempfile.mkstemp(dir=self.output.parent, prefix=".")
        os.close(handle)
        partial = Path(name)
        try:
            counts = write_partition(tables, partial)
            checksum = xxh3_of(partial)
            partial.chmod(PRIVATE)
            partial.replace(self.output)
        finally:
            partial.unlink(missing_ok=True)
        return Outcome(counts, checksum)

    def is_done(self, outcome: Outcome) -> bool:
        """Return whether the file is there as it was written."""
        return self.output.exists() and xxh3_of(self.output) == outcome.checksum


def write_whole(parts: Sequence[PartRows], target: Path) -> Counts:
    """Write the ledger of all parts as one partition."""
    tables, origins = [], []
    for part in parts:
        table, origin = numbered_rows(part)
        tables.append(table)
        origins.append(origin)
    if not tables:
        return write_partition([], target)
    keys = _frame(tables, [*merge.DUPLICATE_COLUMNS, "line"]).with_columns(pl.Series("origin", np.concatenate(origins)))
    dropped = merge.duplicates(keys).to_numpy()
    duplicates = int(dropped.sum())
    if duplicates:
        replies = merge.merge_reply_fields(
            keys.select("merge_key", "time", "origin", "line").hstack(_frame(tables, merge.REPLY_COLUMNS))
        )
        first = 0
        for place, table in enumerate(tables):
            last = first + table.num_rows
            own = replies.filter(pl.col("row").is_between(first, last - 1))
            rows = with_replies(table, own["row"].to_numpy() - first, own)
            tables[place] = rows.filter(pa.array(~dropped[first:last]))
            first = last
    del keys
    return write_partition(tables, target) + Counts(duplicates=duplicates)


def write_partition(tables: Sequence[Any], target: Path) -> Counts:
    """Write rows without duplicates, in order, with their final conversations."""
    filled = [table for table in tables if table.num_rows]
    kept = np.zeros(0, bool)
    dated = 0
    ids = pl.Series("conversation", [], pl.UInt64)
    if filled:
        rows = _frame(filled, _COLUMNS)
        kept = ~merge.repeated_spans(rows).to_numpy()
        rows = rows.filter(kept)
        dated = rows.height - rows["time"].null_count()
        ids = conversations.conversation_ids(rows)
        del rows
    _write(filled, kept, ids, target)
    return Counts(rows=int(kept.sum()), parent_spans=int((~kept).sum()), dated=dated)


def _frame(tables: Sequence[Any], names: Sequence[str]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(table.select(list(names))) for table in tables], rechunk=False)


def _write(tables: Sequence[Any], kept: Any, conversation_ids: pl.Series, target: Path) -> None:
    id_column = conversation_ids.to_arrow()
    row = kept_rows = pending_rows = 0
    pending: list[Any] = []
    with parquet_writer(target) as writer:
        for rows in tables:
            mask = kept[row : row + rows.num_rows]
            row += rows.num_rows
            # filtering imports a library that most logs do not need
            table = rows if mask.all() else rows.filter(pa.array(mask))
            place = table.column_names.index("conversation")
            table = table.set_column(place, "conversation", id_column.slice(kept_rows, table.num_rows))
            kept_rows += table.num_rows
            pending.append(table)
            pending_rows += table.num_rows
            if pending_rows >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(pending))
                pending.clear()
                pending_rows = 0
        if pending:
            writer.write_table(pa.concat_tables(pending))
