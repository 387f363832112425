"""A ledger of several partitions, made and audited in a workspace that is damaged, or whose store fails."""

import json
import pickle
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest

from llm_audit.api import audit_options
from llm_audit.audit.run import Audit, run
from llm_audit.audit.stages import runs, space
from llm_audit.catalog import Catalog
from llm_audit.config import Config
from llm_audit.engines import IngestOptions, clear_workspace, ingest, open_executor, over_steps, steps_folder
from llm_audit.engines.workspace import plan
from llm_audit.errors import AuditError
from llm_audit.ledger import Ledger, read_ledger, write_ledger
from llm_audit.ledger.assembly import assemble
from llm_audit.ledger.remote import RemoteLedger
from llm_audit.ledger.shared import Outcome, Relay, Step, open_folder
from llm_audit.policy import load
from llm_audit.pricing import PriceBook
from llm_audit.sources import split
from llm_audit.sources.files.stores import address, clients, retry

PARTITIONS = 3
Mapped = Callable[[Callable[[Step], Outcome], Sequence[Step]], Iterable[Outcome]]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts, several levels of every exchange, and several levels of sums."""
    monkeypatch.setattr(split, "SHARD_BYTES", 6_000)
    monkeypatch.setattr(plan, "SHARD_BYTES", 6_000)
    monkeypatch.setattr(runs, "TOGETHER", 2)
    monkeypatch.setattr(space, "Relay", partial(Relay, fan=2))
    monkeypatch.setitem(assemble.__kwdefaults__, "fan", 2)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Calls that recur under other names, some without stated tokens, and conversations that go on in the next file."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(3):
        lines = []
        for at in range(16):
            asked = f"What is {at % 9} plus one, and why is it not {at % 5}?"
            record: dict[str, Any] = {
                "id": f"call-{number * 12 + at}",
                "model": ("gpt-4o", "claude-opus-4-5")[at % 2],
                "timestamp": 1788220800 + 600 * number + at,
                "conversation_id": f"talk-{at % 7}" if at % 3 else None,
                "messages": [{"role": "system", "content": "You add."}, {"role": "user", "content": asked}],
                "response": "Because of what addition means.",
            }
            if at % 4:
                record |= {"input_tokens": 400 + at, "output_tokens": 20 + at}
            lines.append(json.dumps(record) + "\n")
        (folder / f"{number}.jsonl").write_text("".join(lines))
    return folder


class Faulty:
    """A file system, or a file of it, of which one call in so many fails."""

    def __init__(self, store: Any, every: int, count: list[int] | None = None) -> None:
        self._store, self._every, self.count = store, every, count if count is not None else [0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self.count[0] += 1
            if self.count[0] % self._every == 0:
                raise OSError("When reading: AWS Error SLOW_DOWN during GetObject operation")
            found = getattr(self._store, name)(*arguments, **options)
            return Faulty(found, self._every, self.count) if name == "open_input_file" else found

        return call


def opened(logs: Path, workspace: str | None, partitions: int = PARTITIONS) -> Ledger:
    options = IngestOptions(jobs=1, cache=False, workspace=workspace, keep_workspace=True, partitions=partitions)
    return ingest([logs], options=options)


def audited(ledger: Ledger, workspace: str | None, mapped: Mapped | None = None) -> Audit:
    with open_executor("local", jobs=1) as executor:
        return run(
            ledger,
            policy=load("small-by-default"),
            catalog=Catalog.load(),
            book=PriceBook(),
            options=audit_options(Config(resamples=5)),
            mapper=mapped or over_steps(executor),
            workspace=steps_folder(workspace),
        )


def document(audit: Audit) -> bytes:
    return msgspec.json.encode(audit.document)


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    return ledger.frame.to_dicts()


class StoppedError(Exception):
    """A cluster that goes away."""


def stopping_after(count: int, done: list[str]) -> Mapped:
    """Do so many steps, each as another process would get it, and no more."""

    def mapped(function: Callable[[Step], Outcome], steps: Sequence[Step]) -> Iterator[Outcome]:
        for step in steps:
            if len(done) == count:
                raise StoppedError
            sent = pickle.loads(pickle.dumps(step))
            missing = not all(map(sent.folder.has, sent.targets))
            yield function(sent)
            if missing:
                done.append(step.targets[0])

    return mapped


def test_a_bucket_that_fails_one_call_in_twenty_gives_the_same_and_makes_damaged_partitions_anew(
    bucket: str, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = opened(logs, None, 1)
    expected, workspace = document(audited(whole, None)), f"{bucket}/run"
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.0)
    faulty = Faulty(clients.client(address.parse(bucket).store), 20)
    monkeypatch.setattr(clients, "client", lambda _: faulty)
    ledger = opened(logs, workspace)
    assert isinstance(ledger, RemoteLedger)
    assert ledger.partitions == PARTITIONS
    found = audited(pickle.loads(pickle.dumps(ledger)), workspace)
    assert document(found) == expected
    assert faulty.count[0] > 300
    assert rows(ledger) == rows(whole)
    write_ledger(ledger, tmp_path / "saved")
    saved = read_ledger(tmp_path / "saved")
    assert saved.fingerprint() == ledger.fingerprint()
    assert saved.fingerprint() == opened(logs, None).fingerprint()
    folder = open_folder(workspace)
    assert not [name for name in folder.names("") if name.startswith("steps/")]

    folder.write("ledger/requests-00001.parquet", b"PAR1")
    with pytest.raises(AuditError, match=r"requests-00001\.parquet is damaged or missing\. Start again with the same"):
        audited(ledger, workspace)
    again = opened(logs, workspace)
    assert again.fingerprint() == saved.fingerprint()
    assert again.scan(1).collect().equals(saved.scan(1).collect())
    clear_workspace(workspace)
    assert {name.split("/")[0] for name in folder.names("")} == {"ledger"}  # it is still in use
    del ledger, found, again
    assert folder.names("") == []


def test_a_run_that_was_interrupted_goes_on_and_does_only_what_is_missing(logs: Path, tmp_path: Path) -> None:
    workspace = str(tmp_path / "workspace")
    expected = document(audited(opened(logs, None, 1), None))
    once: list[str] = []
    assert document(audited(opened(logs, workspace), workspace, stopping_after(10**6, once))) == expected
    before: list[str] = []
    with pytest.raises(StoppedError):
        audited(opened(logs, workspace), workspace, stopping_after(len(once) // 2, before))
    after: list[str] = []
    assert document(audited(opened(logs, workspace), workspace, stopping_after(10**6, after))) == expected
    assert before + after == once


def test_damaged_files_of_an_audit_are_made_again(logs: Path, tmp_path: Path) -> None:
    workspace = str(tmp_path / "workspace")
    expected = document(audited(opened(logs, None, 1), None))
    ledger = opened(logs, workspace)
    with pytest.raises(StoppedError):
        audited(ledger, workspace, stopping_after(14, []))
    kept = sorted(path for path in Path(workspace, "steps").rglob("*") if path.is_file())
    for number, path in enumerate(random.Random(3).sample(kept, 9)):
        data = path.read_bytes()
        path.write_bytes((data[:-1] + b"?", data[:20], b"")[number % 3])
    assert document(audited(ledger, workspace)) == expected


def test_a_ledger_in_a_workspace_is_not_made_twice(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = str(tmp_path / "workspace")
    before = opened(logs, workspace)
    monkeypatch.setattr("llm_audit.ledger.assembly.assemble", lambda *_, **__: pytest.fail("assembled again"))
    after = opened(logs, workspace)
    assert after.manifest == before.manifest
    assert after.fingerprint() == before.fingerprint()
    clear_workspace(workspace)
    del before, after
    assert not Path(workspace).exists()
