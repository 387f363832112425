"""Make a partition of the ledger: drop spans that repeat others, rebuild conversations and write the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from llm_audit.ledger.arrow import array_of, parquet_writer
from llm_audit.ledger.assembly import conversations, merge
from llm_audit.ledger.assembly.cut import with_replies
from llm_audit.ledger.assembly.layout import LayoutStep
from llm_audit.ledger.assembly.numbering import POSITION, PartRows, numbered_rows
from llm_audit.ledger.manifest import requests_files
from llm_audit.ledger.schema import SCHEMA, UsageSource
from llm_audit.ledger.sealed import xxh3_of
from llm_audit.ledger.shared.folder import is_whole, open_folder
from llm_audit.ledger.shared.steps import Counts, Outcome

_ROW_GROUP, _HELD_ROWS = 1 << 16, 1 << 17
_ESTIMATED = UsageSource.ESTIMATED.value

Read = Callable[[Sequence[str] | None], Iterator[Any]]
"""Yields some columns of the rows, or all, table by table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionStep(LayoutStep):
    """Write a partition from the rows that all parts have for it.

    Attributes:
        ledger: The address of the folder of the ledger's files.
    """

    ledger: str

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the Parquet file, in the ledger's folder."""
        return (requests_files(self.layout.partitions)[self.number],)

    def run(self) -> Outcome:
        """Write the file, completely or not at all."""
        ledger, [name] = open_folder(self.ledger, checked=False), self.targets
        held = self._held()

        def read(columns: Sequence[str] | None) -> Iterator[Any]:
            for table in self._tables() if held is None else held:
                yield table if columns is None else table.select(list(columns))

        with ledger.scratch() as scratch:
            partial = scratch / f".partition-{self.number:05d}"
            counts = write_partition(read, partial)
            checksum = xxh3_of(partial)
            ledger.put(partial, name)
        return Outcome(counts, checksum)

    def _tables(self) -> Iterator[Any]:
        return self.layout.rows.read(self.folder, self.number)

    def _held(self) -> list[Any] | None:
        """Return the rows; None where they are so many that they are read from the disk as often as they are used."""
        held, count = [], 0
        for table in self._tables():
            held.append(table)
            count += table.num_rows
            if count > _HELD_ROWS and self.folder.path is not None:  # requests of a store cost more than memory
                return None
        return held

    def is_done(self, outcome: Outcome) -> bool:
        """Return whether the file is there as it was written."""
        ledger = open_folder(self.ledger, checked=False)
        return outcome.checksum is not None and is_whole(ledger, self.targets[0], outcome.checksum)


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
            table, _ = numbered_rows([part], names and [*dict.fromkeys([*names, *POSITION])])
            last = first + table.num_rows
            if replies.height:  # filtering imports a library that most logs do not need
                own = replies.filter(pl.col("row").is_between(first, last - 1))
                table = with_replies(table, own["row"].to_numpy() - first, own) if names is None else table
                table = table.filter(array_of(~dropped[first:last], pa.bool_()))
            yield table if names is None else table.select(list(names))
            first = last

    return write_partition(read, target) + Counts(duplicates=int(dropped.sum()))


def write_partition(read: Read, target: Path) -> Counts:
    """Write rows without duplicates, in order, with their final conversations."""
    spans = _frame(read((*merge.SPAN_COLUMNS, "time")), (*merge.SPAN_COLUMNS, "time"))
    kept = ~merge.repeated_spans(spans).to_numpy()
    dated = int((spans["time"].is_not_null().to_numpy() & kept).sum())
    estimated = int(((spans["usage_source"].cast(pl.String) == _ESTIMATED).to_numpy() & kept).sum())
    del spans
    ids = conversations.conversation_ids(_frame(read(conversations.COLUMNS), conversations.COLUMNS).filter(kept))
    _write(read(None), kept, ids, target)
    return Counts(rows=int(kept.sum()), parent_spans=int((~kept).sum()), dated=dated, estimated=estimated)


def _keys(part: PartRows, columns: Sequence[str]) -> pl.DataFrame:
    table, origins = numbered_rows([part], [*columns, *POSITION])
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
            table = rows if mask.all() else rows.filter(array_of(mask, pa.bool_()))
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
