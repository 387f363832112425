"""The steps of an assembly: pure tasks that read files and write one, for any executor that can map a function.

Data go by path in a folder that all executors see; an outcome is a few numbers. A step that was done in an earlier run
of the same assembly is not done again.
"""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from llm_audit.files import PRIVATE
from llm_audit.ledger.sealed import DamagedError, seal, unseal


class Counts(msgspec.Struct, frozen=True):
    """Sums over the rows that a step has seen."""

    rows: int = 0  # kept
    duplicates: int = 0
    parent_spans: int = 0
    dated: int = 0  # kept, with a time
    edges: int = 0  # between keys of rows that stay together
    edges_hash: int = 0  # of the set of edges, whatever their order

    def __add__(self, other: Counts) -> Counts:
        """Return the sums of both."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        return Counts(**sums | {"edges_hash": sums["edges_hash"] % 2**64})


class Outcome(msgspec.Struct, frozen=True):
    """What a step reports: its sums, and the checksum of a file that outlives the assembly."""

    counts: Counts
    checksum: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The files of an assembly: each is written by one step, with a slice for each step that reads it."""

    folder: Path
    parts: int
    partitions: int

    def path(self, kind: str, number: int) -> Path:
        """Return the file that a step writes."""
        return self.folder / f"{kind}-{number:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(ABC):
    """A task: what it writes depends on the files it reads and on nothing else."""

    layout: Layout
    number: int

    @property
    @abstractmethod
    def target(self) -> Path:
        """Return the file that the step writes."""

    @abstractmethod
    def run(self) -> Outcome:
        """Write the file.

        Raises:
            DamagedError: A file that is read is missing or damaged; the message is its path.
        """

    def is_done(self, outcome: Outcome) -> bool:
        """Return whether the file of an earlier run is there; readers check its content."""
        return outcome.checksum is None and self.target.exists()


class Mapper(Protocol):
    """An executor's map: applies a function to each step, here or elsewhere."""

    def __call__(self, function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
        """Return the results in order."""
        ...


def in_process(function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
    """Apply the function to each step in this process."""
    return [function(step) for step in steps]


def perform(step: Step) -> Outcome:
    """Run a step unless its outcome and its file are there already."""
    receipt = step.layout.folder / f"{step.target.name}.json"
    try:
        done = msgspec.json.decode(unseal(receipt.name, receipt.read_bytes()), type=Outcome)
        if step.is_done(done):
            return done
    except (FileNotFoundError, DamagedError, msgspec.MsgspecError):
        pass
    outcome = step.run()
    handle, partial = tempfile.mkstemp(dir=receipt.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(seal(receipt.name, msgspec.json.encode(outcome)))
        Path(partial).chmod(PRIVATE)
        Path(partial).replace(receipt)
    finally:
        Path(partial).unlink(missing_ok=True)
    return outcome
