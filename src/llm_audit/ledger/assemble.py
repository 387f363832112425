"""Assemble a ledger from its parts: number the lines, merge duplicates, rebuild conversations and write the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from llm_audit.ledger import conversations, merge
from llm_audit.ledger.arrow import ARROW_SCHEMA, parquet_writer
from llm_audit.ledger.manifest import EntryCount, LedgerInput, Manifest, Rejection, RejectionExample
from llm_audit.ledger.parts import MAX_EXAMPLES, LedgerPart, ShardTally
from llm_audit.ledger.row_hashes import hash_rows

_ROW_GROUP = 1 << 16
PARENT_SPAN = "parent_span"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOffset:
    """The input that a shard belongs to, and the lines and entries of that input before it."""

    input: int
    lines_before: int
    entries_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPart:
    """A part with the offsets of its shards."""

    part: LedgerPart
    offsets: tuple[ShardOffset, ...]


def with_offsets(parts: Iterable[tuple[LedgerPart, Sequence[int]]]) -> list[OffsetPart]:
    """Count the lines and entries before each shard; parts come in order, each with the inputs of its shards."""
    lines: dict[int, int] = {}
    entries: dict[int, int] = {}
    located = []
    for part, inputs in parts:
        offsets = []
        for number, tally in zip(inputs, part.shards, strict=True):
            offsets.append(
                ShardOffset(input=number, lines_before=lines.get(number, 0), entries_before=entries.get(number, 0))
            )
            lines[number] = lines.get(number, 0) + tally.lines
            entries[number] = entries.get(number, 0) + tally.entries
        located.append(OffsetPart(part=part, offsets=tuple(offsets)))
    return located


def assemble(
    parts: Sequence[OffsetPart],
    *,
    inputs: Sequence[tuple[str, int, str]],
    target: Path,
    notes: Sequence[str],
    fingerprints: dict[str, str],
) -> Manifest:
    """Write the ledger of all parts to ``target`` and account for every entry.

    Args:
        parts: The parts with their offsets, in order of inputs.
        inputs: Path, size in bytes and SHA-256 of each file.
        target: The Parquet file to write.
        notes: Remarks on skipped files.
        fingerprints: Versions of the code, classifier and options.
    """
    hashes = [sha for _, _, sha in inputs]
    kept: npt.NDArray[np.bool_] = np.zeros(0, bool)
    conversation_ids = pl.Series("conversation", [], pl.UInt64)
    replies: pl.DataFrame | None = None
    repeated = wrapped = 0
    dated = False
    filled = [part for part in parts if part.part.file is not None]
    if filled:
        keys = _keys(filled, hashes, (*merge.KEY_COLUMNS, "line"))
        kept = ~merge.duplicates(keys).to_numpy()
        repeated = int((~kept).sum())
        unique = keys.filter(kept)
        spans = merge.repeated_spans(unique).to_numpy()
        dated = unique.filter(~spans)["time"].null_count() < int((~spans).sum())
        del unique
        del keys  # load the columns of one step at a time, since only these grow with the log
        if repeated:
            replies = merge.merge_reply_fields(
                _keys(filled, hashes, ("merge_key", "time", *merge.REPLY_COLUMNS, "line"))
            )
        wrapped = int(spans.sum())
        kept[kept] = ~spans
        conversation_ids = conversations.conversation_ids(_keys(filled, hashes, conversations.COLUMNS).filter(kept))
    _write(filled, kept, conversation_ids, replies, hashes=hashes, target=target)
    tallies = [(offset, tally) for part in parts for offset, tally in zip(part.offsets, part.part.shards, strict=True)]
    not_calls = _sums([*(tally.not_calls for _, tally in tallies), {PARENT_SPAN: wrapped} if wrapped else {}])
    return Manifest(
        inputs=_inputs(tallies, inputs),
        read=sum(tally.entries for _, tally in tallies),
        rows=int(kept.sum()),
        dated=dated,
        duplicates=repeated,
        not_provider_calls=[EntryCount(reason=reason, count=count) for reason, count in not_calls],
        rejected=_rejected(tallies, [path for path, _, _ in inputs]),
        notes=list(notes),
        reading_notes=_reading_notes(tallies, [path for path, _, _ in inputs]),
        fingerprints=fingerprints,
    )


def _keys(parts: Sequence[OffsetPart], hashes: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """Return some columns of all rows; with ``line`` also ``origin``, and the line numbers those of the file."""
    ranks = np.argsort(np.argsort(np.array(hashes), kind="stable"), kind="stable")
    frames = []
    for part in parts:
        if "line" in names:
            frame = pl.read_parquet(str(part.part.file), columns=[*names, "input"])
            shard = frame["input"].to_numpy()
            frame = frame.drop("input").with_columns(
                pl.Series("line", frame["line"].to_numpy() + _offsets(part, "lines_before")[shard]),
                pl.Series("origin", ranks[_offsets(part, "input")[shard]]),
            )
        else:
            frame = pl.read_parquet(str(part.part.file), columns=list(names))
        frames.append(frame)
    return pl.concat(frames, rechunk=False)


def _offsets(part: OffsetPart, name: str) -> npt.NDArray[np.int64]:
    return np.array([getattr(offset, name) for offset in part.offsets], np.int64)


def _write(
    parts: Sequence[OffsetPart],
    kept: npt.NDArray[np.bool_],
    conversation_ids: pl.Series,
    replies: pl.DataFrame | None,
    *,
    hashes: Sequence[str],
    target: Path,
) -> None:
    """Write the kept rows, part by part, with their final keys, lines and conversations."""
    seeds = np.array([int(sha[:16], 16) for sha in hashes], np.uint64)
    copies = _copies(hashes)
    id_column = conversation_ids.to_arrow()
    row = kept_rows = 0
    pending: list[Any] = []
    tables = _tables(parts)
    with parquet_writer(target) as writer:
        for part in parts:
            table = next(tables)
            if replies is not None:
                table = _with_replies(
                    table, replies.filter(pl.col("row").is_between(row, row + table.num_rows - 1)), row
                )
            mask = kept[row : row + table.num_rows]
            row += table.num_rows
            if not mask.all():  # filtering imports a library that most logs do not need
                table = table.filter(pa.array(mask))
            shard = table["input"].to_numpy()
            numbers = _offsets(part, "input")[shard]
            entry = table["entry"].to_numpy() + _offsets(part, "entries_before")[shard]
            columns = {
                "request_key": pa.array(hash_rows([seeds[numbers], copies[numbers], entry])),
                "input": pa.array(numbers.astype(np.uint32)),
                "entry": pa.array(entry),
                "line": pa.array(table["line"].to_numpy() + _offsets(part, "lines_before")[shard]),
                "conversation": id_column.slice(kept_rows, table.num_rows),
            }
            kept_rows += table.num_rows
            for title, column in columns.items():
                table = table.set_column(table.column_names.index(title), title, column)
            pending.append(table)
            if sum(part.num_rows for part in pending) >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(pending))
                pending.clear()
        if pending:
            writer.write_table(pa.concat_tables(pending))


def _tables(parts: Sequence[OffsetPart]) -> Iterator[pa.Table]:
    """Yield the rows of each part; the next part is read meanwhile."""
    with ThreadPoolExecutor(1) as reader:
        reading: Future[pa.Table] | None = None
        for part, following in zip(parts, [*parts[1:], None], strict=False):
            table = (reading or reader.submit(_table, part)).result()
            reading = reader.submit(_table, following) if following else None
            yield table


def _table(part: OffsetPart) -> pa.Table:
    with pq.ParquetFile(part.part.file) as file:
        return file.read(use_threads=False)  # threads cost more than they save for so few rows


def _with_replies(table: pa.Table, replies: pl.DataFrame, first: int) -> pa.Table:
    """Set the merged reply columns; ``first`` is the position of the table's first row."""
    for name in merge.REPLY_COLUMNS if replies.height else ():
        place = table.column_names.index(name)
        column = pl.Series(name, table[name])
        filled = column.scatter(replies["row"] - first, replies[name])
        table = table.set_column(place, name, filled.to_arrow().cast(ARROW_SCHEMA.field(name).type))
    return table


