"""Ranges of a compressed file have each line once, in order, and one of them meets the place where data breaks off."""

import bz2
import gzip
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit.engines import IngestOptions, ingest, worker
from llm_audit.engines.executors import processes
from llm_audit.ledger import cache_folder, part_cache
from llm_audit.sources import split
from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files import stream
from llm_audit.sources.files.lines import Line, Lines, packed_range_blocks
from llm_audit.sources.files.storage import Source
from llm_audit.sources.files.stream import blocks
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.read import content_hash
from llm_audit.sources.split import Shard, bundles

HERE = IngestOptions(jobs=1, cache=False)


def zstd(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


PACKERS = {"gzip": gzip.compress, "zstd": zstd, "lz4": lambda data: pa.compress(data, "lz4", asbytes=True)}


def text(seed: int) -> bytes:
    """Return lines of all lengths, many of them blank, that do not pack well."""
    chosen = random.Random(seed)
    sizes = [chosen.choice((0, 0, 3, 40, 900, 30_000)) for _ in range(200)]
    lines = b"\n".join(chosen.randbytes(size).hex().encode() for size in sizes)
    return lines + b"\n" * chosen.randrange(3)


def packed(seed: int, pack: Callable[[bytes], bytes], parts: int) -> bytes:
    """Return a text as so many members or frames."""
    plain = text(seed)
    step = -(-len(plain) // parts)
    return b"".join(pack(plain[start : start + step]) for start in range(0, len(plain), step))


def whole_lines(source: Source) -> list[Line]:
    return [*Lines(blocks(source))]


def ranged_lines(source: Source, cuts: list[int]) -> list[Line]:
    found, base = [], 0
    for start, end in zip([0, *cuts], [*cuts, source.size_bytes], strict=True):
        lines = Lines(packed_range_blocks(source, start, end))
        found += [(base + number, raw) for number, raw in lines]
        base += lines.count
    return found


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), seed=st.integers(0, 5))
def test_ranges_have_the_lines_of_the_whole_file_and_its_break(
    pack: Callable[[bytes], bytes], data: st.DataObject, seed: int, source_of, tmp_path: Path
) -> None:
    content = packed(seed, pack, data.draw(st.integers(1, 4)))
    harm = data.draw(st.sampled_from(["none", "cut", "damage"]))
    place = data.draw(st.integers(20, len(content) - 20))
    if harm == "cut":
        content = content[:place]
    elif harm == "damage":
        content = content[:place] + bytes(byte ^ 0xFF for byte in content[place : place + 20]) + content[place + 20 :]
    source = source_of(tmp_path / "log", content)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(content) - 1), max_size=5)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stream, "_PACKED_BYTES", 10_000)
        patched.setattr(stream, "_STEPS", (5_000, 1))
        patched.setattr(stream, "BLOCK_BYTES", 7_000)
        whole = whole_lines(source)
        assert ranged_lines(source, cuts) == whole
    assert harm != "none" or b"\n".join(raw for _, raw in whole if isinstance(raw, bytes)).split() == text(seed).split()
    assert sum(raw == Rejected(Reason.TRUNCATED) for _, raw in whole) == 1 or harm != "cut"


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
def test_a_mark_at_the_beginning_belongs_to_no_line(pack: Callable[[bytes], bytes], source_of, tmp_path: Path) -> None:
    source = source_of(tmp_path / "log", pack(b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n'))
    assert ranged_lines(source, [1]) == [(1, b'{"a": 1}'), (2, b'{"a": 2}')]


def line_of(number: int) -> bytes:
    chosen = random.Random(number)
    record = {
        "timestamp": "2026-09-01T00:00:00Z",
        "request_id": f"r{number}",
        "model": "gpt-4o",
        "input_tokens": number + 1,
        "output_tokens": 5,
        "prompt": f"How long is a string of {chosen.randbytes(100).hex()}?",
    }
    return json.dumps(record).encode() + b"\n"


@pytest.fixture
def log() -> bytes:
    """Return requests among lines that are none."""
    lines = [line_of(number) for number in range(800)]
    lines[40], lines[700] = b'{"broken": \n', b"[1, 2\n"
    return b"".join(lines)


@pytest.fixture
def _small_files_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", 4_000)
    monkeypatch.setattr(stream, "_PACKED_BYTES", 1_000)
    monkeypatch.setattr(stream, "_STEPS", (1_000, 1))
    monkeypatch.setattr(stream, "BLOCK_BYTES", 1_000)


def shards_of(*sources: Source) -> list[Shard]:
    return [shard for bundle in bundles(sources, all_formats()) for shard in bundle]


@pytest.mark.parametrize(("name", "lost"), [("gzip", 0), ("zstd", 0), ("lz4", 0), ("gzip", 3_000)])
def test_the_ledger_is_that_of_the_whole_file(
    name: str, lost: int, log: bytes, source_of, request: pytest.FixtureRequest
) -> None:
    content = PACKERS[name](log)
    source = source_of(request.getfixturevalue("tmp_path") / "log", content[: len(content) - lost])
    whole = ingest([source.path], options=HERE)
    request.getfixturevalue("_small_files_are_cut")
    assert len(shards_of(source)) == {"gzip": 2}.get(name, 4)
    cut = ingest([source.path], options=HERE)
    assert cut.frame.equals(whole.frame)
    assert cut.manifest == whole.manifest
    assert (len(cut.frame) == 798) == (not lost)


@pytest.mark.usefixtures("_small_files_are_cut")
def test_only_what_can_be_read_from_its_middle_is_cut(log: bytes, source_of, tmp_path: Path) -> None:
    row = {"type": "user", "uuid": "u", "sessionId": "s", "timestamp": "2026-09-01T00:00:00Z"}
    turns = [row | {"message": {"role": "user", "content": random.Random(n).randbytes(99).hex()}} for n in range(99)]
    contents = {
        "transcript": gzip.compress(b"".join(json.dumps(turn).encode() + b"\n" for turn in turns)),
        "array": gzip.compress(b"[" + log.replace(b"}\n", b"},\n")[:-2] + b"]"),
        "wide": gzip.compress(log.decode().encode("utf-16")),
        "dear": bz2.compress(log),
        "damaged": b"\x1f\x8b" + os.urandom(9_000),
        "table.csv": zstd(b"model,prompt\n" + b"".join(b"gpt-4o,%d\n" % (n * n) for n in range(9_000))),
    }
    for name, content in contents.items():
        source = source_of(tmp_path / name, content)
        assert source.size_bytes > 4_000
        assert shards_of(source) == [Shard(source)]


@pytest.mark.usefixtures("_small_files_are_cut")
def test_a_file_among_many_is_not_cut(log: bytes, source_of, tmp_path: Path) -> None:
    sources = [source_of(tmp_path / str(number), gzip.compress(log)) for number in range(5)]
    assert len(shards_of(*sources[:4])) == 8
    assert shards_of(*sources) == [*map(Shard, sources)]


@pytest.mark.usefixtures("_small_files_are_cut")
def test_ranges_are_found_in_the_cache_by_their_content(
    log: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache_folder.FOLDER_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(part_cache, "_MIN_AGE_NS", 0)
    path, other = tmp_path / "log.zst", tmp_path / "other.jsonl"
    path.write_bytes(zstd(log))
    other.write_bytes(line_of(1_000))
    read: list[list[str]] = []
    run = processes.ProcessExecutor.map

    def seen(executor: Any, function: Any, tasks: Any, **given: Any) -> Any:
        read.append([Path(task.bundle[0].source.name).name for task in tasks])
        return run(executor, function, tasks, **given)

    monkeypatch.setattr(processes.ProcessExecutor, "map", seen)
    options = IngestOptions(jobs=1)
    first = ingest([path], options=options)
    assert len(ingest([path, other], options=options).frame) == len(first.frame) + 1
    assert read == [["log.zst"] * 4, ["other.jsonl"]]
    os.utime(path, (1, 1))
    monkeypatch.setattr(worker, "load_context", None)  # what has the content of a part is not read as lines
    assert ingest([path], options=options).frame.equals(first.frame)


def test_the_hash_of_a_range_is_that_of_all_that_decides_it(log: bytes, source_of, tmp_path: Path) -> None:
    content = zstd(log)
    one, same, other = (
        content_hash(Shard(source_of(tmp_path / name, changed), 9_000, 12_000))
        for name, changed in (("one", content), ("same", content), ("other", content[:100] + b"x" + content[101:]))
    )
    assert one == same != other
