"""Ledgers that are kept up to date: after any change of the logs, that of one fresh ingest of them."""

import gzip
import json
import os
import random
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit.engines import (
    IngestOptions,
    UpdateOptions,
    compact_ledger,
    damage_of_ledger,
    ingest,
    ledger_size,
    open_executor,
)
from llm_audit.engines import update_ledger as bring_up_to_date
from llm_audit.engines.workspace import parts, plan, update
from llm_audit.errors import AuditError, AuditWarning, UsageError
from llm_audit.ledger import Ledger, read_ledger, store
from llm_audit.sources import split
from llm_audit.sources.files.stores import address, clients
from llm_audit.sources.files.stores.remote_file import RemoteFile

HERE = IngestOptions(jobs=1, cache=False)
LONG_AGO = 1_700_000_000


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", 3_000)
    monkeypatch.setattr(plan, "SHARD_BYTES", 3_000)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A file cut into several ranges, two small ones, and one with a line that is no JSON."""
    write(tmp_path / "logs" / "a.jsonl", rows(0, 60))
    write(tmp_path / "logs" / "b.jsonl", rows(50, 55))
    write(tmp_path / "logs" / "d.jsonl", rows(100, 105))
    write(tmp_path / "logs" / "e.jsonl", rows(200, 202) + b"{oops\n")
    return tmp_path / "logs"


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


def write(path: Path, content: bytes, *, time: int = LONG_AGO) -> None:
    """Write a file that is old enough to be known by its time."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time, time))


def updated(folder: Path, *logs: Path | str, **options: Any) -> Ledger:
    with open_executor("local", jobs=1) as executor:
        return bring_up_to_date(folder, logs, config=HERE.config(), executor=executor, options=UpdateOptions(**options))