def _copies(hashes: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Count the earlier files of the same content, so that the rows of a copy have keys of their own."""
    seen: dict[str, int] = {}
    copies = []
    for sha in hashes:
        copies.append(seen.get(sha, 0))
        seen[sha] = copies[-1] + 1
    return np.array(copies, np.uint64)


def _inputs(
    tallies: Sequence[tuple[ShardOffset, ShardTally]], inputs: Sequence[tuple[str, int, str]]
) -> list[LedgerInput]:
    records = [0] * len(inputs)
    formats: list[list[dict[str, int]]] = [[] for _ in inputs]
    for offset, tally in tallies:
        records[offset.input] += tally.entries
        formats[offset.input].append(tally.formats)
    described = []
    for number, (path, size, sha) in enumerate(inputs):
        counts = dict(_sums(formats[number]))
        described.append(
            LedgerInput(
                path=path,
                sha256=sha,
                bytes=size,
                records=records[number],
                format=next(iter(counts), "unknown"),
                formats=counts,
            )
        )
    return described


def _rejected(tallies: Sequence[tuple[ShardOffset, ShardTally]], paths: Sequence[str]) -> list[Rejection]:
    counts = _sums({reason: rejections.count for reason, rejections in tally.rejected.items()} for _, tally in tallies)
    examples: dict[str, list[tuple[int, int]]] = {}
    for offset, tally in tallies:
        for reason, rejections in tally.rejected.items():
            places = examples.setdefault(reason, [])
            places.extend((offset.input, offset.lines_before + line) for line in rejections.lines)
    return [
        Rejection(
            reason=reason,
            count=count,
            examples=[
                RejectionExample(file=paths[number], line=line)
                for number, line in sorted(examples[reason])[:MAX_EXAMPLES]
            ],
        )
        for reason, count in counts
    ]


def _reading_notes(tallies: Sequence[tuple[ShardOffset, ShardTally]], paths: Sequence[str]) -> list[str]:
    """Return the remarks on what could not be read, by file and line, and the bytes passed over in each file."""
    notes: dict[tuple[int, str], int] = {}  # the first line of each remark on a file
    unread: dict[int, tuple[int, int]] = {}  # bytes and first line, by file
    for offset, tally in tallies:
        for line, note in tally.notes:
            notes.setdefault((offset.input, note), offset.lines_before + line)
        if tally.unread_bytes:
            size, line = unread.get(offset.input, (0, offset.lines_before + tally.unread_line))
            unread[offset.input] = (size + tally.unread_bytes, line)
    found = [(number, line, note) for (number, note), line in notes.items()]
    found += [
        (number, line, f"{size:,} bytes of damaged records were passed over, the first of them here")
        for number, (size, line) in unread.items()
    ]
    return [f"{paths[number]}:{line}: {note}" for number, line, note in sorted(found)]


def _sums(groups: Iterable[dict[str, int]]) -> list[tuple[str, int]]:
    """Add up counts by name, largest first, ties by name."""
    total: dict[str, int] = {}
    for counts in groups:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))
