import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from llm_audit.engines.executors.processes import ProcessExecutor, interrupts_blocked
from llm_audit.errors import AuditError
from llm_audit.sources.files.limits import SHARD_BYTES


@dataclass(frozen=True)
class Number:
    value: int
    size_bytes: int = SHARD_BYTES

    @property
    def label(self) -> str:
        return f"number {self.value}"


def value_of(task: Number) -> int:
    return task.value


def process_of(_: Number) -> int:
    return os.getpid()


def polars_threads(_: Number) -> int:
    import polars as pl

    return pl.thread_pool_size()


def has_loaded(_: Number) -> bool:
    return "this" in sys.modules


def has_loaded_later(_: Number) -> bool:
    return "zipapp" in sys.modules


def threads_and_sum(task: Number) -> tuple[bool, int, int]:
    """Whether what is last was loaded, polars' threads, and a sum that they work out."""
    loaded = "llm_audit.audit.stages.tasks" in sys.modules
    import polars as pl

    rows = pl.DataFrame({"number": range(1000)}).lazy().group_by(rest=pl.col("number") % 7).agg(pl.col("number").sum())
    return loaded, pl.thread_pool_size(), rows.collect()["number"].sum() * task.value


def tell_blocked(connection: Connection) -> None:
    connection.send(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def test_a_process_never_hears_an_interrupt_and_this_one_still_does() -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=tell_blocked, args=(theirs,), daemon=True)
    with interrupts_blocked():
        process.start()
    assert ours.poll(60)
    assert ours.recv() is True
    process.join(60)
    assert process.exitcode == 0
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_processes_stay_for_the_next_tasks_until_they_are_released() -> None:
    tasks = [Number(value) for value in range(4)]
    with ProcessExecutor(2) as executor:
        first = set(executor.map(process_of, tasks))
        assert os.getpid() not in first
        assert set(executor.map(process_of, tasks)) <= first
        executor.release()
        assert multiprocessing.active_children() == []
        assert not set(executor.map(process_of, tasks)) & first
    assert multiprocessing.active_children() == []


def test_little_work_goes_to_a_process_that_waits_and_else_stays_here() -> None:
    little, much = [Number(0, size_bytes=1)], [Number(value) for value in range(4)]
    with ProcessExecutor(2) as executor:
        assert executor.map(process_of, little) == [os.getpid()]
        waiting = set(executor.map(process_of, much))
        assert set(executor.map(process_of, little)) <= waiting
        assert executor.map(process_of, []) == []
        executor.release()
        assert executor.map(process_of, little) == [os.getpid()]


def test_results_are_in_the_order_of_the_tasks() -> None:
    tasks = [Number(value, size_bytes=SHARD_BYTES + value) for value in range(5)]
    with ProcessExecutor(2) as executor:
        assert executor.map(value_of, tasks) == [0, 1, 2, 3, 4]


def test_a_process_of_several_has_one_thread_of_polars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    with ProcessExecutor(2) as executor:
        assert executor.map(polars_threads, [Number(0), Number(1)]) == [1, 1]


def test_waiting_processes_load_what_the_last_tasks_need_but_not_those_that_are_released_soon() -> None:
    tasks = [Number(value) for value in range(4)]
    with ProcessExecutor(2, then="this") as executor:
        assert not any(executor.map(has_loaded, tasks))
        assert not any(executor.map(has_loaded, tasks))
        executor.release()
        executor.map(value_of, tasks)
        assert all(executor.map(has_loaded, tasks))
        assert "this" not in sys.modules


@pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="no server to fork from")
def test_the_server_loads_what_the_last_tasks_need_while_the_first_processes_work() -> None:
    tasks = [Number(value) for value in range(4)]
    with ProcessExecutor(2, then="zipapp") as executor:
        executor.prepare(2**40)
        assert not any(executor.map(has_loaded_later, tasks))
        executor.release()
        assert all(executor.map(has_loaded_later, tasks))
    with ProcessExecutor(2) as another:
        assert all(another.map(has_loaded_later, tasks))


@pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="no server to fork from")
def test_a_server_that_cannot_load_a_module_goes_on() -> None:
    tasks = [Number(value) for value in range(4)]
    with ProcessExecutor(2, then="no_such_module") as executor:
        executor.prepare(2**40)
        assert executor.map(value_of, tasks) == [0, 1, 2, 3]
        assert executor.map(value_of, tasks) == [0, 1, 2, 3]


@pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="no server to fork from")
@pytest.mark.parametrize("error", [EOFError, BrokenPipeError])
def test_a_server_that_was_ended_is_no_interrupt(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: object) -> None:
        raise error

    monkeypatch.setattr(forkserver, "connect_to_new_process", end)
    with pytest.raises(AuditError, match="possibly because memory ran out"), ProcessExecutor(2) as executor:
        executor.map(value_of, [Number(0), Number(1)])


def test_preparing_for_little_work_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[bool] = []
    monkeypatch.setattr(forkserver, "ensure_running", lambda: started.append(True))
    for jobs, size_bytes in ((1, 10 * SHARD_BYTES), (2, SHARD_BYTES), (2, SHARD_BYTES + 1)):
        with ProcessExecutor(jobs) as executor:
            executor.prepare(size_bytes)
    assert started == [True]


@pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="no server to fork from")
def test_processes_prepared_for_the_last_tasks_have_loaded_them_and_compute(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        """
from tests.engines.executors.test_processes import Number, threads_and_sum
from llm_audit.engines.executors.processes import ProcessExecutor

if __name__ == "__main__":
    with ProcessExecutor(2, then="llm_audit.audit.stages.tasks") as executor:
        executor.prepare(2**40, last=True)
        print(executor.map(threads_and_sum, [Number(value) for value in (1, 2, 3, 4)]))
"""
    )
    path = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    done = subprocess.run(
        [sys.executable, script],
        env=environment | {"PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == f"{[(True, 1, value * 499_500) for value in (1, 2, 3, 4)]}\n", done.stderr
