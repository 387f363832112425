"""Ingest by way of a workspace: in shares, interrupted, damaged, and in an object store that fails."""

import json
import os
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from llm_audit.engines import (
    IngestOptions,
    Part,
    clear_workspace,
    ingest,
    ingest_shard,
    merge_workspace,
    open_executor,
)
from llm_audit.engines.workspace import parts, plan
from llm_audit.errors import AuditError, IncompleteError, UsageError
from llm_audit.ledger import Ledger
from llm_audit.ledger.shared import folder as folders
from llm_audit.sources import split
from llm_audit.sources.files.stores import address, clients, retry

CONFIG = IngestOptions().config()
HERE = IngestOptions(jobs=1, cache=False)


@pytest.fixture(autouse=True)
def _small_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", 5_000)
    monkeypatch.setattr(plan, "SHARD_BYTES", 9_000)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Two files cut into several shards, one that is small, and one with a line that is no JSON."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(rows(0, 150))
    (folder / "b.jsonl").write_bytes(rows(140, 260))
    (folder / "c.jsonl").write_bytes(rows(300, 305))
    (folder / "d.jsonl").write_bytes(rows(400, 402) + b"{oops\n")
    return folder


def rows(start: int, end: int) -> bytes:
    return b"".join(
        json.dumps(
            {
                "id": f"call-{n}",
                "model": "gpt-4o",
                "timestamp": 1788220800 + n,
                "input_tokens": n,
                "output_tokens": 1,
                "prompt": f"What is {n} plus one?",
            }
        ).encode()
        + b"\n"
        for n in range(start, end)
    )


def share(workspace: Path | str, logs: Path | str, text: str | None = None) -> tuple[int, int]:
    with open_executor("local", jobs=1) as executor:
        number = None if text is None else Part.parse(text)
        return ingest_shard(str(workspace), [logs], config=CONFIG, executor=executor, shard=number)


def merged(workspace: Path | str) -> Ledger:
    with open_executor("local", jobs=1) as executor:
        return merge_workspace(str(workspace), executor=executor)


def same(ledger: Ledger, other: Ledger) -> bool:
    return ledger.frame.equals(other.frame) and ledger.manifest == other.manifest


@pytest.mark.parametrize(("count", "step"), [(1, 1), (2, 1), (3, 1), (4, 11)])  # of four shares, three orders of 24
def test_shares_in_any_order_give_the_ledger_of_one_run(logs: Path, tmp_path: Path, count: int, step: int) -> None:
    whole = ingest([logs], options=HERE)
    for number, order in enumerate(list(permutations(range(1, count + 1)))[::step]):
        workspace = tmp_path / f"w{number}"
        made = [share(workspace, logs, f"{index}/{count}") for index in order]
        assert sum(parts_made for parts_made, _ in made) > count
        assert sum(records for _, records in made) == whole.manifest.read
        assert same(merged(workspace), whole)


