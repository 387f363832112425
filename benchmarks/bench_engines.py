"""Compare engines in one run: Dask against this machine's own processes, and what a task costs its scheduler.

    python benchmarks/bench_engines.py LOG... [--jobs 2] [--tasks 10000 100000]

Prints ratios: the time of reading the logs into a ledger on Dask to that of local processes, and the time of tasks
that do nothing.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from dataclasses import dataclass

from llm_audit.engines import IngestOptions, ingest, open_executor

RUNS = 3


@dataclass(frozen=True)
class Nothing:
    """A task that does nothing."""

    number: int
    size_bytes: int = 0
    label: str = "nothing"


def identity(task: Nothing) -> int:
    """Return the task's number."""
    return task.number


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tasks", type=int, nargs="*", default=[10_000, 100_000])
    given = parser.parse_args()
    if given.logs:
        seconds: dict[str, list[float]] = {"local": [], "dask": []}
        for _ in range(RUNS):
            for engine, times in seconds.items():
                times.append(_ingest(given.logs, engine, given.jobs))
        local, dask = (statistics.median(times) for times in seconds.values())
        print(f"ingest: local {local:.2f} s, dask {dask:.2f} s, rate of dask to local {local / dask:.2f}")
    for count in given.tasks:
        _tasks(count, given.jobs)


def _ingest(logs: list[str], engine: str, jobs: int) -> float:
    with open_executor(engine, jobs=jobs) as executor:
        start = time.perf_counter()
        ingest(logs, options=IngestOptions(jobs=jobs, cache=False, engine=engine), executor=executor)
        return time.perf_counter() - start


def _tasks(count: int, jobs: int) -> None:
    with open_executor("dask", jobs=jobs) as executor:
        start = time.perf_counter()
        executor.map(identity, [Nothing(number) for number in range(count)])
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count:,} tasks that do nothing: {seconds:.1f} s, {seconds / count * 1e6:,.0f} us a task; peak of client and "
        f"scheduler {peak:,.0f} MB"
    )


if __name__ == "__main__":
    main()
