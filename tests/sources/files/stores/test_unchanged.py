"""An object is known to be unchanged by what a listing says of it, or by its ETag, without reading it again."""

import json
from pathlib import Path

import pytest
from tests.sources.files.stores.loopback import Fault, Store
from tests.sources.files.stores.test_reading import read, rows

from llm_audit.engines import IngestOptions, ingest
from llm_audit.sources import split

CACHED = IngestOptions(jobs=1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_a_second_run_reads_what_is_new(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", 1 << 14)
    s3.put("a.jsonl", rows(0, 5))
    s3.put("big.jsonl", rows(5, 205, padding=100))
    first = ingest(["s3://logs"], options=CACHED)
    s3.forget()
    again = ingest(["s3://logs"], options=CACHED)
    assert again.frame.equals(first.frame)
    assert {seen.kind for seen in s3.seen()} == {"LIST"}
    s3.put("new.jsonl", rows(205, 210))
    s3.forget()
    assert read(ingest(["s3://logs"], options=CACHED)) == list(range(210))
    assert {seen.key for seen in s3.seen("GET")} <= {"new.jsonl", "big.jsonl"}
    assert sum(seen.key == "big.jsonl" for seen in s3.seen("GET")) <= 1  # its beginning


@pytest.mark.parametrize(("content", "read_again"), [(rows(0, 5), False), (rows(4, 9), True)])
def test_an_object_of_another_time_is_known_by_its_etag(content: bytes, read_again: bool, s3: Store) -> None:
    s3.put("a.jsonl", rows(0, 5))
    ingest(["s3://logs"], options=CACHED)
    s3.put("a.jsonl", content, modified_s=1_788_000_060)
    s3.forget()
    found = read(ingest(["s3://logs"], options=CACHED))
    assert found == [json.loads(line)["input_tokens"] for line in content.splitlines()]
    assert bool(s3.seen("GET")) == read_again
    assert len(s3.seen("HEAD")) >= 1


def test_an_object_that_could_not_be_read_is_read_the_next_time(s3: Store) -> None:
    for n in range(3):
        s3.put(f"{n}.jsonl", rows(n, n + 1))
    s3.fail(Fault(403, kind="HEAD", key="1.jsonl"))
    assert read(ingest(["s3://logs"], options=CACHED)) == [0, 2]
    s3.fail()
    assert read(ingest(["s3://logs"], options=CACHED)) == [0, 1, 2]
