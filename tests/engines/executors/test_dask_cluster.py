"""A real cluster of several processes on the loopback interface."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import pytest
from distributed import Client, LocalCluster

from llm_audit.engines import IngestOptions, ingest, open_executor
from llm_audit.engines.executors import dask_cluster
from llm_audit.engines.executors.dask_cluster import DaskExecutor
from llm_audit.errors import AuditError, UsageError

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not find this file


@dataclass(frozen=True)
class Number:
    value: int
    marker: str = ""

    @property
    def size_bytes(self) -> int:
        return self.value

    @property
    def label(self) -> str:
        return f"number {self.value}"


def squared(task: Number) -> int:
    return task.value**2


def refused(task: Number) -> int:
    raise UsageError(f"{task.label} is refused.")


def dies_once(task: Number) -> int:
    try:
        with Path(task.marker).open("x"):
            os.kill(os.getpid(), signal.SIGKILL)
    except FileExistsError:
        pass
    return task.value


def dies(_: Number) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def waits(task: Number) -> int:
    time.sleep(30)
    return task.value


@pytest.fixture(scope="module")
def executor() -> Iterator[DaskExecutor]:
    with DaskExecutor(None, jobs=2) as opened:
        yield opened


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in "ab":
        lines = (
            f'{{"timestamp": "2026-09-01T00:00:{n:02d}Z", "model": "gpt-4o", "input_tokens": {n}, "output_tokens": 1}}'
            for n in range(60)
        )
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    return folder


def test_results_come_in_the_order_of_the_tasks(executor: DaskExecutor) -> None:
    done: list[int] = []
    tasks = [Number(value) for value in range(50)]
    assert executor.map(squared, tasks, done=done.append) == [value**2 for value in range(50)]
    assert sorted(done) == list(range(50))
    assert executor.map(squared, []) == []


def test_an_error_of_the_function_is_raised_as_it_is(executor: DaskExecutor) -> None:
    with pytest.raises(UsageError, match="number 3 is refused"):
        executor.map(refused, [Number(3)])


def test_the_task_of_a_worker_that_dies_runs_again(executor: DaskExecutor, tmp_path: Path) -> None:
    tasks = [Number(value, str(tmp_path / "marker")) for value in range(4)]
    assert executor.map(dies_once, tasks) == [0, 1, 2, 3]
    assert (tmp_path / "marker").exists()


def test_a_task_that_kills_every_worker_is_named() -> None:
    with DaskExecutor(None, jobs=1) as opened, pytest.raises(AuditError, match="number 7 ended several times"):
        opened.map(dies, [Number(7)])


def test_a_cluster_of_this_machine_gives_the_same_ledger(logs: Path) -> None:
    here = ingest([logs], options=IngestOptions(jobs=1, cache=False))
    there = ingest([logs], options=IngestOptions(jobs=2, cache=False, engine="dask"))
    assert there.frame.equals(here.frame)
    assert there.manifest == here.manifest


def test_a_cluster_elsewhere_gives_the_same_ledger_by_way_of_a_workspace(logs: Path, tmp_path: Path) -> None:
    here = ingest([logs], options=IngestOptions(jobs=1, cache=False))
    workspace = tmp_path / "workspace"
    with LocalCluster(n_workers=2, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50) as cluster:
        engine = cluster.scheduler_address.replace("tcp", "dask")
        options = IngestOptions(engine=engine, workspace=str(workspace))
        there = ingest([logs], options=options)
        with pytest.raises(UsageError, match=r"needs --workspace: a folder that all its workers reach"):
            ingest([logs], options=IngestOptions(engine=engine))
    assert there.frame.equals(here.frame)
    assert there.manifest == here.manifest
    del there
    assert not workspace.exists()


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "_CONNECT_SECONDS", 1)
    with pytest.raises(UsageError, match=r"No Dask scheduler answers at 127\.0\.0\.1:1"):
        open_executor("dask://127.0.0.1:1", jobs=0).__enter__()


def test_workers_of_another_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalCluster(n_workers=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50) as cluster:
        monkeypatch.setattr(Client, "run", lambda *_: {"tcp://127.0.0.1:7": "theirs"})
        with pytest.raises(UsageError, match=r"tcp://127\.0\.0\.1:7 runs another version of llm-audit"):
            DaskExecutor(cluster.scheduler_address.removeprefix("tcp://"), jobs=0).__enter__()


def test_a_scheduler_that_is_lost_ends_the_run_with_what_to_do() -> None:
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler = subprocess.Popen([*command, "--no-dashboard"], stderr=subprocess.PIPE, text=True)
    worker = None
    try:
        assert scheduler.stderr is not None
        address = next(found[1] for text in scheduler.stderr if (found := re.search(r"(127\.0\.0\.1:\d+)", text)))
        worker = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-dashboard", "--no-nanny"],
            stderr=subprocess.DEVNULL,
        )
        with open_executor(f"dask://{address}", jobs=0) as opened:
            assert opened.map(squared, [Number(5)]) == [25]
            killer = threading.Timer(1, scheduler.kill)
            killer.start()
            with pytest.raises(AuditError, match=r"scheduler was lost.*same --workspace"):
                opened.map(waits, [Number(1)])
            killer.join()
    finally:
        for process in (scheduler, worker):
            if process is not None:
                process.kill()
                process.communicate()


def test_an_engine_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no engine 'spark'. Give local, dask or dask://host:port"):
        open_executor("spark", jobs=1)
