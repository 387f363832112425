"""Processes that each work through bundles. A bundle whose process dies is given to a new one."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from llm_audit.engines.context import Recipe
from llm_audit.engines.worker import Task, process
from llm_audit.errors import AuditError
from llm_audit.ledger.tally import Part
from llm_audit.sources.files.limits import SHARD_BYTES

Progress = Callable[[int, int], None]
MAX_TRIES = 3


def run_all(tasks: Sequence[Task], recipe: Recipe, *, jobs: int, progress: Progress | None = None) -> list[Part]:
    """Make the parts of all tasks, and return them in their order.

    Little work is done in this process: starting others would take longer.

    Raises:
        AuditError: What a process met, or that a bundle's process died each time it was tried.
    """
    sizes = [task.size_bytes for task in tasks]
    tracker = _Tracker(sizes, progress)
    jobs = min(jobs, len(tasks))
    if jobs <= 1 or sum(sizes) <= SHARD_BYTES:
        parts = []
        tools = recipe.toolbox() if tasks else None
        for index, task in enumerate(tasks):
            assert tools is not None
            parts.append(process(task, tools))
            tracker.done(index)
        return parts
    pool = _Pool(tasks, recipe, tracker)
    # The largest first, so that no process is left alone with one at the end.
    return pool.run(sorted(range(len(tasks)), key=lambda index: -sizes[index]), jobs)


class _Tracker:
    """Tells the caller how many bytes are done."""

    def __init__(self, sizes: Sequence[int], progress: Progress | None) -> None:
        self._sizes = sizes
        self._total = sum(sizes)
        self._progress = progress
        self._done = 0

    def done(self, index: int) -> None:
        self._done += self._sizes[index]
        if self._progress is not None:
            self._progress(self._done, self._total)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    task: int


class _Pool:
    def __init__(self, tasks: Sequence[Task], recipe: Recipe, tracker: _Tracker) -> None:
        self._tasks = tasks
        self._recipe = recipe
        self._tracker = tracker
        self._tries = [0] * len(tasks)
        self._workers: list[_Worker] = []
        self._context: Any = multiprocessing.get_context(
            "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        )

    def run(self, order: Sequence[int], jobs: int) -> list[Part]:
        waiting = deque(order)
        parts: dict[int, Part] = {}
        if hasattr(self._context, "set_forkserver_preload"):
            self._context.set_forkserver_preload(["llm_audit.engines.preload"])
        try:
            for _ in range(jobs):
                self._start(waiting.popleft())
            while self._workers:
                ready = wait([worker.connection for worker in self._workers])
                for worker in [worker for worker in self._workers if worker.connection in ready]:
                    try:
                        answer = worker.connection.recv()
                    except (EOFError, OSError):
                        self._replace(worker)
                        continue
                    if isinstance(answer, BaseException):
                        raise answer
                    parts[worker.task] = answer
                    self._tracker.done(worker.task)
                    self._next(worker, waiting)
        finally:
            self._stop()
        return [parts[index] for index in range(len(self._tasks))]

    def _start(self, task: int) -> None:
        ours, theirs = self._context.Pipe()
        worker = self._context.Process(target=serve, args=(theirs, self._recipe), daemon=True)
        with _no_main(), deaf_to_interrupts():
            worker.start()
        theirs.close()
        self._workers.append(_Worker(worker, ours, task))
        self._send(self._workers[-1], task)

    def _send(self, worker: _Worker, task: int) -> None:
        worker.task = task
        self._tries[task] += 1
        with suppress(OSError):  # it has died; waiting for its answer will tell
            worker.connection.send(self._tasks[task])

    def _next(self, worker: _Worker, waiting: deque[int]) -> None:
        if waiting:
            self._send(worker, waiting.popleft())
            return
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()

    def _replace(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()
        if self._tries[worker.task] >= MAX_TRIES:
            names = ", ".join(sorted({shard.source.name for shard in self._tasks[worker.task].bundle}))
            raise AuditError(
                f"The process reading {names} died {MAX_TRIES} times (exit code {worker.process.exitcode}), "
                "perhaps for want of memory. Give fewer --jobs, or leave these files out."
            )
        self._start(worker.task)

    def _stop(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()
        self._workers.clear()


def serve(connection: Connection, recipe: Recipe) -> None:
    """Answer each task with its part, or with the error it met, until the other end closes. Runs in a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where interrupts cannot be kept from a new process
    tools = recipe.toolbox()
    # Records are trees that die at once; looking for cycles among them costs a fifth of the time.
    gc.freeze()
    gc.set_threshold(200_000)
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        try:
            answer: object = process(task, tools)
        except Exception as error:  # noqa: BLE001 - raised again in the parent
            answer = error
        connection.send(answer)


@contextmanager
def _no_main() -> Iterator[None]:
    """Keep a new process from importing the user's own script, which may not expect it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Keep Ctrl-C, also one pressed while they start, from processes started here; this one ends them itself."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # starting it later would lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