def same(ledger: Ledger, other: Ledger) -> bool:
    return ledger.frame.equals(other.frame) and ledger.manifest == other.manifest


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The shards that are read and judged: name and first byte."""
    seen: list[tuple[str, int]] = []
    process = parts.process

    def counted(task: Any) -> Any:
        seen.extend((Path(shard.source.name).name, shard.start) for shard in task.bundle)
        return process(task)

    monkeypatch.setattr(parts, "process", counted)
    return seen


def test_a_first_update_makes_the_ledger_of_an_ingest(logs: Path, tmp_path: Path) -> None:
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))


def test_what_has_not_changed_is_not_read(logs: Path, tmp_path: Path, made: list[tuple[str, int]]) -> None:
    updated(tmp_path / "led", logs)
    assert {name for name, _ in made} == {"a.jsonl", "b.jsonl", "d.jsonl", "e.jsonl"}
    made.clear()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "led").rglob("*.*") if path.is_file()}
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    assert made == []
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "led").rglob("*.*") if path.is_file()}


def test_a_new_file_costs_its_own_reading(logs: Path, tmp_path: Path, made: list[tuple[str, int]]) -> None:
    updated(tmp_path / "led", logs)
    made.clear()
    write(logs / "c.jsonl", rows(300, 304))  # between two files that are in one part
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    assert made == [("c.jsonl", 0)]


def test_of_a_file_that_grows_only_the_last_range_is_read(
    logs: Path, tmp_path: Path, made: list[tuple[str, int]]
) -> None:
    updated(tmp_path / "led", logs)
    size = (logs / "a.jsonl").stat().st_size
    assert size > 2 * 3_000
    made.clear()
    write(logs / "a.jsonl", rows(0, 63), time=LONG_AGO + 1)
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    assert made == [("a.jsonl", start) for start in range(size // 3_000 * 3_000, size + 500, 3_000)]


def test_a_line_that_was_not_complete_is_read_again(logs: Path, tmp_path: Path) -> None:
    content = rows(0, 80)
    for cut in (2_999, 3_000, 3_001, 9_000, 9_070, len(content)):
        write(logs / "a.jsonl", content[:cut], time=LONG_AGO + cut)
        assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE)), cut


def test_a_file_that_was_touched_is_read_but_not_judged(
    logs: Path, tmp_path: Path, made: list[tuple[str, int]]
) -> None:
    updated(tmp_path / "led", logs)
    made.clear()
    for path in logs.iterdir():
        os.utime(path)
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    assert made == []


def test_a_change_within_the_resolution_of_the_time_is_seen(logs: Path, tmp_path: Path) -> None:
    os.utime(logs / "b.jsonl")  # now
    time = (logs / "b.jsonl").stat().st_mtime_ns
    updated(tmp_path / "led", logs)
    content = (logs / "b.jsonl").read_bytes()
    (logs / "b.jsonl").write_bytes(content.replace(b"gpt-4o", b"gpt-4x"))
    os.utime(logs / "b.jsonl", ns=(time, time))
    with pytest.warns(AuditWarning, match="1 log was replaced"):
        assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))


def test_a_file_that_is_replaced_counts_as_it_is_now(logs: Path, tmp_path: Path) -> None:
    updated(tmp_path / "led", logs)
    write(logs / "a.jsonl", rows(500, 510), time=LONG_AGO + 1)
    with pytest.warns(AuditWarning, match=r"1 log was replaced .* no longer in the ledger: .*a\.jsonl"):
        assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))


def test_a_log_that_is_gone_stays_until_the_user_says_otherwise(logs: Path, tmp_path: Path) -> None:
    whole = updated(tmp_path / "led", logs)
    everything = whole.frame
    (logs / "b.jsonl").unlink()
    for _ in range(2):
        ledger = updated(tmp_path / "led", logs)
        assert ledger.frame.equals(everything)
        assert ledger.manifest.notes == [f"1 input is no longer among the logs, and stays here: {logs / 'b.jsonl'}"]
    assert ledger_size(tmp_path / "led").missing == 1
    write(logs / "b.jsonl", rows(50, 55))
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    (logs / "b.jsonl").unlink()
    assert same(updated(tmp_path / "led", logs, drop_missing=True), ingest([logs], options=HERE))


def test_a_log_that_is_there_but_not_given_is_not_dropped(logs: Path, tmp_path: Path) -> None:
    whole = updated(tmp_path / "led", logs).frame
    assert updated(tmp_path / "led", logs / "a.jsonl", drop_missing=True).frame.equals(whole)


def test_rotation_by_names_is_no_loss_and_counts_nothing_twice(logs: Path, tmp_path: Path) -> None:
    anonymous = b'{"model": "gpt-4o", "timestamp": 1788220801, "input_tokens": 7, "output_tokens": 1}\n'
    write(logs / "app.jsonl", anonymous * 3)
    updated(tmp_path / "led", logs)
    (logs / "app.jsonl").rename(logs / "app.jsonl.1")
    write(logs / "app.jsonl", anonymous * 2, time=LONG_AGO + 9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what was replaced is found under its new name
        ledger = updated(tmp_path / "led", logs)
    assert same(ledger, ingest([logs], options=HERE))
    (logs / "app.jsonl").rename(logs / "app-2026.jsonl")
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    write(logs / "app-2026.jsonl.gz", gzip.compress((logs / "app-2026.jsonl").read_bytes()))
    (logs / "app-2026.jsonl").unlink()
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))


STEPS = ("regrouped", "store_state", "_made", "merged", "replace_ledger", "remove_other_parts")


class CutError(Exception):
    """The run ends here."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_an_update_that_is_interrupted_leaves_a_whole_ledger_and_goes_on(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    before = updated(tmp_path / "led", logs).frame
    write(logs / "c.jsonl", rows(300, 304))
    write(logs / "a.jsonl", rows(0, 63), time=LONG_AGO + 1)
    real = getattr(update, step)

    def cut(*arguments: Any, **options: Any) -> None:
        if after:
            real(*arguments, **options)
        raise CutError

    with monkeypatch.context() as patched:
        patched.setattr(update, step, cut)
        with pytest.raises(CutError):
            updated(tmp_path / "led", logs)
    seen = read_ledger(tmp_path / "led").frame
    assert seen.equals(before) or seen.equals(ingest([logs], options=HERE).frame)
    write(logs / "f.jsonl", rows(700, 702))
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    assert damage_of_ledger(tmp_path / "led") == []
    assert len(list((tmp_path / "led" / "parts").glob("*.json"))) == ledger_size(tmp_path / "led").parts


