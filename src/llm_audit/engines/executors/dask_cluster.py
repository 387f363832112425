"""A Dask cluster: futures that carry paths and small results, and nothing of Dask's own data structures.

Few tasks are known to the scheduler at once, so that its memory and its work do not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import islice
from typing import Any, Self

from llm_audit.engines.context import code_fingerprint
from llm_audit.engines.executors.interface import Done, R, T
from llm_audit.errors import AuditError, UsageError

_WAITING_PER_THREAD = 4
_LEAST_WAITING = 256  # so that small tasks do not wait for the network
_CONNECT_SECONDS = 15
_CLOSE_SECONDS = 20
_RETRIES = 2  # of a task that ends with an error of the machine, such as a storage that does not answer
_RESUME = "Start it again with the same --workspace; what is finished is kept."


class DaskExecutor:
    """Run tasks on a cluster that exists, or on one of this machine's processes."""

    def __init__(self, address: str | None, *, jobs: int) -> None:
        self._address = address
        self._jobs = jobs
        self._cluster: Any = None
        self._client: Any = None

    def __enter__(self) -> Self:
        """Connect to the scheduler, or start one on the loopback interface with a process a job.

        Raises:
            UsageError: Dask is not installed, no scheduler answers, or its workers run other code.
        """
        try:
            distributed = _distributed()
        except ImportError:
            raise UsageError("The engine dask needs Dask. Install it: pip install 'llm-audit[dask]'.") from None
        try:
            if self._address is None:
                self._cluster = distributed.LocalCluster(
                    n_workers=self._jobs,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    memory_limit=0,
                    silence_logs=50,
                )
            self._client = distributed.Client(self._cluster or f"tcp://{self._address}", timeout=_CONNECT_SECONDS)
            self._check_code(self._client)
        except (OSError, ValueError) as error:
            self.__exit__()
            raise UsageError(
                f"No Dask scheduler answers at {self._address}: {error}. Check the address, and that it is running."
            ) from None
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        """Disconnect, and end the cluster that was started."""
        for opened in (self._client, self._cluster):
            with suppress(TimeoutError):  # a scheduler that is gone does not answer; its processes end with this one
                if opened is not None:
                    opened.close(timeout=_CLOSE_SECONDS)
        self._client = self._cluster = None

    def map(self, function: Callable[[T], R], tasks: Sequence[T], *, done: Done | None = None) -> list[R]:
        """Return the results in the order of the tasks, as ``Executor.map``."""
        client = self._connected()
        places: dict[Any, int] = {}
        results: dict[int, R] = {}
        waiting = iter(sorted(range(len(tasks)), key=lambda index: -tasks[index].size_bytes))

        def submit(count: int) -> list[Any]:
            """Send some tasks at once, since every message costs the scheduler more than a task."""
            indices = list(islice(waiting, count))
            futures = client.map(function, [tasks[index] for index in indices], pure=False, retries=_RETRIES)
            places.update((future.key, index) for future, index in zip(futures, indices, strict=True))
            return list(futures)

        with _translated(lambda key: tasks[places[key]].label):
            room = max(sum(client.nthreads().values()) * _WAITING_PER_THREAD, _LEAST_WAITING)
            running = _distributed().as_completed(submit(room))
            free = 0
            for finished in running.batches():
                for future in finished:
                    index = places[future.key]
                    results[index] = future.result()
                    future.release()
                    del places[future.key]
                    if done is not None:
                        done(index)
                free += len(finished)
                if free >= room // 4 or not places:
                    running.update(submit(free))
                    free = 0
        return [results[index] for index in range(len(tasks))]

    def prepare(self, size_bytes: int, *, last: bool = False) -> None:
        """Do nothing: the cluster is ready."""

    def release(self) -> None:
        """Do nothing: the cluster's processes are its own."""

    def _connected(self) -> Any:
        if self._client is None:
            raise AuditError("The Dask cluster is closed. Open the executor with `with`.")
        return self._client

    def _check_code(self, client: Any) -> None:
        if self._cluster is None:
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        try:
            found = client.run(code_fingerprint)
        except ImportError:
            found = {"a worker": None}
        if others := sorted(worker for worker, code in found.items() if code != code_fingerprint()):
            raise UsageError(
                f"{others[0]} runs another version of llm-audit, or none. Install the same one for all workers of the "
                "cluster."
            )


@contextmanager
def _translated(label: Callable[[Any], str]) -> Iterator[None]:
    """Raise the cluster's own errors as errors that say what to do."""
    distributed = _distributed()
    try:
        yield
    except distributed.KilledWorker as error:
        raise AuditError(
            f"The workers that processed {label(error.task)} ended several times, possibly because memory ran out. "
            f"Give them more memory, or leave these files out. {_RESUME}"
        ) from None
    except (distributed.CancelledError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise AuditError(f"The Dask scheduler was lost: it ended, or the network did. {_RESUME}") from None


def _distributed() -> Any:
    """Return Dask's module, which has no types of its own."""
    return import_module("distributed")
