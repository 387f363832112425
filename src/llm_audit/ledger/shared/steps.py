"""Steps: pure tasks that read files and write some, for any executor that can map a function.

Data go by name in a folder that all executors reach; an outcome is a few numbers. A step that was done in an earlier
run of the same work is not done again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from llm_audit.errors import AuditError
from llm_audit.ledger.sealed import DamagedError, seal
from llm_audit.ledger.shared.folder import SharedFolder, open_folder, read_sealed

MAX_ATTEMPTS = 3

T = TypeVar("T")


class Counts(msgspec.Struct, frozen=True):
    """Sums over the rows that a step has seen."""

    rows: int = 0  # kept
    duplicates: int = 0
    repeated: int = 0  # whose merge key others have too
    parent_spans: int = 0
    dated: int = 0  # kept, with a time
    edges: int = 0  # between keys of rows that stay together
    edges_hash: int = 0  # of the set of edges, whatever their order
    estimated: int = 0  # kept, whose tokens the log does not state

    def __add__(self, other: Counts) -> Counts:
        """Return the sums of both."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        return Counts(**sums | {"edges_hash": sums["edges_hash"] % 2**64})


class Outcome(msgspec.Struct, frozen=True):
    """What a step reports: its sums, and the checksum of a file that outlives the steps."""

    counts: Counts = Counts()
    checksum: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(ABC):
    """A task: what it writes depends on the files it reads and on nothing else."""

    @property
    @abstractmethod
    def uri(self) -> str:
        """Return the address of the folder of its files."""

    @property
    @abstractmethod
    def targets(self) -> tuple[str, ...]:
        """Return the names of the files that the step writes."""

    @abstractmethod
    def run(self) -> Outcome:
        """Write the files.

        Raises:
            DamagedError: A file that is read is missing or damaged; the message is its name.
        """

    @property
    def folder(self) -> SharedFolder:
        """Return the folder of its files."""
        return open_folder(self.uri, checked=False)

    def is_done(self, outcome: Outcome) -> bool:
        """Return whether the files of an earlier run are there; readers check their content."""
        return outcome.checksum is None and all(map(self.folder.has, self.targets))


class Mapper(Protocol):
    """An executor's map: applies a function to each step, here or elsewhere."""

    def __call__(self, function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
        """Return the results in order."""
        ...


def in_process(function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
    """Apply the function to each step in this process."""
    return [function(step) for step in steps]


def perform(step: Step) -> Outcome:
    """Run a step unless its outcome and its files are there already."""
    folder = step.folder
    receipt = f"{step.targets[0]}.json"
    if (content := read_sealed(folder, receipt)) is not None:
        done = msgspec.json.decode(content, type=Outcome)
        if step.is_done(done):
            return done
    outcome = step.run()
    folder.store(receipt, [seal(receipt, msgspec.json.encode(outcome))])
    return outcome


def until_undamaged(uri: str, work: Callable[[], T]) -> T:
    """Return what steps come to; where a file of theirs turns out to be damaged, make it again.

    Raises:
        AuditError: A file was damaged again and again.
    """
    damaged: Counter[str] = Counter()
    while True:
        try:
            return work()
        except DamagedError as error:
            name = str(error)
            damaged[name] += 1
            if damaged[name] >= MAX_ATTEMPTS:
                raise AuditError(
                    f"{uri}/{name} was damaged {MAX_ATTEMPTS} times after it was written. Check the disk, or choose "
                    "another folder."
                ) from None
            open_folder(uri, checked=False).remove(name)
