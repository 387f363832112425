"""Tasks of a ledger's partitions on an executor, as ``audit.run`` asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from llm_audit.engines.executors import Executor
from llm_audit.engines.executors.calls import map_calls

R = TypeVar("R")


def over_partitions(executor: Executor) -> Callable[[Callable[[int], R], Iterable[int]], list[R]]:
    """Return a function like ``map`` that does a task for each partition on an executor."""
    return partial(map_calls, executor, label=_label)


def _label(number: int) -> str:
    return f"partition {number:,} of the ledger"
