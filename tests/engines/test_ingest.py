import gzip
import json
import multiprocessing
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from llm_audit.engines import IngestOptions, ingest, local
from llm_audit.engines.executors import processes
from llm_audit.engines.features.hashing import hash64
from llm_audit.engines.worker import Task
from llm_audit.errors import AuditError, AuditWarning, IncompleteError, UsageError
from llm_audit.ledger import Ledger, part_cache
from llm_audit.ledger import cache_folder as cache
from llm_audit.ledger.schema import SCHEMA
from llm_audit.sources import split
from llm_audit.sources.files.limits import MAX_RECORD_BYTES

HERE = IngestOptions(jobs=1, cache=False)
REPLY = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, and so on."


def flat(n: int, **other: Any) -> dict[str, Any]:
    return {
        "timestamp": f"2026-09-01T00:{n // 60 % 60:02d}:{n % 60:02d}Z",
        "model": ["gpt-4o", "claude-haiku-4-5"][n % 2],
        "input_tokens": 10 + n,
        "output_tokens": 20 + n,
        "prompt": f"What is {n} times {n + 1}?",
        "team": "search",
    } | other


def pair(n: int, output: int) -> dict[str, Any]:
    """An OpenAI request and response; an equal ``n`` is the same call."""
    return {
        "request": {"model": "gpt-4o", "messages": [{"role": "user", "content": f"Count to {n}."}]},
        "response": {
            "id": f"chatcmpl-{n}",
            "object": "chat.completion",
            "created": 1788220800 + n,
            "model": "gpt-4o-2024-08-06",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": REPLY[n:]}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": output, "total_tokens": 7 + output},
        },
    }


def line(value: Any) -> bytes:
    return json.dumps(value).encode()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def account(ledger: Ledger) -> dict[str, Any]:
    """Everything that must not depend on order, split or workers."""
    manifest = ledger.manifest
    sums = ledger.frame.group_by(pl.col("model").cast(pl.String)).agg(
        pl.len(), pl.col("input_tokens", "output_tokens", "prompt_chars").sum()
    )
    return {
        "read": manifest.read,
        "rows": manifest.rows,
        "duplicates": manifest.duplicates,
        "not_calls": {row.reason: row.count for row in manifest.not_provider_calls},
        "rejected": {row.reason: row.count for row in manifest.rejected},
        "sums": sorted(sums.rows()),
        "asks": sorted(
            ledger.frame.select(
                "prompt_hash", "conversation", "difficulty", "output_tokens", "reply_hash", "quoted_hash"
            ).rows(),
            key=str,
        ),
    }


def adds_up(ledger: Ledger) -> bool:
    manifest = ledger.manifest
    others = sum(row.count for row in (*manifest.not_provider_calls, *manifest.rejected))
    assert ledger.frame.height == manifest.rows
    assert ledger.frame["request_key"].n_unique() == manifest.rows
    assert sum(described.records for described in manifest.inputs) == manifest.read
    return manifest.read == manifest.rows + manifest.duplicates + others


