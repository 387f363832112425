"""Calls of a function as tasks, each worth a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from llm_audit.engines.executors.interface import Executor
from llm_audit.sources.files.limits import SHARD_BYTES

T = TypeVar("T")
R = TypeVar("R")


class _Call(msgspec.Struct, frozen=True):
    function: Callable[[Any], Any]
    argument: Any
    label: str
    size_bytes: int = SHARD_BYTES


def map_calls(
    executor: Executor, function: Callable[[T], R], arguments: Iterable[T], *, label: Callable[[T], str]
) -> list[R]:
    """Return a function's results in the order of its arguments; an error calls a task by ``label``."""
    return executor.map(_do, [_Call(function, argument, label(argument)) for argument in arguments])


def _do(call: _Call) -> Any:
    return call.function(call.argument)
