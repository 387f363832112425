"""A real cluster of several processes on the loopback interface."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import dask
import msgspec
import pytest
from distributed import Client

from llm_audit.api import audit_options
from llm_audit.audit.run import run
from llm_audit.catalog import Catalog
from llm_audit.config import Config
from llm_audit.engines import IngestOptions, ingest, open_executor, over_steps, steps_folder
from llm_audit.engines.executors import dask_cluster
from llm_audit.engines.executors.dask_cluster import DaskExecutor
from llm_audit.errors import AuditError, UsageError
from llm_audit.ledger import Ledger
from llm_audit.ledger.shared import Mapper, Outcome, Step, in_process
from llm_audit.policy import load
from llm_audit.pricing import PriceBook

LIMIT_SECONDS = 120
"""How long a test waits for what should take a second or two."""

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


@pytest.fixture(autouse=True)
def _limited() -> Iterator[None]:
    """End a test that waits for something that will not come."""

    def stop(*_: object) -> None:
        raise TimeoutError("the test took too long")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(3 * LIMIT_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def executor() -> Iterator[DaskExecutor]:
    """A cluster of this machine's processes, which take seconds to start."""
    with open_executor("dask", jobs=2) as opened:
        assert isinstance(opened, DaskExecutor)
        yield opened


@pytest.fixture
def address(executor: DaskExecutor) -> str:
    """The scheduler of that cluster, as of one that somebody else has started."""
    found: str = executor._cluster.scheduler_address
    return found.removeprefix("tcp://")


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


def test_results_come_in_the_order_of_the_tasks_of_which_few_wait_at_once(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "_LEAST_WAITING", 7)
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
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),  # each is one more process that starts
        DaskExecutor(None, jobs=1) as opened,
        pytest.raises(AuditError, match="number 7 ended several times"),
    ):
        opened.map(dies, [Number(7)])


def test_a_cluster_of_this_machine_gives_the_same_ledger(logs: Path, executor: DaskExecutor) -> None:
    here = ingest([logs], options=IngestOptions(jobs=1, cache=False))
    there = ingest([logs], options=IngestOptions(jobs=2, cache=False), executor=executor)
    assert there.frame.equals(here.frame)
    assert there.manifest == here.manifest


def test_a_cluster_elsewhere_gives_the_same_ledger_by_way_of_a_workspace(
    logs: Path, address: str, tmp_path: Path
) -> None:
    here = ingest([logs], options=IngestOptions(jobs=1, cache=False))
    workspace = tmp_path / "workspace"
    engine = f"dask://{address}"
    there = ingest([logs], options=IngestOptions(engine=engine, workspace=str(workspace)))
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


def test_workers_of_another_version_are_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "run", lambda *_: {"tcp://127.0.0.1:7": "theirs"})
    with pytest.raises(UsageError, match=r"tcp://127\.0\.0\.1:7 runs another version of llm-audit"):
        DaskExecutor(address, jobs=0).__enter__()


ELSEWHERE = f"""
import time
from distributed import LocalCluster
cluster = LocalCluster(
    n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address=None
)
print(cluster.scheduler_address.removeprefix("tcp://"), flush=True)
time.sleep({LIMIT_SECONDS})
"""


@contextmanager
def scheduler_elsewhere() -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A scheduler, with a worker, in a process of its own, which ends in any case."""
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as scheduler:
        limit = threading.Timer(LIMIT_SECONDS, scheduler.kill)  # ends the reading of what it says
        limit.start()
        try:
            assert scheduler.stdout is not None
            address = scheduler.stdout.readline().strip()
            limit.cancel()
            yield scheduler, address
        finally:
            limit.cancel()
            scheduler.kill()


def test_a_scheduler_that_is_lost_ends_the_run_with_what_to_do() -> None:
    with scheduler_elsewhere() as (scheduler, address), open_executor(f"dask://{address}", jobs=0) as opened:
        assert opened.map(squared, [Number(5)]) == [25]
        killer = threading.Timer(1, scheduler.kill)
        killer.start()
        with pytest.raises(AuditError, match=r"scheduler was lost.*same --workspace"):
            opened.map(waits, [Number(1)])
        killer.join(LIMIT_SECONDS)


def audited(ledger: Ledger, mapper: Mapper, workspace: Path) -> bytes:
    found = run(
        ledger,
        policy=load("small-by-default"),
        catalog=Catalog.load(),
        book=PriceBook(),
        options=audit_options(Config(resamples=5)),
        mapper=mapper,
        workspace=steps_folder(str(workspace)),
    )
    return msgspec.json.encode(found.document)


def test_an_audit_is_the_same_when_a_worker_dies_and_when_the_scheduler_is_lost_and_it_goes_on_elsewhere(
    logs: Path, executor: DaskExecutor, tmp_path: Path
) -> None:
    alone = ingest([logs], options=IngestOptions(jobs=1, cache=False, partitions=1))
    expected = audited(alone, in_process, tmp_path / "alone")

    workspace = tmp_path / "workspace"
    options = IngestOptions(cache=False, workspace=str(workspace), keep_workspace=True, partitions=3)
    ledger = ingest([logs], options=options, executor=executor)
    assert ledger.frame.equals(alone.frame)
    [victim, *_] = executor._client.run(os.getpid).values()
    killer = threading.Timer(0.5, os.kill, (victim, signal.SIGKILL))
    killer.start()
    assert audited(ledger, over_steps(executor), workspace) == expected
    killer.join(LIMIT_SECONDS)

    with scheduler_elsewhere() as (scheduler, address), open_executor(f"dask://{address}", jobs=0) as opened:
        calls: list[int] = []

        def losing_it(function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
            calls.append(len(steps))
            if len(calls) == 3:
                scheduler.kill()
            return over_steps(opened)(function, steps)

        with pytest.raises(AuditError, match=r"scheduler was lost.*same --workspace"):
            audited(ledger, losing_it, workspace)
    left = {path.name for path in (workspace / "steps").rglob("survey-*")}
    assert "survey-000002" in left
    assert audited(ledger, in_process, workspace) == expected


def test_an_engine_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no engine 'spark'. Give local, dask or dask://host:port"):
        open_executor("spark", jobs=1)
