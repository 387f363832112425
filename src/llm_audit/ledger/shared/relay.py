"""The way of rows from many files to many readers, in a number of requests that does not grow with their product.

One slice for each pair of a file and a reader is best for a few of either. Where both are many, a file has a slice for
each of some ranges of readers, and steps in between read one range from some files and cut it finer, as a radix sort
does: each row is written once a level, no step reads more than ``FAN`` files, and no file has more than ``FAN`` slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from llm_audit.ledger.arrow import array_of
from llm_audit.ledger.shared.folder import SharedFolder
from llm_audit.ledger.shared.slices import compact_dictionaries, read_slices, write_slices
from llm_audit.ledger.shared.steps import Outcome, Step

FAN = 128
"""Files that a step reads of, and ranges that it cuts their rows into."""

_READER = "reader"


class Relay(msgspec.Struct, kw_only=True, frozen=True):
    """Rows on their way.

    Attributes:
        uri: The address of the folder of the files.
        kind: Beginning of the files' names.
        sources: Files that are written at first.
        readers: Those that read in the end.
        fan: See ``FAN``.
    """

    uri: str
    kind: str
    sources: int
    readers: int
    fan: int = FAN

    @property
    def levels(self) -> int:
        """Return how many files each row is written to."""
        if min(self.sources, self.readers) <= self.fan:
            return 1
        levels = 1
        while self.fan**levels < self.readers:
            levels += 1
        return levels

    @property
    def ways(self) -> int:
        """Return the number of slices of a file."""
        if self.levels == 1:
            return self.readers
        ways = 2
        while ways**self.levels < self.readers:
            ways += 1
        return ways

    def name(self, level: int, part: int, group: int) -> str:
        """Return the name of the file of a range of readers and a group of sources."""
        return f"{self.kind}-{group:06d}" if level == 0 else f"{self.kind}-{level}-{part:06d}-{group:06d}"

    def groups(self, level: int) -> int:
        """Return the number of groups of sources at a level."""
        return -(-self.sources // int(self.fan**level))

    def width(self, level: int) -> int:
        """Return the number of readers of a slice of a file."""
        return int(self.ways ** (self.levels - level - 1))

    def steps(self) -> list[list[RelayStep]]:
        """Return the steps in between, level by level."""
        return [
            [
                RelayStep(relay=self, level=level, part=part, group=group)
                for part in range(-(-self.readers // self.width(level - 1)))
                for group in range(self.groups(level))
            ]
            for level in range(1, self.levels)
        ]

    def write(self, folder: SharedFolder, source: int, table: Any, readers: npt.NDArray[Any]) -> None:
        """Write the rows of a source, given the reader of each; None for no rows."""
        self.write_level(folder, self.name(0, 0, source), 0, table, readers)

    def write_level(self, folder: SharedFolder, name: str, level: int, table: Any, readers: npt.NDArray[Any]) -> None:
        """Write rows of a level for the next one, or for their readers."""
        if table is None or not table.num_rows:
            write_slices(folder, name, [None] * self.ways)
            return
        table = table.unify_dictionaries().combine_chunks()
        if level < self.levels - 1:
            table = table.append_column(_READER, array_of(readers.astype(np.uint32), pa.uint32()))
        parts = divide(table, readers.astype(np.int64) // self.width(level) % self.ways, self.ways)
        write_slices(folder, name, [compact_dictionaries(part) for part in parts])

    def read(self, folder: SharedFolder, reader: int) -> Iterator[Any]:
        """Return a reader's rows in the order of their sources, table by table.

        Raises:
            DamagedError: A file is missing or is not what was written; the message is its name.
        """
        last = self.levels - 1
        part, number = divmod(reader, self.ways)
        names = (self.name(last, part, group) for group in range(self.groups(last)))
        return read_slices(folder, [(name, number) for name in names])

    def frame(self, folder: SharedFolder, reader: int) -> pl.DataFrame | None:
        """Return a reader's rows as a frame; None where there are none."""
        tables = list(self.read(folder, reader))
        return pl.DataFrame(pa.concat_tables(tables)) if tables else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayStep(Step):
    """Read the rows of a range of readers from some files, and cut them finer."""

    relay: Relay
    level: int
    part: int
    group: int

    @property
    def uri(self) -> str:
        """Return the address of the folder."""
        return self.relay.uri

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the file of slices."""
        return (self.relay.name(self.level, self.part, self.group),)

    def run(self) -> Outcome:
        """Write the slices."""
        relay, folder = self.relay, self.folder
        before, number = divmod(self.part, relay.ways)
        start = self.group * relay.fan
        members = range(start, min(start + relay.fan, relay.groups(self.level - 1)))
        names = (relay.name(self.level - 1, before, member) for member in members)
        tables = list(read_slices(folder, [(name, number) for name in names]))
        table, readers = None, np.zeros(0, np.int64)
        if tables:
            table = pa.concat_tables(tables)
            readers = table[_READER].to_numpy()
            table = table.drop_columns([_READER])
        relay.write_level(folder, self.targets[0], self.level, table, readers)
        return Outcome()


def divide(table: Any, numbers: npt.NDArray[np.int64], count: int) -> list[Any]:
    """Return the rows of each number below ``count`` as a table, in order."""
    order = np.argsort(numbers, kind="stable")
    ends = np.searchsorted(numbers[order], np.arange(count + 1))
    table = table.take(array_of(order, pa.int64()))
    return [table.slice(start, end - start) for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]