CASES: list[tuple[str, Callable[[int], bytes]]] = [
    ("row", lambda n: line(flat(n))),
    ("row", lambda n: line(flat(n, messages=[{"role": "user", "content": "Hi"}] * (n % 3 + 1)))),
    ("row", lambda n: line(flat(n, prompt=f"Count as here:\n{REPLY[n:]}"))),
    ("call", lambda n: line(pair(n, 5))),
    ("call", lambda n: line(pair(n, 9))),
    ("not_json", lambda n: line(flat(n))[: n % 50 + 10]),
    ("not_json", lambda _: b"plain words"),
    ("not_an_object", lambda n: str(n).encode()),
    ("unknown_format", lambda n: line({"what": n})),
    ("bad_tokens", lambda n: line(flat(n, input_tokens=-n - 1))),
    ("bad_time", lambda n: line(flat(n, timestamp="1970-01-01T00:00:00Z"))),
    ("blank", lambda _: b"  \r"),
]
ENTRIES = st.lists(st.tuples(st.sampled_from(range(len(CASES))), st.integers(0, 7)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES, seed=st.integers(0, 99), files=st.integers(1, 4), cut=st.integers(200, 2000))
def test_every_entry_is_accounted_for_and_order_and_split_change_nothing(
    entries: list[tuple[int, int]], seed: int, files: int, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kinds = [CASES[case][0] for case, _ in entries]
    lines = [CASES[case][1](n) for case, n in entries]
    if not set(kinds) - {"blank"}:
        return
    whole = ingest([write(tmp_path_factory.mktemp("whole"), {"log.jsonl": b"\n".join(lines)})], options=HERE)
    assert adds_up(whole)
    found = account(whole)
    calls = {n for (case, n), kind in zip(entries, kinds, strict=True) if kind == "call"}
    counts = Counter(kinds)
    assert found["read"] == len(kinds) - counts["blank"]
    assert found["rows"] == counts["row"] + len(calls)
    assert found["duplicates"] == counts["call"] - len(calls)
    assert found["rejected"] == {kind: n for kind, n in counts.items() if kind not in ("row", "call", "blank")}

    random.Random(seed).shuffle(lines)
    pieces = {f"{place}.jsonl": b"\n".join(lines[place::files]) for place in range(files)}
    pieces["0.jsonl.gz"] = gzip.compress(pieces.pop("0.jsonl"))
    parted = ingest([write(tmp_path_factory.mktemp("parted"), pieces)], options=HERE)
    assert adds_up(parted)
    assert account(parted) == found
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "SHARD_BYTES", cut)
        cut_up = ingest([write(tmp_path_factory.mktemp("cut"), {"log.jsonl": b"\n".join(lines)})], options=HERE)
    assert account(cut_up) == found


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    """About 200 kB in three files, with a broken line that has a known place."""
    lines = [line(flat(n, prompt=f"Explain {n} " + "at length " * 20)) for n in range(500)]
    lines[321] = b'{"model": '
    return write(
        tmp_path / "logs",
        {
            "a.jsonl": b"\n".join(lines),
            "b.jsonl.gz": gzip.compress(b"\n".join(line(pair(n % 90, n)) for n in range(100))),
            "c/d.json": json.dumps([flat(n) for n in range(30)], indent=1).encode(),
        },
    )


@pytest.fixture
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a small log enough for several processes."""
    monkeypatch.setattr(split, "SHARD_BYTES", 20_000)
    monkeypatch.setattr(processes, "SHARD_BYTES", 0)


def stored(ledger: Ledger) -> tuple[bytes, Any]:
    return (ledger.folder / "requests.parquet").read_bytes(), ledger.manifest


@pytest.mark.usefixtures("_small_shards")
def test_any_number_of_processes_gives_the_same_bytes(traffic: Path) -> None:
    seen: list[tuple[int, int]] = []
    alone = stored(ingest([traffic], options=HERE))
    two = ingest([traffic], options=IngestOptions(jobs=2, cache=False), progress=lambda *done: seen.append(done))
    assert stored(two) == alone
    three = ingest(
        [traffic / "c", traffic / "b.jsonl.gz", traffic / "a.jsonl"], options=IngestOptions(jobs=3, cache=False)
    )
    assert stored(three) == alone
    [rejection] = two.manifest.rejected
    assert [(Path(place.file).name, place.line) for place in rejection.examples] == [("a.jsonl", 322)]
    assert (two.manifest.rows, two.manifest.duplicates) == (499 + 90 + 30, 10)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.usefixtures("_small_shards")
def test_a_process_that_dies_costs_nothing(traffic: Path) -> None:
    killed: list[int] = []

    def kill(_done: int, _total: int) -> None:
        if not killed:
            for child in multiprocessing.active_children():
                killed.append(child.pid or 0)
                child.kill()

    ledger = ingest([traffic], options=IngestOptions(jobs=2, cache=False), progress=kill)
    assert killed
    assert stored(ledger) == stored(ingest([traffic], options=HERE))


@pytest.mark.usefixtures("_small_shards")
def test_a_bundle_that_kills_every_process_is_named(traffic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MAX_ATTEMPTS", 1)

    def kill(_done: int, _total: int) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(AuditError, match=r"crashed 1 times.*fewer --jobs"):
        ingest([traffic], options=IngestOptions(jobs=2, cache=False), progress=kill)


@pytest.mark.usefixtures("_small_shards")
def test_an_interrupt_leaves_no_process(traffic: Path) -> None:
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest([traffic], options=IngestOptions(jobs=2, cache=False), progress=interrupt)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("_small_shards")
def test_an_error_in_a_process_reaches_the_caller(traffic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = processes.ProcessExecutor.map

    def elsewhere(executor: Any, function: Any, tasks: list[Task], **options: Any) -> Any:
        return run(executor, function, [replace(task, target=Path("/nowhere/part")) for task in tasks], **options)

    monkeypatch.setattr(processes.ProcessExecutor, "map", elsewhere)
    with pytest.raises(OSError, match="nowhere"):
        ingest([traffic], options=IngestOptions(jobs=2, cache=False))


@pytest.mark.usefixtures("_small_shards")
def test_a_file_that_vanishes_is_rejected_and_the_others_are_read(
    traffic: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    work = list(split.bundles(ingest_sources(traffic), ()))
    (traffic / "a.jsonl").rename(tmp_path / "a.jsonl")
    monkeypatch.setattr(split, "bundles", lambda *_: iter(work))
    monkeypatch.setattr(local, "find", lambda *_, **__: local_found(work))
    ledger = ingest([traffic], options=IngestOptions(jobs=2))
    assert adds_up(ledger)
    assert ledger.manifest.rows == 90 + 30
    assert [row.reason for row in ledger.manifest.rejected] == ["unreadable"]
    assert "a.jsonl: No such file or directory. Check" in ledger.manifest.reading_notes[0]
    (tmp_path / "a.jsonl").rename(traffic / "a.jsonl")
    assert ingest([traffic], options=IngestOptions(jobs=2)).manifest.rows == 499 + 90 + 30


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("_small_shards")
def test_a_file_that_grows_or_shrinks_is_read_as_listed_and_never_kept(
    traffic: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jobs: int
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    work = list(split.bundles(ingest_sources(traffic), ()))
    with (traffic / "a.jsonl").open("ab") as log:
        log.write(b"\n" + line(flat(7)) + b"\n")
    with (traffic / "c/d.json").open("r+b") as log:
        log.truncate(2000)
    with monkeypatch.context() as patch:
        patch.setattr(split, "bundles", lambda *_: iter(work))
        patch.setattr(local, "find", lambda *_, **__: local_found(work))
        manifest = ingest([traffic], options=IngestOptions(jobs=jobs)).manifest
    rejected = {row.reason: row.count for row in manifest.rejected}
    assert rejected["truncated"] == 2  # the object that is cut, and the file
    assert 499 + 90 < manifest.rows < 499 + 90 + 30
    assert [note.rpartition(": ")[2] for note in manifest.reading_notes if "while it was read" in note] == [
        "the file changed while it was read; what was added is not included",
        "the file became shorter while it was read",
    ]
    again = ingest([traffic], options=IngestOptions(jobs=jobs)).manifest
    assert again.rows == manifest.rows + 1
    assert not [note for note in again.reading_notes if "while it was read" in note]


def ingest_sources(folder: Path) -> tuple[Any, ...]:
    from llm_audit.sources.files.find import find

    return find([folder], spool=folder).sources


def local_found(work: list[Any]) -> Any:
    from llm_audit.sources.files.find import Found

    return Found(sources=tuple(dict.fromkeys(shard.source for bundle in work for shard in bundle)), notes=())


def test_the_ledger_has_its_columns_and_no_text(traffic: Path) -> None:
    ledger = ingest([traffic], options=HERE)
    assert ledger.frame.schema == SCHEMA
    held = (ledger.folder / "requests.parquet").read_bytes()
    assert b"at length" not in held
    assert "at length" not in repr(ledger.frame.to_dicts())
    row = ledger.frame.row(0, named=True)
    assert (row["line"], row["format"], row["team"], row["turns"], row["judged"]) == (1, "flat", "search", 1, "scored")
    assert (row["input_tokens"], row["output_tokens"], row["usage_source"]) == (10, 20, "reported")


def test_a_repeated_content_in_two_files_has_keys_of_its_own(tmp_path: Path) -> None:
    same = line(flat(1))
    ledger = ingest([write(tmp_path, {"a.jsonl": same, "b.jsonl": same})], options=HERE)
    assert adds_up(ledger)
    assert ledger.manifest.rows == 2


def test_the_blocks_of_a_reply_tell_together_what_it_calls(tmp_path: Path) -> None:
    def block(second: int, content: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "assistant",
            "sessionId": "s",
            "uuid": f"u{second}",
            "timestamp": f"2026-09-01T00:00:0{second}Z",
            "requestId": "req_1",
            "message": {
                "id": "msg_1",
                "role": "assistant",
                "model": "claude-sonnet-4-5",
                "content": [content],
                "usage": {"input_tokens": 3, "output_tokens": 5},
            },
        }

    call = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}}
    blocks = [block(1, {"type": "text", "text": "I look."}), block(2, call)]
    ledger = ingest([write(tmp_path, {"a.jsonl": b"\n".join(map(line, blocks))})], options=HERE)
    assert ledger.manifest.duplicates == 1
    assert ledger.frame.select("line", "calls_tools", "tool_call_hash").rows() == [(1, True, hash64("toolu_1"))]


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_nothing_to_audit_is_incomplete(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with pytest.raises(IncompleteError, match="nothing to audit"):
        ingest([tmp_path / "logs"], options=HERE)
    write(tmp_path, {"logs/a.jsonl": content})
    with pytest.raises(IncompleteError, match="contains only an empty file\\."):
        ingest([tmp_path / "logs"], options=HERE)
    with pytest.raises(IncompleteError, match="a\\.jsonl is empty\\."):
        ingest([tmp_path / "logs/a.jsonl"], options=HERE)


def test_a_log_of_nothing_but_rejects_is_a_ledger_without_rows(tmp_path: Path) -> None:
    ledger = ingest([write(tmp_path, {"a.bin": b"\0\1", "b.jsonl": b"words\n"})], options=HERE)
    assert adds_up(ledger)
    assert ledger.frame.height == 0
    assert ledger.frame.schema == SCHEMA
    assert {row.reason: row.count for row in ledger.manifest.rejected} == {"binary": 1, "not_json": 1}


def test_a_line_of_a_hundred_megabytes_costs_itself(tmp_path: Path) -> None:
    with (tmp_path / "log.jsonl").open("wb") as file:
        file.write(line(flat(1)) + b"\n" + b'{"prompt": "')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + line(flat(2)) + b"\n")
    assert (tmp_path / "log.jsonl").stat().st_size > MAX_RECORD_BYTES
    ledger = ingest([tmp_path / "log.jsonl"], options=HERE)
    [rejection] = ledger.manifest.rejected
    assert (rejection.reason, rejection.count, rejection.examples[0].line) == ("too_long", 1, 2)
    assert ledger.frame["line"].to_list() == [1, 3]


def test_a_format_that_is_asked_for_takes_every_record(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a.jsonl": b"\n".join([line(flat(1)), line({"what": 1})])})
    ledger = ingest([folder], options=IngestOptions(jobs=1, cache=False, log_format="flat"))
    assert {row.reason for row in ledger.manifest.rejected} == {"no_model"}
    with pytest.raises(UsageError, match='no log format "flatt"\\. Did you mean "flat"'):
        ingest([folder], options=IngestOptions(log_format="flatt", cache=False))


def test_a_mapping_reads_what_no_format_knows(tmp_path: Path) -> None:
    record = {"llm": {"name": "gpt-4o"}, "n": {"in": 3, "out": 4}}
    options = IngestOptions(
        jobs=1,
        cache=False,
        mapping={"model": "llm.name", "input_tokens": "n.in", "output_tokens": "n.out"},
    )
    ledger = ingest([write(tmp_path, {"a.jsonl": line(record)})], options=options)
    assert ledger.frame.select("model", "input_tokens", "output_tokens").row(0) == ("gpt-4o", 3, 4)


def test_a_second_run_reads_nothing_and_a_changed_log_only_what_changed(
    traffic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(part_cache, "_MIN_AGE_NS", 0)
    monkeypatch.setattr(split, "SHARD_BYTES", 20_000)
    made: list[str] = []
    run = processes.ProcessExecutor.map

    def read_count(executor: Any, function: Any, tasks: Any, **options: Any) -> Any:
        made.extend(shard.source.name for task in tasks for shard in task.bundle)
        return run(executor, function, tasks, **options)

    monkeypatch.setattr(processes.ProcessExecutor, "map", read_count)
    options = IngestOptions(jobs=1)
    first = stored(ingest([traffic], options=options))
    assert len(made) > 5
    made.clear()
    assert stored(ingest([traffic], options=options)) == first
    assert made == []
    with (traffic / "a.jsonl").open("ab") as file:
        file.write(b"\n" + line(flat(700)))
    grown = ingest([traffic], options=options)
    assert set(made) == {str(traffic / "a.jsonl")}
    assert grown.manifest.rows == first[1].rows + 1
    assert stored(grown) == stored(ingest([traffic], options=HERE))


def test_a_number_too_large_for_its_column_is_unknown_and_costs_no_other(tmp_path: Path) -> None:
    limits = [100, 10**20, -(10**20), 1000, 2**63 - 1, 2**63]
    write(tmp_path, {"log.jsonl": b"\n".join(line(flat(n, max_tokens=limit)) for n, limit in enumerate(limits))})
    found = ingest([tmp_path], options=HERE).frame["max_output_tokens"].to_list()
    assert found == [100, None, None, 1000, 2**63 - 1, None]


def test_a_long_name_is_cut_and_a_short_one_beside_it_is_not(tmp_path: Path) -> None:
    teams = ["a", "é" * 200, "b" * 256, "b" * 257, "é" * 300, None]
    write(tmp_path, {"log.jsonl": b"\n".join(line(flat(n, team=team)) for n, team in enumerate(teams))})
    found = ingest([tmp_path], options=HERE).frame["team"].to_list()
    assert found == ["a", "é" * 200, "b" * 256, "b" * 256, "é" * 256, None]


@pytest.mark.usefixtures("_small_shards")
def test_a_ledger_in_partitions_has_the_same_rows_and_is_found_in_the_cache(
    traffic: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(part_cache, "_MIN_AGE_NS", 0)
    whole = ingest([traffic], options=HERE)
    for partitions, jobs in ((3, 1), (3, 2), (7, 2)):
        parted = ingest([traffic], options=IngestOptions(jobs=jobs, partitions=partitions, cache=False))
        assert (parted.partitions, len(parted.files)) == (partitions, partitions)
        assert adds_up(parted)
        assert parted.frame.equals(whole.frame)
        assert replace_partitions(parted) == whole.manifest
    made, found = (ingest([traffic], options=IngestOptions(jobs=1, partitions=3)) for _ in range(2))
    assert found.folder.is_relative_to(tmp_path)
    assert ingest([traffic], options=IngestOptions(jobs=1, partitions=2)).partitions == 2
    assert found.fingerprint() == made.fingerprint()
    (found.folder / "requests-00001.parquet").write_bytes(b"damaged")
    with pytest.warns(AuditWarning, match="damaged in 1"):
        assert ingest([traffic], options=IngestOptions(jobs=1, partitions=3)).fingerprint() == made.fingerprint()


def replace_partitions(ledger: Ledger) -> Any:
    return msgspec.structs.replace(ledger.manifest, partitions=1)


def test_estimates_are_fitted_over_all_partitions(tmp_path: Path) -> None:
    asks = [f"Say {n} in {'many ' * (n % 9)}words." for n in range(160)]
    known = [flat(n, prompt=ask, model="house-7b", input_tokens=3 * len(ask)) for n, ask in enumerate(asks)]
    unknown = [row | {"input_tokens": None, "output_tokens": None} for row in known[:20]]
    write(tmp_path, {"log.jsonl": b"\n".join(line(row) for row in [*known, *unknown])})
    whole, parted = (
        ingest([tmp_path], options=IngestOptions(jobs=1, cache=False, partitions=partitions)) for partitions in (1, 4)
    )
    assert parted.frame.equals(whole.frame)
    estimated = parted.frame.filter(pl.col("usage_source") == "estimated")
    assert estimated["input_tokens"].to_list() == [3 * len(ask) for ask in asks[:20]]
