"""The interface of executors: map a function over tasks, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, Self, TypeVar

Done = Callable[[int], None]
"""Called in this process with the position of each task that is finished."""


class Task(Protocol):
    """A piece of work: small and picklable, since its data stay in files that it names."""

    @property
    def size_bytes(self) -> int:
        """Return the bytes to read, by which the largest tasks begin first."""

    @property
    def label(self) -> str:
        """Return what an error calls it, such as the names of the files to read."""


T = TypeVar("T", bound=Task)
R = TypeVar("R")


class Executor(Protocol):
    """Runs tasks. A task whose process dies runs again, so a function must give the same when it is called twice."""

    def map(self, function: Callable[[T], R], tasks: Sequence[T], *, done: Done | None = None) -> list[R]:
        """Return the function's results in the order of the tasks.

        Args:
            function: A function of a module, which other processes import.
            tasks: What it is called with.
            done: Called as each task is finished.

        Raises:
            AuditError: The function raised it, or the process of a task died at every attempt.
        """

    def prepare(self, size_bytes: int, *, last: bool = False) -> None:
        """Begin to start what tasks of so many bytes in all will need, while they are made ready.

        Args:
            size_bytes: What the tasks read.
            last: Whether there are none but the last tasks, see ``executors.open_executor``.
        """

    def release(self) -> None:
        """Give back what processes hold for work that is over; the next tasks begin without it."""

    def __enter__(self) -> Self:
        """Return the executor, ready to run."""

    def __exit__(self, *failure: object) -> None:
        """End the processes that it started."""
