"""Tasks of a ledger's partitions on an executor, as ``audit.run`` asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from llm_audit.engines.executors import Executor
from llm_audit.sources.files.limits import SHARD_BYTES

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Partition:
    """A partition, worth a process of its own."""

    function: Callable[[int], Any]
    number: int
    size_bytes: int = SHARD_BYTES

    @property
    def label(self) -> str:
        """Return what an error calls it."""
        return f"partition {self.number:,} of the ledger"


def over_partitions(executor: Executor) -> Callable[[Callable[[int], R], Iterable[int]], list[R]]:
    """Return a function like ``map`` that does a task for each partition on an executor."""
    return partial(_mapped, executor)


def _mapped(executor: Executor, function: Callable[[int], R], numbers: Iterable[int]) -> list[R]:
    return executor.map(_do, [_Partition(function, number) for number in numbers])


def _do(task: _Partition) -> Any:
    return task.function(task.number)
