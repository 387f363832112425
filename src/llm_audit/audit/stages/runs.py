"""The tasks of an audit by partition: they leave their results as files, and sums are added up in a tree.

A task carries the address of a folder and a few names. What all tasks are given is in two files, named by their hashes;
what they find are files that a second run of the same audit finds there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec

from llm_audit.audit.parts import Job
from llm_audit.audit.stages.results import read_result, write_result
from llm_audit.audit.stages.space import Given, Space, result_name
from llm_audit.ledger.shared import Outcome, Relay, SharedFolder, Step, perform

TOGETHER = 16
"""Results that are added up at once."""

T = TypeVar("T")


class Mapper(Protocol):
    """Does steps, in this process or in others; outcomes may come in any order."""

    def __call__(self, function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
        """Return the outcomes."""


Task = Callable[[Job, Any, Space, int], Any]
"""What is done for a partition, given the job, what is known of the log, and where others left what they found."""


class Stages(msgspec.Struct, kw_only=True, frozen=True):
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
        self, stage: str, task: Task, log: object = None, *, relay: Callable[[Space], Relay] | None = None
    ) -> Given:
        """Do a task for each partition, and carry on the rows that they send to each other; return what all got."""
        given = self._given(log)
        self._run(
            TaskStep(space=self.space, stage=stage, number=number, task=task, given=given, relay=relay)
            for number in range(self.space.partitions)
        )
        for level in relay(self.space).steps() if relay is not None else ():
            self._run(level)
        return given

    def summed(
        self,
        stage: str,
        task: Task,
        merge: Callable[[Job, Sequence[T]], T],
        log: object = None,
        *,
        relay: Callable[[Space], Relay] | None = None,
    ) -> T | None:
        """Return what all partitions come to; None where none has found anything."""
        given = self.each(stage, task, log, relay=relay)
        level, count = 0, self.space.partitions
        while count > TOGETHER:
            steps = [
                MergeStep(
                    space=self.space, stage=stage, level=level + 1, number=number, count=count, merge=merge, given=given
                )
                for number in range(-(-count // TOGETHER))
            ]
            self._run(steps)
            level, count = level + 1, len(steps)
        # The last few are added up here, where the sum is wanted.
        return _added(self.job, self.space.folder, [result_name(stage, level, at) for at in range(count)], merge)

    def _run(self, steps: Iterable[Step]) -> None:
        for _ in self.mapper(perform, list(steps)):
            pass  # what they found is in files

    def _given(self, log: object) -> Given:
        return Given.write(self.space.uri, self.job, log)


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
        return (result_name(self.stage, 0, self.number), *rows)

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
        return (result_name(self.stage, self.level, self.number),)

    def run(self) -> Outcome:
        """Write the sum."""
        job, _ = self.given.read()
        folder, start = self.folder, self.number * TOGETHER
        names = [result_name(self.stage, self.level - 1, at) for at in range(start, min(start + TOGETHER, self.count))]
        merged = _added(job, folder, names, self.merge)
        write_result(folder, self.targets[0], merged)
        return Outcome()


def _added(job: Job, folder: SharedFolder, names: Sequence[str], merge: Callable[[Job, Sequence[T]], T]) -> T | None:
    """Return the sum of results, given their names; None where none has found anything."""
    found: list[T] = [result for name in names if (result := read_result(folder, name)) is not None]
    return merge(job, found) if found else None
