"""Processes of this machine; a task whose process dies is given to a new one."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, Generic, Self

from llm_audit.engines.executors.interface import Done, R, T
from llm_audit.errors import AuditError
from llm_audit.sources.files.limits import SHARD_BYTES

MAX_ATTEMPTS = 3


class ProcessExecutor:
    """Run tasks in processes of this machine, at most so many at once."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def map(self, function: Callable[[T], R], tasks: Sequence[T], *, done: Done | None = None) -> list[R]:
        """Return the results in the order of the tasks, as ``Executor.map``.

        A small amount of work is done in this process, since starting others would take longer.
        """
        finished = done or _ignore
        jobs = min(self._jobs, len(tasks))
        if jobs <= 1 or sum(task.size_bytes for task in tasks) <= SHARD_BYTES:
            results = []
            for index, task in enumerate(tasks):
                results.append(function(task))
                finished(index)
            return results
        pool: _Pool[T, R] = _Pool(function, tasks, finished)
        # The largest first, so that the processes finish at about the same time.
        return pool.run(sorted(range(len(tasks)), key=lambda index: -tasks[index].size_bytes), jobs)

    def __enter__(self) -> Self:
        """Return the executor; processes are started by ``map``."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Do nothing: ``map`` has ended its processes."""


def _ignore(_: int) -> None:
    """Take no notice of a finished task."""


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    task: int


class _Pool(Generic[T, R]):
    def __init__(self, function: Callable[[T], R], tasks: Sequence[T], done: Done) -> None:
        self._function = function
        self._tasks = tasks
        self._done = done
        self._attempts = [0] * len(tasks)
        self._workers: list[_Worker] = []
        self._context: Any = multiprocessing.get_context(
            "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        )

    def run(self, order: Sequence[int], jobs: int) -> list[R]:
        waiting = deque(order)
        results: dict[int, R] = {}
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
                    results[worker.task] = answer
                    self._done(worker.task)
                    self._next(worker, waiting)
        finally:
            self._stop()
        return [results[index] for index in range(len(self._tasks))]

    def _start(self, task: int) -> None:
        ours, theirs = self._context.Pipe()
        worker = self._context.Process(target=serve, args=(theirs,), daemon=True)
        with main_module_hidden(), interrupts_blocked():
            worker.start()
        theirs.close()
        self._workers.append(_Worker(worker, ours, task))
        self._send(self._workers[-1], task)

    def _send(self, worker: _Worker, task: int) -> None:
        worker.task = task
        self._attempts[task] += 1
        with suppress(OSError):  # the process has died, which the wait for its answer detects
            worker.connection.send((self._function, self._tasks[task]))

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
        if self._attempts[worker.task] >= MAX_ATTEMPTS:
            raise AuditError(
                f"The process for {self._tasks[worker.task].label} crashed {MAX_ATTEMPTS} times (exit code "
                f"{worker.process.exitcode}), possibly because memory ran out. Use fewer --jobs, or leave these files "
                "out."
            )
        self._start(worker.task)

    def _stop(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()
        self._workers.clear()


def serve(connection: Connection) -> None:
    """Answer each task with its result or its error, until the other end closes. Runs in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where signals cannot be blocked in a new process
    threading.Thread(target=end_with_parent, daemon=True).start()
    # Records are short-lived trees; searching them for cycles costs a fifth of the time.
    gc.freeze()
    gc.set_threshold(200_000)
    while True:
        try:
            function, task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer: object = function(task)
        except Exception as error:  # noqa: BLE001 - raised again in the parent
            answer = error
        try:
            connection.send(answer)
        except OSError:  # the parent is gone
            return


def end_with_parent() -> None:
    """End this process when its parent is gone, even in the middle of a file, without a word."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(0)


@contextmanager
def main_module_hidden() -> Iterator[None]:
    """Prevent a new process from importing the user's own script, which may not expect it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C in processes started within, from their first moment; the parent ends them itself."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # if started later, it would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
