"""Executors of tasks: processes of this machine, and Dask clusters.

To add one, write its class in a module here after ``interface.Executor``, and name it in ``open_executor``.
"""

from __future__ import annotations

import os

from llm_audit.engines.executors.interface import Done, Executor, Task
from llm_audit.errors import UsageError

__all__ = ["LOCAL", "Done", "Executor", "Task", "is_remote", "open_executor"]

LOCAL = "local"
"""The engine that needs nothing else: processes of this machine."""

_DASK = "dask"
_DASK_SCHEME = "dask://"


def open_executor(engine: str, *, jobs: int, then: str | None = None) -> Executor:
    """Return the executor of an engine.

    Args:
        engine: ``local``, ``dask`` (a cluster of this machine's own processes) or ``dask://host:port``.
        jobs: Processes to start; 0 is one a core.
        then: A module of the last tasks, which processes of this machine load while they wait for others.

    Raises:
        UsageError: There is no such engine, its extra is not installed, or its scheduler does not answer.
    """
    jobs = jobs or os.cpu_count() or 1
    if engine == LOCAL:
        from llm_audit.engines.executors.processes import ProcessExecutor

        return ProcessExecutor(jobs, then=then)
    if engine == _DASK or is_remote(engine):
        from llm_audit.engines.executors.dask_cluster import DaskExecutor

        return DaskExecutor(engine.removeprefix(_DASK_SCHEME) if is_remote(engine) else None, jobs=jobs)
    raise UsageError(f"There is no engine {engine!r}. Give local, dask or dask://host:port.")


def is_remote(engine: str) -> bool:
    """Return whether an engine's processes may be on other machines, which share no temporary folder with this one."""
    return engine.startswith(_DASK_SCHEME)