@pytest.mark.parametrize("size", [1, 6_000, 10**9])
def test_the_size_of_bundles_never_matters(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(plan, "SHARD_BYTES", size)
    ledger = ingest([logs], options=IngestOptions(jobs=1, workspace=str(tmp_path / "w")))
    assert same(ledger, ingest([logs], options=HERE))


def test_a_second_run_makes_only_what_is_missing(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    process = parts.process
    monkeypatch.setattr(parts, "process", lambda task: made.append(task.work_key) or process(task))
    share(tmp_path / "w", logs, "1/2")
    first = len(made)
    share(tmp_path / "w", logs, "1/2")
    assert len(made) == first > 0
    ledger = ingest([logs], options=IngestOptions(jobs=1, workspace=str(tmp_path / "w")))
    assert len(made) == len(set(made)) > first
    assert same(ledger, ingest([logs], options=HERE))
    assert all(name.startswith("llm-audit-") for name in os.listdir(tmp_path / "w"))  # the ledger's own folder
    del ledger
    assert not (tmp_path / "w").exists()


def test_a_share_that_is_missing_is_named(logs: Path, tmp_path: Path) -> None:
    share(tmp_path / "w", logs, "1/2")
    with pytest.raises(IncompleteError, match=r"\d of \d parts are missing from .*, the first of them number 2\."):
        merged(tmp_path / "w")


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
@pytest.mark.parametrize("damage", [lambda content: content[:-1] + b"?", lambda content: content[:40], lambda _: b""])
def test_a_damaged_part_is_made_anew(logs: Path, tmp_path: Path, suffix: str, damage: Callable[[bytes], bytes]) -> None:
    share(tmp_path / "w", logs)
    for path in (tmp_path / "w" / "parts").glob(f"*{suffix}"):
        path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(IncompleteError, match="missing"):
        merged(tmp_path / "w")
    share(tmp_path / "w", logs)
    assert same(merged(tmp_path / "w"), ingest([logs], options=HERE))


def test_rows_that_are_damaged_while_they_are_merged_end_the_run(logs: Path, tmp_path: Path) -> None:
    share(tmp_path / "w", logs)
    folder = folders.open_folder(str(tmp_path / "w"))
    made = plan.read_plan(folder)
    part = parts.kept_part(folder, made.key(0))
    assert part is not None
    assert part.file is not None
    (tmp_path / "w" / part.file).write_bytes(b"PAR1")
    with pytest.raises(AuditError, match="damaged or missing. Start again with the same workspace"):
        parts.fetch_part(folder, part, tmp_path)


def test_a_workspace_is_that_of_its_logs(logs: Path, tmp_path: Path) -> None:
    share(tmp_path / "w", logs)
    with (logs / "c.jsonl").open("ab") as file:
        file.write(rows(500, 501))
    with pytest.raises(UsageError, match="begun with other logs, options or code, or the logs have changed"):
        share(tmp_path / "w", logs)


def test_a_folder_that_is_no_workspace_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: Path) -> None:
    with pytest.raises(UsageError, match="holds no readable plan. Begin with `llm-audit ingest"):
        merged(tmp_path / "w")
    share(tmp_path / "w", logs)
    monkeypatch.setattr(plan, "code_fingerprint", lambda: "another")
    with pytest.raises(UsageError, match="begun with another version"):
        merged(tmp_path / "w")


def test_other_files_of_the_folder_stay(logs: Path, tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "notes.txt").write_text("Mine")
    ingest([logs], options=IngestOptions(jobs=1, workspace=str(tmp_path / "w")))
    assert os.listdir(tmp_path / "w") == ["notes.txt"]


def test_standard_input_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    os.write(writer, b"{}\n")
    with pytest.raises(UsageError, match="Standard input cannot be read with --workspace"):
        share(tmp_path / "w", "-")
    os.close(writer)


@pytest.mark.parametrize("text", ["", "3", "0/2", "3/2", "1/x", "-1/2", "1/2/3", "٣/٤"])
def test_a_share_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not of the form 3/8"):
        Part.parse(text)


def test_shares_are_disjoint_and_complete() -> None:
    for count in (1, 3, 8):
        numbers = [number for index in range(1, count + 1) for number in Part(index, count).of(7)]
        assert sorted(numbers) == list(range(7))


class Faulty:
    """A file system of which one call in so many fails."""

    def __init__(self, store: Any, every: int) -> None:
        self._store, self._every, self.calls = store, every, 0

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls % self._every == 0:
                raise OSError("When reading: AWS Error SLOW_DOWN during GetObject operation")
            return getattr(self._store, name)(*arguments, **options)

        return call


def test_a_bucket_is_a_workspace(bucket: str, logs: Path) -> None:
    whole = ingest([logs], options=HERE)
    workspace = f"{bucket}/run-1"
    for number in (2, 1):
        share(workspace, logs, f"{number}/2")
    assert same(merged(workspace), whole)
    folder = folders.open_folder(workspace)
    assert "plan.json" in folder.names("")
    clear_workspace(workspace)
    assert folder.names("") == []
    assert same(ingest([logs], options=IngestOptions(jobs=1, workspace=workspace)), whole)
    assert folder.names("") == []


def test_a_store_that_fails_one_call_in_twenty_gives_the_same(
    bucket: str, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ingest([logs], options=HERE)
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.0)
    faulty = Faulty(clients.client(address.parse(bucket).store), 20)
    monkeypatch.setattr(clients, "client", lambda _: faulty)
    assert same(ingest([logs], options=IngestOptions(jobs=1, workspace=f"{bucket}/run-2")), whole)
    assert faulty.calls > 40


def test_a_store_that_always_fails_ends_the_run_with_what_to_do(
    bucket: str, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.0)
    monkeypatch.setattr(clients, "client", lambda _: Faulty(None, 1))
    with pytest.raises(AuditError, match=r"failed at s3://scratch/run-3: .*SLOW_DOWN.*same --workspace"):
        share(f"{bucket}/run-3", logs)