def test_at_each_write_of_the_ledger_one_of_both_can_be_read(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [updated(tmp_path / "led", logs).frame]
    write(logs / "c.jsonl", rows(300, 304))
    frames.append(ingest([logs], options=HERE).frame)
    seen: list[int] = []
    for name in ("_copy", "write_atomically"):
        real = getattr(store, name)

        def watched(path: Path, *rest: Any, real: Any = real) -> None:
            real(path, *rest)
            found = read_ledger(tmp_path / "led").frame
            seen.append(next(number for number, frame in enumerate(frames) if frame.equals(found)))

        monkeypatch.setattr(store, name, watched)
    updated(tmp_path / "led", logs)
    assert seen == sorted(seen)
    assert set(seen) == {0, 1}


def test_an_interrupted_first_update_goes_on(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[str, int]]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(update, "merged", None)
        with pytest.raises(TypeError):
            updated(tmp_path / "led", logs)
    made.clear()
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    assert made == []


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_a_damaged_part_is_made_again_while_its_log_is_there(
    logs: Path, tmp_path: Path, suffix: str, made: list[tuple[str, int]]
) -> None:
    updated(tmp_path / "led", logs)
    [damaged, *_] = sorted((tmp_path / "led" / "parts").glob(f"*{suffix}"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert damage_of_ledger(tmp_path / "led") == [f"parts/{damaged.name.split('.')[0]}.json"]
    with pytest.raises(AuditError, match="damaged"):
        compact_ledger(tmp_path / "led")
    made.clear()
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    assert made
    assert len(made) < 5
    assert damage_of_ledger(tmp_path / "led") == []


def test_a_damaged_part_of_a_log_that_is_gone_is_said(logs: Path, tmp_path: Path) -> None:
    before = updated(tmp_path / "led", logs).frame
    (logs / "a.jsonl").unlink()
    for path in (tmp_path / "led" / "parts").glob("*.json"):
        path.write_bytes(b"")
    with pytest.raises(UsageError, match=r"1 inputs .* their parts are damaged: .*a\.jsonl.*--drop-missing"):
        updated(tmp_path / "led", logs)
    assert read_ledger(tmp_path / "led").frame.equals(before)
    assert same(updated(tmp_path / "led", logs, drop_missing=True), ingest([logs], options=HERE))


@pytest.mark.parametrize("name", ["requests.parquet", "manifest.json", "ledger.sha256"])
def test_a_damaged_file_of_the_ledger_is_named_and_made_again(logs: Path, tmp_path: Path, name: str) -> None:
    updated(tmp_path / "led", logs)
    (tmp_path / "led" / name).write_bytes(b"?")
    assert name in damage_of_ledger(tmp_path / "led")
    assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    assert damage_of_ledger(tmp_path / "led") == []


def test_a_damaged_state_is_said(logs: Path, tmp_path: Path) -> None:
    updated(tmp_path / "led", logs)
    (tmp_path / "led" / "update.json").write_bytes(b"?")
    assert damage_of_ledger(tmp_path / "led") == ["update.json"]
    with pytest.raises(UsageError, match="can still be audited"):
        updated(tmp_path / "led", logs)


def test_compaction_joins_parts_and_changes_nothing_else(
    logs: Path, tmp_path: Path, made: list[tuple[str, int]]
) -> None:
    for number in range(5):
        write(logs / f"small-{number}.jsonl", rows(1_000 + 3 * number, 1_002 + 3 * number))
        updated(tmp_path / "led", logs)
    ledger = {name: (tmp_path / "led" / name).read_bytes() for name in ("requests.parquet", "manifest.json")}
    before, after = compact_ledger(tmp_path / "led")
    assert after < before
    assert ledger == {name: (tmp_path / "led" / name).read_bytes() for name in ledger}
    assert damage_of_ledger(tmp_path / "led") == []
    assert compact_ledger(tmp_path / "led") == (after, after)
    made.clear()
    write(logs / "small-2.jsonl", rows(2_000, 2_003), time=LONG_AGO + 1)
    with pytest.warns(AuditWarning, match="replaced"):
        assert same(updated(tmp_path / "led", logs), ingest([logs], options=HERE))
    assert made == [("small-2.jsonl", 0)]


def test_another_version_reads_everything_again_but_not_without_the_logs(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[tuple[str, int]]
) -> None:
    updated(tmp_path / "led", logs)
    made.clear()
    for module in (update, plan):
        monkeypatch.setattr(module, "code_fingerprint", lambda: "another")
    updated(tmp_path / "led", logs)
    assert {name for name, _ in made} == {"a.jsonl", "b.jsonl", "d.jsonl", "e.jsonl"}
    (logs / "b.jsonl").unlink()
    for module in (update, plan):
        monkeypatch.setattr(module, "code_fingerprint", lambda: "a third")
    with pytest.raises(UsageError, match="read with another version or other options"):
        updated(tmp_path / "led", logs)


def test_what_an_update_cannot_do_is_refused(logs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would lie among the logs"):
        updated(logs / "led", logs)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("Mine")
    with pytest.raises(UsageError, match="holds other files"):
        updated(tmp_path / "other", logs)
    store.write_ledger(ingest([logs], options=HERE), tmp_path / "saved")
    with pytest.raises(UsageError, match="saved without --update"):
        updated(tmp_path / "saved", logs)
    with pytest.raises(UsageError, match="Standard input cannot be read with --update"):
        updated(tmp_path / "led", "-")
    with pytest.raises(UsageError, match="holds no ledger that is kept"):
        ledger_size(tmp_path / "saved")


def test_two_updates_at_once_are_refused(logs: Path, tmp_path: Path) -> None:
    with (
        update.locked(tmp_path / "led"),
        pytest.raises(UsageError, match="Another run is updating"),
    ):
        updated(tmp_path / "led", logs)


CHANGES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["grow", "replace", "delete", "touch"]), st.integers(1, 40)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nights=st.lists(CHANGES, min_size=2, max_size=4), seed=st.integers(0, 99))
def test_after_any_nights_the_ledger_is_that_of_one_ingest(nights: list[list[tuple[str, str, int]]], seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", AuditWarning)
        logs, ledger = Path(folder) / "logs", Path(folder) / "led"
        write(logs / "z.jsonl", rows(0, 30))
        clock, known = LONG_AGO, 1_000
        for night in nights:
            for name, change, count in night:
                path = logs / f"{name}.jsonl"
                clock, known = clock + 1, known + 50
                content = path.read_bytes() if path.exists() else b""
                more = rows(known, known + count) if rng.random() < 0.7 else rows(0, count)
                if change == "delete":
                    path.unlink(missing_ok=True)
                else:
                    write(path, {"grow": content + more, "replace": more, "touch": content}[change], time=clock)
            found = updated(ledger, logs, drop_missing=True)
            assert same(found, ingest([logs], options=HERE))
            if rng.random() < 0.3:
                compact_ledger(ledger)
        assert damage_of_ledger(ledger) == []


def put(uri: str, content: bytes) -> None:
    place = address.parse(uri)
    with clients.client(place.store).open_output_stream(f"{place.bucket}/{place.key}") as file:
        file.write(content)


def test_a_night_over_a_growing_bucket_fetches_only_what_is_new(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    fetched: list[str] = []
    start, read_range = RemoteFile.__init__, RemoteFile._range

    def opening(self: RemoteFile, store: Any, path: str) -> None:
        opened.append(path.rpartition("/")[2])
        start(self, store, path)

    def reading(self: RemoteFile, wanted: int) -> bytes:
        fetched.append(str(self.name).rpartition("/")[2])
        return read_range(self, wanted)

    put(f"{bucket}/app/2026-09-01.jsonl", rows(0, 60))  # of several ranges
    put(f"{bucket}/app/2026-09-02.jsonl", rows(60, 65))
    updated(tmp_path / "led", bucket)
    monkeypatch.setattr("llm_audit.engines.workspace.changes._MIN_AGE_NS", -(10**18))  # no object is young
    updated(tmp_path / "led", bucket)
    monkeypatch.setattr(RemoteFile, "__init__", opening)
    monkeypatch.setattr(RemoteFile, "_range", reading)
    updated(tmp_path / "led", bucket)
    assert (opened, fetched) == ([], [])
    put(f"{bucket}/app/2026-09-03.jsonl", rows(65, 70))
    ledger = updated(tmp_path / "led", bucket)
    assert opened == ["2026-09-03.jsonl"]
    assert fetched == ["2026-09-03.jsonl"]
    assert same(ledger, ingest([bucket], options=HERE))


def test_a_table_of_a_lake_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "table" / "_delta_log"
    log.mkdir(parents=True)
    write(tmp_path / "table" / "part.jsonl", rows(0, 2))
    actions = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {"id": "1", "format": {"provider": "parquet"}, "partitionColumns": []}},
        {"add": {"path": "part.jsonl", "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": True}},
    ]
    (log / f"{0:020d}.json").write_text("\n".join(map(json.dumps, actions)))
    with pytest.raises(UsageError, match="belongs to a table whose versions replace its files"):
        updated(tmp_path / "led", tmp_path / "table")
