"""Make a partition of the ledger: drop spans that repeat others, rebuild conversations and write the rows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from llm_audit.files import PRIVATE
from llm_audit.ledger.arrow import parquet_writer
from llm_audit.ledger.assembly import conversations, merge
from llm_audit.ledger.assembly.cut import with_replies
from llm_audit.ledger.assembly.numbering import POSITION, PartRows, numbered_rows
from llm_audit.ledger.assembly.slices import read_slice
from llm_audit.ledger.assembly.steps import Counts, Outcome, Step
from llm_audit.ledger.schema import SCHEMA
from llm_audit.ledger.sealed import xxh3_of

_ROW_GROUP = 1 << 16

Read = Callable[[Sequence[str] | None], Iterator[Any]]
"""Yields some columns of the rows, or all, table by table."""


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
        handle, name = tempfile.mkstemp(dir=self.output.parent, prefix=".")
        os.close(handle)
        partial = Path(name)
        try:
            counts = write_partition(self._read, partial)
            checksum = xxh3_of(partial)
            partial.chmod(PRIVATE)
            partial.replace(self.output)
        finally:
            partial.unlink(missing_ok=True)
        return Outcome(counts, checksum)

    def _read(self, columns: Sequence[str] | None) -> Iterator[Any]:
        for part in range(self.layout.parts):
            table = read_slice(self.layout.path("rows", part), self.number)
            if table is not None:
                yield table if columns is None else table.select(list(columns))

    def is_done(self, outcome: Outcome) -> bool:
        """Return whether the file is there as it was written."""
        return self.output.exists() and xxh3_of(self.output) == outcome.checksum


def write_whole(parts: Sequence[PartRows], target: Path) -> Counts:
    """Write the ledger of all parts as one partition."""
    columns = [*merge.DUPLICATE_COLUMNS, *merge.REPLY_COLUMNS]
    dropped: npt.NDArray[np.bool_] = np.zeros(0, bool)
    replies = pl.DataFrame()
    if parts:
        keys = pl.concat([_keys(part, columns) for part in parts], rechunk=False)
        dropped = merge.duplicates(keys).to_numpy()
        if dropped.any():
            replies = merge.merge_reply_fields(keys)
        del keys  # only the columns of one step at a time are in memory

    def read(names: Sequence[str] | None) -> Iterator[Any]:
        first = 0
        for part in parts:
            table, _ = numbered_rows(part, names and [*dict.fromkeys([*names, *POSITION])])
            last = first + table.num_rows
            if replies.height:  # filtering imports a library that most logs do not need
                own = replies.filter(pl.col("row").is_between(first, last - 1))
                table = with_replies(table, own["row"].to_numpy() - first, own) if names is None else table
                table = table.filter(pa.array(~dropped[first:last]))
            yield table if names is None else table.select(list(names))
            first = last

    return write_partition(read, target) + Counts(duplicates=int(dropped.sum()))


def write_partition(read: Read, target: Path) -> Counts:
    """Write rows without duplicates, in order, with their final conversations."""
    spans = _frame(read((*merge.SPAN_COLUMNS, "time")), (*merge.SPAN_COLUMNS, "time"))
    kept = ~merge.repeated_spans(spans).to_numpy()
    dated = int((spans["time"].is_not_null().to_numpy() & kept).sum())
    del spans
    ids = conversations.conversation_ids(_frame(read(conversations.COLUMNS), conversations.COLUMNS).filter(kept))
    _write(read(None), kept, ids, target)
    return Counts(rows=int(kept.sum()), parent_spans=int((~kept).sum()), dated=dated)


def _keys(part: PartRows, columns: Sequence[str]) -> pl.DataFrame:
    table, origins = numbered_rows(part, [*columns, *POSITION])
    return pl.DataFrame(table.select([*columns, "line"])).with_columns(pl.Series("origin", origins))


def _frame(tables: Iterable[Any], columns: Sequence[str]) -> pl.DataFrame:
    frames = [pl.DataFrame(table) for table in tables]
    return pl.concat(frames, rechunk=False) if frames else pl.DataFrame(schema={name: SCHEMA[name] for name in columns})


def _write(tables: Iterable[Any], kept: npt.NDArray[np.bool_], conversation_ids: pl.Series, target: Path) -> None:
    id_column = conversation_ids.to_arrow()
    row = kept_rows = pending_rows = 0
    pending: list[Any] = []
    with parquet_writer(target) as writer:
        for rows in tables:
            mask = kept[row : row + rows.num_rows]
            row += rows.num_rows
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
