"""From parts to a ledger: places made those of the whole, repeats merged, conversations named, rows written."""

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
from llm_audit.ledger.hashes import mix
from llm_audit.ledger.manifest import Example, Input, Manifest, ReasonCount, Rejection
from llm_audit.ledger.tally import MAX_EXAMPLES, Part, ShardTally

_ROW_GROUP = 1 << 16
PARENT_SPAN = "parent_span"


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a shard of a part stands: its file, and what the shards of the file before it held."""

    input: int
    first_line: int  # lines before
    first_entry: int  # entries before


@dataclass(frozen=True, slots=True)
class PlacedPart:
    """A part with the places of its shards."""

    part: Part
    pieces: tuple[Piece, ...]


def place(parts: Iterable[tuple[Part, Sequence[int]]]) -> list[PlacedPart]:
    """Number lines and entries through each file. Parts come in order, each with the input of each of its shards."""
    lines: dict[int, int] = {}
    entries: dict[int, int] = {}
    placed = []
    for part, inputs in parts:
        pieces = []
        for number, tally in zip(inputs, part.shards, strict=True):
            pieces.append(Piece(number, lines.get(number, 0), entries.get(number, 0)))
            lines[number] = lines.get(number, 0) + tally.lines
            entries[number] = entries.get(number, 0) + tally.entries
        placed.append(PlacedPart(part, tuple(pieces)))
    return placed


def reduce(
    placed: Sequence[PlacedPart],
    *,
    inputs: Sequence[tuple[str, int, str]],
    target: Path,
    notes: Sequence[str],
    fingerprints: dict[str, str],
) -> Manifest:
    """Write the ledger of all parts to ``target`` and account for every entry.

    Args:
        placed: The parts with their places, in order of inputs.
        inputs: Path, size in bytes and SHA-256 of each file.
        target: The Parquet file to write.
        notes: What was passed over.
        fingerprints: Of what read and judged.
    """
    shas = [sha for _, _, sha in inputs]
    kept: npt.NDArray[np.bool_] = np.zeros(0, bool)
    named = pl.Series("conversation", [], pl.UInt64)
    told: pl.DataFrame | None = None
    repeated = wrapped = 0
    filled = [part for part in placed if part.part.file is not None]
    if filled:
        keys = _keys(filled, shas, (*merge.KEYS, "line"))
        kept = ~merge.duplicates(keys).to_numpy()
        repeated = int((~kept).sum())
        spans = merge.repeated_spans(keys.filter(kept)).to_numpy()
        del keys  # the columns of one question at a time, since these are all that grows with a log
        if repeated:
            told = merge.told_by_repeats(_keys(filled, shas, ("merge_key", "time", *merge.REPLY, "line")))
        wrapped = int(spans.sum())
        kept[kept] = ~spans
        named = conversations.conversations(_keys(filled, shas, conversations.COLUMNS).filter(kept))
    _write(filled, kept, named, told, shas=shas, target=target)
    tallies = [(piece, tally) for part in placed for piece, tally in zip(part.pieces, part.part.shards, strict=True)]
    not_calls = _sums([*(tally.not_calls for _, tally in tallies), {PARENT_SPAN: wrapped} if wrapped else {}])
    return Manifest(
        inputs=_inputs(tallies, inputs),
        read=sum(tally.entries for _, tally in tallies),
        rows=int(kept.sum()),
        duplicates=repeated,
        not_provider_calls=[ReasonCount(reason=reason, count=count) for reason, count in not_calls],
        rejected=_rejected(tallies, [path for path, _, _ in inputs]),
        notes=list(notes),
        fingerprints=fingerprints,
    )


def _keys(placed: Sequence[PlacedPart], shas: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """Some columns of all rows, with ``origin`` and whole ``line`` numbers where ``line`` is among them."""
    ranks = np.argsort(np.argsort(np.array(shas), kind="stable"), kind="stable")
    frames = []
    for part in placed:
        if "line" in names:
            frame = pl.read_parquet(str(part.part.file), columns=[*names, "input"])
            piece = frame["input"].to_numpy()
            frame = frame.drop("input").with_columns(
                pl.Series("line", frame["line"].to_numpy() + _of_pieces(part, "first_line")[piece]),
                pl.Series("origin", ranks[_of_pieces(part, "input")[piece]]),
            )
        else:
            frame = pl.read_parquet(str(part.part.file), columns=list(names))
        frames.append(frame)
    return pl.concat(frames, rechunk=False)


def _of_pieces(part: PlacedPart, name: str) -> npt.NDArray[np.int64]:
    return np.array([getattr(piece, name) for piece in part.pieces], np.int64)


def _write(
    placed: Sequence[PlacedPart],
    kept: npt.NDArray[np.bool_],
    named: pl.Series,
    told: pl.DataFrame | None,
    *,
    shas: Sequence[str],
    target: Path,
) -> None:
    """Copy the rows that stay, part by part, with their places and conversations."""
    seeds = np.array([int(sha[:16], 16) for sha in shas], np.uint64)
    copies = _copies(shas)
    names = named.to_arrow()
    row = name = 0
    held: list[Any] = []
    tables = _tables(placed)
    with parquet_writer(target) as writer:
        for part in placed:
            table = next(tables)
            if told is not None:
                table = _with_replies(table, told.filter(pl.col("row").is_between(row, row + table.num_rows - 1)), row)
            mask = kept[row : row + table.num_rows]
            row += table.num_rows
            if not mask.all():  # filtering loads a library that most logs do without
                table = table.filter(pa.array(mask))
            piece = table["input"].to_numpy()
            numbers = _of_pieces(part, "input")[piece]
            entry = table["request_key"].to_numpy().astype(np.int64) + _of_pieces(part, "first_entry")[piece]
            columns = {
                "request_key": pa.array(mix([seeds[numbers], copies[numbers], entry])),
                "input": pa.array(numbers.astype(np.uint32)),
                "line": pa.array(table["line"].to_numpy() + _of_pieces(part, "first_line")[piece]),
                "conversation": names.slice(name, table.num_rows),
            }
            name += table.num_rows
            for title, column in columns.items():
                table = table.set_column(table.column_names.index(title), title, column)
            held.append(table)
            if sum(part.num_rows for part in held) >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(held))
                held.clear()
        if held:
            writer.write_table(pa.concat_tables(held))


def _tables(placed: Sequence[PlacedPart]) -> Iterator[pa.Table]:
    """The rows of each part, the next read while one is in use."""
    with ThreadPoolExecutor(1) as ahead:
        reading: Future[pa.Table] | None = None
        for part, following in zip(placed, [*placed[1:], None], strict=False):
            table = (reading or ahead.submit(_table, part)).result()
            reading = ahead.submit(_table, following) if following else None
            yield table


def _table(placed: PlacedPart) -> pa.Table:
    with pq.ParquetFile(placed.part.file) as file:
        return file.read(use_threads=False)  # for so few rows threads cost more than they save


def _with_replies(table: pa.Table, told: pl.DataFrame, first: int) -> pa.Table:
    """Set what repeats tell together; ``first`` is the place of the table's first row."""
    for name in merge.REPLY if told.height else ():
        place = table.column_names.index(name)
        column = pl.Series(name, table[name])
        filled = column.scatter(told["row"] - first, told[name])
        table = table.set_column(place, name, filled.to_arrow().cast(ARROW_SCHEMA.field(name).type))
    return table


