"""Number the rows of a part as those of the ledger: which input, line and entry each is, and its key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from llm_audit.errors import AuditError
from llm_audit.ledger.arrow import ARROW_SCHEMA, array_of, numbers_of
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.row_hashes import hash_rows
from llm_audit.ledger.sealed import DamagedError
from llm_audit.ledger.shared.folder import fetch_whole, open_folder

POSITION = ("input", "line", "entry")
"""Columns of a row's place, which order the rows of a ledger."""


class ShardOffset(msgspec.Struct, kw_only=True, frozen=True):
    """The input that a shard belongs to, and the lines and entries of that input before it."""

    input: int
    lines_before: int
    entries_before: int


class OffsetPart(msgspec.Struct, kw_only=True, frozen=True):
    """A part with the offsets of its shards."""

    part: LedgerPart
    offsets: tuple[ShardOffset, ...]


class InputId(msgspec.Struct, kw_only=True, frozen=True):
    """The identity of an input, from its content alone.

    Attributes:
        seed: The beginning of its SHA-256.
        copy: The number of earlier inputs of the same content, so that the rows of a copy have keys of their own.
        origin: The rank of the input by SHA-256, which decides between rows that are equal in all else.
    """

    seed: int
    copy: int
    origin: int


class PartRows(msgspec.Struct, kw_only=True, frozen=True):
    """The rows of a part, and all that numbering them needs: for each shard its offset and its input.

    Attributes:
        file: Its path, or its name in a workspace, which ends in its checksum.
        workspace: The address of the workspace; None for a file of this machine.
        offsets: Of each shard.
        inputs: Of each shard.
    """

    file: str
    workspace: str | None
    offsets: tuple[ShardOffset, ...]
    inputs: tuple[InputId, ...]


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


def part_rows(parts: Sequence[OffsetPart], hashes: Sequence[str], *, workspace: str | None = None) -> list[PartRows]:
    """Return the rows of the parts that have any; ``hashes`` are the SHA-256 of the inputs."""
    identities = _identities(hashes)
    return [
        PartRows(
            file=part.part.file,
            workspace=workspace,
            offsets=part.offsets,
            inputs=tuple(identities[offset.input] for offset in part.offsets),
        )
        for part in parts
        if part.part.file is not None
    ]


def numbered_rows(parts: Sequence[PartRows], columns: Sequence[str] | None = None) -> tuple[Any, npt.NDArray[np.int64]]:
    """Return rows of parts that follow each other, numbered, and the origin of each.

    They are in order of input, line and entry.

    Args:
        parts: The parts.
        columns: The columns to read, ``POSITION`` among them; None for all.
    """
    tables = [_rows(part, columns) for part in parts]
    offsets: list[ShardOffset] = []
    inputs: list[InputId] = []
    numbers = []
    for part, rows in zip(parts, tables, strict=True):
        numbers.append(numbers_of(rows["input"], np.uint32).astype(np.int64) + len(offsets))
        offsets += part.offsets
        inputs += part.inputs
    table, shard = pa.concat_tables(tables), np.concatenate(numbers)
    positions = _of_shards(offsets, "input", np.int64)[shard]
    entries = numbers_of(table["entry"], np.int64) + _of_shards(offsets, "entries_before", np.int64)[shard]
    lines = numbers_of(table["line"], np.int64) + _of_shards(offsets, "lines_before", np.int64)[shard]
    replaced = {"input": positions.astype(np.uint32), "line": lines, "entry": entries}
    if "request_key" in table.column_names:
        seeds = _of_shards(inputs, "seed", np.uint64)[shard]
        copies = _of_shards(inputs, "copy", np.uint64)[shard]
        replaced["request_key"] = hash_rows([seeds, copies, entries])
    for name, values in replaced.items():
        column = array_of(values, ARROW_SCHEMA.field(name).type)
        table = table.set_column(table.column_names.index(name), name, column)
    origins = _of_shards(inputs, "origin", np.int64)[shard]
    order = np.lexsort((entries, lines, positions))
    if np.any(np.diff(order) < 0):
        return table.take(array_of(order, pa.int64())), origins[order]
    return table, origins


def _rows(part: PartRows, columns: Sequence[str] | None) -> Any:
    with rows_at_hand(part) as path, pq.ParquetFile(path) as file:
        # Threads cost more than they save for so few rows.
        return file.read(columns=None if columns is None else list(columns), use_threads=False)


@contextmanager
def rows_at_hand(part: PartRows) -> Iterator[str]:
    """Yield the path of a part's rows, fetched from their workspace where they are in one.

    Raises:
        AuditError: They are not what was written.
    """
    if part.workspace is None:
        yield part.file
        return
    checksum = part.file.removesuffix(".parquet").rpartition(".")[2]
    with TemporaryDirectory(prefix="llm-audit-") as local:
        try:
            path = fetch_whole(open_folder(part.workspace, checked=False), part.file, Path(local), checksum)
        except DamagedError:
            raise AuditError(
                f"{part.workspace}/{part.file} is damaged or missing. Start again with the same workspace: it is made "
                "anew."
            ) from None
        yield str(path)


def _of_shards(shards: Sequence[Any], name: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.array([getattr(shard, name) for shard in shards], dtype)


def _identities(hashes: Sequence[str]) -> list[InputId]:
    origins = np.argsort(np.argsort(np.array(hashes), kind="stable"), kind="stable")
    seen: dict[str, int] = {}
    identities = []
    for sha, origin in zip(hashes, origins.tolist(), strict=True):
        copy = seen.get(sha, 0)
        seen[sha] = copy + 1
        identities.append(InputId(seed=int(sha[:16], 16), copy=copy, origin=origin))
    return identities
