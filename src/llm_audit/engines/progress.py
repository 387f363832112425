"""Progress of tasks in bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llm_audit.engines.executors import Done, Task

Progress = Callable[[int, int], None]
"""Called with bytes read and bytes in total."""


def bytes_done(tasks: Sequence[Task], progress: Progress | None) -> Done | None:
    """Return a callback that reports the bytes of the tasks that are finished."""
    if progress is None:
        return None
    total, read = sum(task.size_bytes for task in tasks), 0

    def done(index: int) -> None:
        nonlocal read
        read += tasks[index].size_bytes
        progress(read, total)

    return done
