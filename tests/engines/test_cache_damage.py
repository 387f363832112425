"""Whatever happens to the cache, the result is that of a run without one."""

import os
import random
import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.cli.conftest import write_log

from llm_audit.engines import IngestOptions, ingest
from llm_audit.engines.executors.processes import ProcessExecutor
from llm_audit.errors import AuditWarning
from llm_audit.ledger import part_cache
from llm_audit.ledger.cache_folder import FOLDER_VARIABLE
from llm_audit.ledger.manifest import REQUESTS_FILE, encode_manifest
from llm_audit.sources import split

JOBS = IngestOptions(jobs=1)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, bytes]:
    """Logs, the cache of a first run over them, and its result."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(part_cache, "_MIN_AGE_NS", 0)
    monkeypatch.setattr(split, "SHARD_BYTES", 5_000)
    (tmp_path / "logs").mkdir()
    for seed in range(3):
        write_log(tmp_path / "logs" / f"{seed}.jsonl", seed=seed, requests=30)
    return tmp_path / "logs", tmp_path / "cache", result(tmp_path / "logs")


def result(logs: Path) -> bytes:
    ledger = ingest([logs], options=JOBS)
    return encode_manifest(ledger.manifest) + (ledger.folder / REQUESTS_FILE).read_bytes()


def files(cache: Path, name: str) -> list[Path]:
    return sorted(path for path in (cache / name).rglob("*") if path.is_file())


def spoil(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    match rng.randrange(4):
        case 0:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case 1:
            del data[rng.randrange(len(data)) :]
        case 2:
            data[:] = bytes(len(data))
        case _:
            data += b"x"
    path.write_bytes(data)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_cache_changes_no_byte_and_is_mentioned_once(kept: tuple[Path, Path, bytes], seed: int) -> None:
    logs, cache, first = kept
    rng = random.Random(seed)
    kind = ("files", "parts", "ledgers")[seed % 3]
    if kind == "parts":
        shutil.rmtree(cache / "ledgers")  # parts are read only where the ledger is not kept whole
        (cache / "ledgers").mkdir()
    spoil(rng.choice(files(cache, kind)), rng)
    with pytest.warns(AuditWarning, match=f"The cache {cache} was damaged in 1 of its entries") as said:
        assert result(logs) == first
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert result(logs) == first  # it was made again


def test_swapped_ledgers_are_not_taken_for_each_other(kept: tuple[Path, Path, bytes]) -> None:
    logs, cache, first = kept
    result(logs / "0.jsonl")
    one, two = sorted((cache / "ledgers").iterdir())
    one.rename(cache / "ledgers" / "third")
    two.rename(one)
    (cache / "ledgers" / "third").rename(two)
    with pytest.warns(AuditWarning):
        assert result(logs) == first


def test_a_process_says_that_it_found_damage(kept: tuple[Path, Path, bytes]) -> None:
    logs, cache, first = kept
    for name in ("files", "ledgers"):  # then the parts are looked up by the processes that read the logs
        shutil.rmtree(cache / name)
    for path in files(cache, "parts"):
        spoil(path, random.Random(1))
    with pytest.warns(AuditWarning, match="damaged in"):
        assert result(logs) == first


def test_a_cache_that_cannot_be_written_or_is_full_changes_nothing(
    kept: tuple[Path, Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, cache, first = kept
    shutil.rmtree(cache)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(part_cache.shutil, "copyfile", full)
    monkeypatch.setattr(part_cache.os, "fdopen", full)
    with pytest.warns(AuditWarning, match="cannot be written: No space left on device"):
        assert result(logs) == first
    monkeypatch.undo()
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_runs_share_a_cache(kept: tuple[Path, Path, bytes]) -> None:
    logs, cache, first = kept
    shutil.rmtree(cache)
    with ThreadPoolExecutor(max_workers=3) as runs:
        assert set(runs.map(result, [logs] * 6)) == {first}
    assert result(logs) == first
    assert not [path for path in cache.rglob("*") if path.name.endswith("partial")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_folder_that_may_not_be_written_costs_time_only(kept: tuple[Path, Path, bytes]) -> None:
    logs, cache, first = kept
    shutil.rmtree(cache)
    cache.mkdir(mode=0o500)
    try:
        with pytest.warns(AuditWarning, match="cannot be written: Permission denied"):
            assert result(logs) == first
        assert not list(cache.iterdir())
    finally:
        cache.chmod(0o700)


def test_workers_need_no_shared_memory(kept: tuple[Path, Path, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    logs, cache, first = kept
    shutil.rmtree(cache)

    def no_shared_memory(*_: object, **__: object) -> None:
        raise OSError(38, "Function not implemented")  # what locks give where /dev/shm is missing

    monkeypatch.setattr("_multiprocessing.SemLock", no_shared_memory)
    ledger = ingest([logs], options=IngestOptions(jobs=2, cache=False))
    assert encode_manifest(ledger.manifest) + (ledger.folder / REQUESTS_FILE).read_bytes() == first


def test_processes_are_prepared_at_once_for_files_that_no_run_has_read(
    kept: tuple[Path, Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[int] = []
    monkeypatch.setattr(ProcessExecutor, "prepare", lambda _, size_bytes: prepared.append(size_bytes))
    logs, _, _ = kept
    ingest([logs], options=JOBS)
    new = logs / "new.jsonl"
    write_log(new, seed=9, requests=30)
    ingest([logs], options=JOBS)
    known, both = 0, sum(path.stat().st_size for path in logs.iterdir())
    assert prepared == [known, new.stat().st_size, both]
