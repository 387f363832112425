"""Processes of this machine; a task whose process dies is given to a new one."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, Generic, Self

import msgspec

from llm_audit.engines.executors.interface import Done, R, T
from llm_audit.engines.executors.serving import LOAD, LOAD_IN_SERVER, SERVER, SETTINGS, serve
from llm_audit.errors import AuditError
from llm_audit.sources.files.limits import SHARD_BYTES

MAX_ATTEMPTS = 3
_NO_PROCESS = (
    "The process that starts those that read logs was ended, possibly because memory ran out. Run again, with fewer "
    "--jobs."
)
_MANY_BYTES = 8 * SHARD_BYTES  # of a log whose requests most likely are in several partitions

_READING = "llm_audit.engines.preload"
_ASSEMBLY = "llm_audit.ledger.assembly"


class ProcessExecutor:
    """Run tasks in processes of this machine, at most so many at once; they stay for the next tasks."""

    def __init__(self, jobs: int, *, then: str | None = None) -> None:
        self._jobs = jobs
        self._then = () if then is None else (then,)
        self._idle: list[_Worker] = []
        self._released = False
        self._later: tuple[str, ...] = ()  # what the server is to load while its first processes work

    def map(self, function: Callable[[T], R], tasks: Sequence[T], *, done: Done | None = None) -> list[R]:
        """Return the results in the order of the tasks, as ``Executor.map``.

        A small amount of work is done in this process where none waits, since starting one would take longer.
        """
        finished = done or _ignore
        jobs = min(self._jobs, len(tasks))
        results: dict[int, R] = {}
        small = jobs <= 1 or sum(task.size_bytes for task in tasks) <= SHARD_BYTES
        if small and not self._idle:
            for index, task in enumerate(tasks):
                results[index] = function(task)
                finished(index)
        else:
            # The largest first, so that the processes finish at about the same time.
            order = sorted(range(len(tasks)), key=lambda index: -tasks[index].size_bytes)
            then = self._then if self._released else ()  # those that are released soon load nothing more
            later, self._later = self._later, ()
            _Pool(function, tasks, finished, self._idle, then=then, later=later).run(order, jobs, results)
        return [results[index] for index in range(len(tasks))]

    def prepare(self, size_bytes: int, *, last: bool = False) -> None:
        """Start the server that processes are forked from, as ``Executor.prepare``; it loads for most of a second."""
        if self._jobs > 1 and size_bytes > SHARD_BYTES and _forks():
            from multiprocessing.forkserver import ensure_running

            _context([SETTINGS, *self._then] if last and self._then else [_READING])
            if size_bytes >= _MANY_BYTES and not last:
                self._later = (SETTINGS, _ASSEMBLY, *self._then)
            with main_module_hidden(), interrupts_blocked():
                ensure_running()

    def release(self) -> None:
        """End the processes, as ``Executor.release``."""
        for worker in self._idle:
            worker.connection.close()  # which ends it
        for worker in self._idle:
            worker.process.join()
        self._idle.clear()
        self._released = True

    def __enter__(self) -> Self:
        """Return the executor; processes are started for the first tasks."""
        return self

    def __exit__(self, *failure: object) -> None:
        """End the processes."""
        self.release()


def _forks() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()


def _context(loaded: Sequence[str] = (_READING,)) -> Any:
    """Return what starts processes, from a server that has loaded modules; one that runs already stays as it is."""
    context: Any = multiprocessing.get_context("forkserver" if _forks() else "spawn")
    if _forks():
        context.set_forkserver_preload([SERVER, *loaded])
    return context


def _ignore(_: int) -> None:
    """Take no notice of a finished task."""


class _Worker(msgspec.Struct):
    process: BaseProcess
    connection: Connection
    task: int = -1
    loaded: bool = False


class _Pool(Generic[T, R]):
    def __init__(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        done: Done,
        idle: list[_Worker],
        *,
        then: Sequence[str],
        later: Sequence[str],
    ) -> None:
        self._function = function
        self._tasks = tasks
        self._done = done
        self._idle = idle  # processes without a task, which outlive the pool
        self._then = then  # what they load meanwhile
        self._later = later  # what the server loads meanwhile
        self._attempts = [0] * len(tasks)
        self._workers: list[_Worker] = []
        self._context = _context()

    def run(self, order: Sequence[int], jobs: int, results: dict[int, R]) -> None:
        waiting = deque(order)
        try:
            for _ in range(jobs):
                self._start(waiting.popleft())
            if self._later:
                self._tell(self._workers[0], LOAD_IN_SERVER, self._later)
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
                    finished = worker.task
                    results[finished] = answer
                    self._next(worker, waiting)
                    self._done(finished)
        finally:
            self._stop()

    def _start(self, task: int) -> None:
        worker = self._idle.pop() if self._idle else self._new()
        self._workers.append(worker)
        self._send(worker, task)

    def _new(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs,), daemon=True)
        try:
            with main_module_hidden(), interrupts_blocked():
                process.start()
        except (EOFError, ConnectionError):  # which elsewhere tell of an interrupt, and of a reader that is gone
            raise AuditError(_NO_PROCESS) from None
        theirs.close()
        return _Worker(process, ours)

    def _send(self, worker: _Worker, task: int) -> None:
        worker.task = task
        self._attempts[task] += 1
        self._tell(worker, self._function, self._tasks[task])

    def _tell(self, worker: _Worker, function: Callable[[T], R] | str, task: object) -> None:
        with suppress(OSError):  # the process has died, which the wait for its answer detects
            worker.connection.send((function, task))

    def _next(self, worker: _Worker, waiting: deque[int]) -> None:
        if waiting:
            self._send(worker, waiting.popleft())
            return
        self._workers.remove(worker)
        self._idle.append(worker)
        if self._then and not worker.loaded:
            worker.loaded = True
            self._tell(worker, LOAD, self._then)

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
