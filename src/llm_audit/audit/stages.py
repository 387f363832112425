"""The tasks of an audit by partition: they leave their results as files, and sums are added up in a tree.

A task carries the address of a folder and a few names. What all tasks are given is one file, named by its hash; what
they find are files that a second run of the same audit finds there.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import msgspec
import polars as pl
from xxhash import xxh3_128_hexdigest

from llm_audit.audit.parts import Job, Log
from llm_audit.audit.stored import read_result, write_result
from llm_audit.engines import package_fingerprint
from llm_audit.ledger.shared import DamagedError, Outcome, Relay, SharedFolder, Step, open_folder, perform

TOGETHER = 16
"""Results that are added up at once."""

T = TypeVar("T")


class Mapper(Protocol):
    """Does steps, in this process or in others; outcomes may come in any order."""

    def __call__(self, function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
        """Return the outcomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Where the tasks of an audit leave what they find.

    Attributes:
        uri: The address of the folder.
        partitions: Partitions of the ledger.
    """

    uri: str
    partitions: int

    @property
    def folder(self) -> SharedFolder:
        """Return the folder."""
        return open_folder(self.uri, checked=False)

    def result(self, stage: str, number: int) -> Any:
        """Return what the task of a partition has found.

        Raises:
            DamagedError: It is missing or damaged; the message is its name.
        """
        return read_result(self.folder, _name(stage, 0, number))


def prompts(space: Space) -> Relay:
    """Return the way of prompts that may repeat, each from its partition to the range of its hash."""
    return Relay(uri=space.uri, kind="prompts", sources=space.partitions, readers=space.partitions)


def repeats(space: Space) -> Relay:
    """Return the way of repeats, each from the range of its hash to its partition."""
    return Relay(uri=space.uri, kind="repeats", sources=space.partitions, readers=space.partitions)


Task = Callable[[Job, Log | None, Space, int], Any]
"""What is done for a partition, given the job, the log as far as it is known, and where others left what they found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Runs the stages of an audit.

    Attributes:
        space: Where tasks leave what they find.
        job: The audit, as tasks carry it.
        mapper: Does steps.
    """

    space: Space
    job: Job
    mapper: Mapper

    def each(
        self, stage: str, task: Task, log: Log | None = None, *, relay: Callable[[Space], Relay] | None = None
    ) -> None:
        """Do a task for each partition, and carry on the rows that they send to each other."""
        given = self._given(log)
        self._run(
            TaskStep(space=self.space, stage=stage, number=number, task=task, given=given, relay=relay)
            for number in range(self.space.partitions)
        )
        for level in relay(self.space).steps() if relay is not None else ():
            self._run(level)

    def summed(
        self,
        stage: str,
        task: Task,
        merge: Callable[[Job, Sequence[T]], T],
        log: Log | None = None,
        *,
        relay: Callable[[Space], Relay] | None = None,
    ) -> T | None:
        """Return what all partitions come to; None where none has found anything."""
        self.each(stage, task, log, relay=relay)
        given = self._given(log)
        level, count = 0, self.space.partitions
        while count > 1:
            steps = [
                MergeStep(
                    space=self.space, stage=stage, level=level + 1, number=number, count=count, merge=merge, given=given
                )
                for number in range(-(-count // TOGETHER))
            ]
            self._run(steps)
            level, count = level + 1, len(steps)
        found: T | None = read_result(self.space.folder, _name(stage, level, 0))
        return found

    def _run(self, steps: Iterable[Step]) -> None:
        for _ in self.mapper(perform, list(steps)):
            pass  # what they found is in files

    def _given(self, log: Log | None) -> Given:
        return Given.write(self.space.uri, (self.job, log))


@dataclass(frozen=True, slots=True)
class Given:
    """What all tasks of a stage are given: a file, by its hash, which comes with the task."""

    uri: str
    sha256: str

    @classmethod
    def write(cls, uri: str, content: tuple[Job, Log | None]) -> Given:
        """Write the file."""
        data = pickle.dumps(content, protocol=5)
        given = cls(uri, hashlib.sha256(data).hexdigest())
        open_folder(uri, checked=False).store(given.name, [data])
        return given

    @property
    def name(self) -> str:
        """Return the file's name."""
        return f"given-{self.sha256}"

    def read(self) -> tuple[Job, Log | None]:
        """Return the content, of which a process keeps the last.

        Raises:
            DamagedError: It is missing, or is not what was written; the message is its name.
        """
        return _read(self)


@lru_cache(maxsize=2)
def _read(given: Given) -> tuple[Job, Log | None]:
    data = open_folder(given.uri, checked=False).read(given.name)
    if data is None or hashlib.sha256(data).hexdigest() != given.sha256:
        raise DamagedError(given.name)
    content: tuple[Job, Log | None] = pickle.loads(data)  # noqa: S301 - it is what the task says it is
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStep(Step):
    """Do a task for a partition."""

    space: Space
    stage: str
    number: int
    task: Task
    given: Given
    relay: Callable[[Space], Relay] | None

    @property
    def uri(self) -> str:
        """Return the address of the folder."""
        return self.space.uri

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the result, and the file of rows for other tasks."""
        rows = () if self.relay is None else (self.relay(self.space).name(0, 0, self.number),)
        return (_name(self.stage, 0, self.number), *rows)

    def run(self) -> Outcome:
        """Write them."""
        job, log = self.given.read()
        write_result(self.folder, self.targets[0], self.task(job, log, self.space, self.number))
        return Outcome()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeStep(Step):
    """Add up some results of a stage."""

    space: Space
    stage: str
    level: int
    number: int
    count: int  # of results below
    merge: Callable[[Job, Sequence[Any]], Any]
    given: Given

    @property
    def uri(self) -> str:
        """Return the address of the folder."""
        return self.space.uri

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the sum."""
        return (_name(self.stage, self.level, self.number),)

    def run(self) -> Outcome:
        """Write the sum."""
        job, _ = self.given.read()
        folder, start = self.folder, self.number * TOGETHER
        names = [_name(self.stage, self.level - 1, at) for at in range(start, min(start + TOGETHER, self.count))]
        found = [result for name in names if (result := read_result(folder, name)) is not None]
        write_result(folder, self.targets[0], self.merge(job, found) if found else None)
        return Outcome()


def _name(stage: str, level: int, number: int) -> str:
    return f"{stage}-{number:06d}" if level == 0 else f"{stage}-{level}-{number:06d}"


def identity(job: Job) -> str:
    """Return a hash of all that decides what the tasks of an audit find, the same in every process."""
    manifest, book = job.ledger.manifest, job.book
    frame = _words(job.catalog.frame)
    day = "" if manifest.dated else f"{book.undated_at:%Y-%m-%d}"
    rows = job.ledger.fingerprint()
    options = _words(replace(job.options, command="", sample_command=""))
    words = [package_fingerprint(), rows, _words(job.policy), options, book.fingerprint, frame, day]
    return xxh3_128_hexdigest(msgspec.json.encode(words))


def _words(value: Any) -> str:
    """Return a text that says all of a value, whatever the order of its sets and mappings."""
    if isinstance(value, pl.DataFrame):
        return xxh3_128_hexdigest(value.serialize())
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({[_words(getattr(value, part.name)) for part in fields(value)]})"
    if isinstance(value, Mapping):
        return f"{{{sorted((_words(key), _words(item)) for key, item in value.items())}}}"
    if isinstance(value, set | frozenset):
        return f"{{{sorted(map(_words, value))}}}"
    if isinstance(value, list | tuple):
        return f"[{[*map(_words, value)]}]"
    return repr(value)