def _copies(shas: Sequence[str]) -> npt.NDArray[np.uint64]:
    """How many files before each have the same content, so that the rows of a copy have keys of their own."""
    seen: dict[str, int] = {}
    copies = []
    for sha in shas:
        copies.append(seen.get(sha, 0))
        seen[sha] = copies[-1] + 1
    return np.array(copies, np.uint64)


def _inputs(tallies: Sequence[tuple[Piece, ShardTally]], inputs: Sequence[tuple[str, int, str]]) -> list[Input]:
    records = [0] * len(inputs)
    formats: list[list[dict[str, int]]] = [[] for _ in inputs]
    for piece, tally in tallies:
        records[piece.input] += tally.entries
        formats[piece.input].append(tally.formats)
    described = []
    for number, (path, size, sha) in enumerate(inputs):
        counts = dict(_sums(formats[number]))
        described.append(
            Input(
                path=path,
                sha256=sha,
                bytes=size,
                records=records[number],
                format=next(iter(counts), "unknown"),
                formats=counts,
            )
        )
    return described


def _rejected(tallies: Sequence[tuple[Piece, ShardTally]], paths: Sequence[str]) -> list[Rejection]:
    counts = _sums({reason: refusals.count for reason, refusals in tally.rejected.items()} for _, tally in tallies)
    examples: dict[str, list[tuple[int, int]]] = {}
    for piece, tally in tallies:
        for reason, refusals in tally.rejected.items():
            places = examples.setdefault(reason, [])
            places.extend((piece.input, piece.first_line + line) for line in refusals.lines)
    return [
        Rejection(
            reason=reason,
            count=count,
            examples=[
                Example(file=paths[number], line=line) for number, line in sorted(examples[reason])[:MAX_EXAMPLES]
            ],
        )
        for reason, count in counts
    ]


def _sums(groups: Iterable[dict[str, int]]) -> list[tuple[str, int]]:
    """Add up counts by name, most first, equals by name."""
    total: dict[str, int] = {}
    for counts in groups:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))
