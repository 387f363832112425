"""Objects of the three kinds of store are read like files, and what fails is counted or tried again."""

import gzip
import json

import polars as pl
import pytest
from tests.sources.files.stores.loopback import Fault, Store

from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import AuditError, IncompleteError, UsageError
from llm_audit.ledger import Ledger
from llm_audit.sources import split
from llm_audit.sources.files import limits
from llm_audit.sources.files.storage import Source

HERE = IngestOptions(jobs=1, cache=False)


def rows(start: int, end: int, padding: int = 0) -> bytes:
    """Return one record a line; the sum of their tokens tells which were read."""
    return b"".join(
        json.dumps(
            {"model": "gpt-4o", "timestamp": 1788220800 + n, "input_tokens": n, "output_tokens": 1, "id": "x" * padding}
        ).encode()
        + b"\n"
        for n in range(start, end)
    )


def read(ledger: Ledger) -> list[int]:
    return sorted(ledger.frame["input_tokens"])


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found


EACH = pytest.mark.parametrize(
    ("store", "root"), [("s3", "s3://logs"), ("gcs", "gs://logs"), ("azure", "az://logs")], indirect=["store"]
)


@EACH
def test_a_prefix_is_read_like_a_folder(store: Store, root: str) -> None:
    store.put("app/2026/09/01.jsonl", rows(0, 5))
    store.put("app/2026/09/02 b.jsonl.gz", gzip.compress(rows(5, 9)))
    store.put("app/2026/10/.hidden", b"{}")
    store.put("app/README.md", b"# Logs")
    store.put("apple/01.jsonl", rows(100, 101))
    ledger = ingest([f"{root}/app"], options=HERE)
    assert read(ledger) == list(range(9))
    assert [described.path for described in ledger.manifest.inputs] == [
        f"{root}/app/2026/09/01.jsonl",
        f"{root}/app/2026/09/02 b.jsonl.gz",
    ]
    assert sorted(ledger.manifest.notes) == [
        f"{root}/app/2026/10/.hidden was not read: hidden",
        f"{root}/app/README.md was not read: not a log by its name",
    ]
    assert read(ingest([f"{root}/app/*/09/*.gz"], options=HERE)) == list(range(5, 9))
    assert read(ingest([f"{root}/app/2026/09/01.jsonl"], options=HERE)) == list(range(5))


@EACH
def test_a_large_object_is_read_by_ranges_once(store: Store, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (limits, split):
        monkeypatch.setattr(module, "SHARD_BYTES", 1 << 16)
    content = rows(0, 2_000, padding=100)
    store.put("big.jsonl", content)
    ledger = ingest([root], options=HERE)
    assert read(ledger) == list(range(2_000))
    assert ledger.frame["line"].to_list() == list(range(1, 2_001))
    [described] = ledger.manifest.inputs
    assert described.bytes == len(content)
    assert described.sha256.endswith(":ranges")
    fetched = sum(_bytes(seen.range) for seen in store.seen("GET") if seen.range)
    beyond = (len(content) // (1 << 16)) * limits.TAIL_BYTES  # the last line of each range but the last
    assert len(content) < fetched <= len(content) + min(len(content), limits.HEAD_BYTES) + beyond + 10


def _bytes(of_range: str) -> int:
    start, _, end = of_range.removeprefix("bytes=").partition("-")
    return int(end) - int(start) + 1


@EACH
def test_one_request_in_twenty_that_fails_costs_nothing(store: Store, root: str) -> None:
    for n in range(30):
        store.put(f"{n:02d}.jsonl", rows(n * 10, n * 10 + 10))
    store.fail(Fault(503, every=20), Fault("reset", every=33))
    ledger = ingest([root], options=HERE)
    assert read(ledger) == list(range(300))
    assert (ledger.manifest.rejected, ledger.manifest.reading_notes) == ([], [])


@EACH
def test_objects_that_cannot_be_read_are_named_and_counted(store: Store, root: str) -> None:
    for name, start in (("a", 0), ("b", 5), ("c", 10)):
        store.put(f"{name}.jsonl", rows(start, start + 5))
    store.fail(Fault(403, kind="HEAD", key="b.jsonl"), Fault(403, kind="GET", key="b.jsonl"))
    ledger = ingest([root], options=HERE)
    assert read(ledger) == [*range(5), *range(10, 15)]
    [rejection] = ledger.manifest.rejected
    assert (rejection.reason, rejection.count) == ("unreadable", 1)
    [note] = ledger.manifest.reading_notes
    assert "b.jsonl" in note
    assert "permission denied" in note
    assert "secret" not in note
    manifest = ledger.manifest
    assert manifest.read == manifest.rows + manifest.duplicates + rejection.count
    store.fail(Fault(403, kind="HEAD", key=".jsonl"), Fault(403, kind="GET", key=".jsonl"))
    with pytest.raises(IncompleteError, match="None of the 3 objects can be read"):
        ingest([root], options=HERE)


def test_a_body_that_breaks_off_is_asked_for_again(s3: Store) -> None:
    s3.put("a.jsonl", rows(0, 100))
    s3.fail(Fault("truncate", kind="GET", times=3))
    assert read(ingest(["s3://logs"], options=HERE)) == list(range(100))
    assert len(s3.seen("GET")) == 4


def test_throttling_that_does_not_end_is_a_note(s3: Store) -> None:
    s3.put("a.jsonl", rows(0, 5))
    s3.put("b.jsonl", rows(5, 9))
    s3.fail(Fault(503, kind="GET", key="b.jsonl"))
    ledger = ingest(["s3://logs"], options=HERE)
    assert read(ledger) == list(range(5))
    assert "slow down" in ledger.manifest.reading_notes[0]


def test_an_object_deleted_after_it_was_listed_is_a_note(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put("a.jsonl", rows(0, 5))
    s3.put("b.jsonl", rows(5, 9))
    cut = split._shards

    def deleting(source: Source, *more: object) -> object:
        if source.path == "logs/b.jsonl":
            s3.delete("b.jsonl")
        return cut(source, *more)

    monkeypatch.setattr(split, "_shards", deleting)
    ledger = ingest(["s3://logs"], options=HERE)
    assert read(ledger) == list(range(5))
    assert "does not exist" in ledger.manifest.reading_notes[0]


def test_an_object_replaced_while_it_is_read_is_not_mixed(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", 1 << 16)
    s3.put("a.jsonl", rows(0, 500, padding=100))
    s3.put("b.jsonl", rows(500, 509))
    cut = split._ranges

    def replacing(source: object) -> object:
        s3.put("a.jsonl", rows(1_000, 1_500, padding=100))
        return cut(source)

    monkeypatch.setattr(split, "_ranges", replacing)
    ledger = ingest(["s3://logs"], options=HERE)
    assert read(ledger) == list(range(500, 509))
    assert "was replaced while it was read" in ledger.manifest.reading_notes[0]


@pytest.mark.parametrize("listed", [1, 10, 1 << 22])
@pytest.mark.parametrize("shard_bytes", [1 << 24, 1 << 12])
def test_a_listing_that_lies_about_sizes_loses_nothing(
    listed: int, shard_bytes: int, s3: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", shard_bytes)
    s3.put("a.jsonl", rows(0, 200), listed_bytes=listed)
    ledger = ingest(["s3://logs"], options=HERE)
    assert read(ledger) == list(range(200))
    assert ledger.manifest.rejected == []


@EACH
def test_what_cannot_be_listed_is_an_error_with_its_remedy(store: Store, root: str) -> None:
    store.put("a.jsonl", rows(0, 5))
    with pytest.raises(UsageError, match=f"{root}/none holds no objects"):
        ingest([f"{root}/none"], options=HERE)
    with pytest.raises(AuditError, match=r"Check the bucket|holds no objects"):
        ingest([f"{root}x/a"], options=HERE)
    store.fail(Fault(403))
    with pytest.raises(UsageError, match="permission denied") as error:
        ingest([f"{root}/a"], options=HERE)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("address", ["s3://logs/app", "gs://logs/app"])
def test_a_wrong_endpoint_is_named(address: str, clean: pytest.MonkeyPatch) -> None:
    clean.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UsageError, match=r"Cannot list .*endpoint"):
        ingest([f"{address}?endpoint_override=http://127.0.0.1:9&anonymous=true&region=x"], options=HERE)


def test_a_folder_that_cannot_be_listed_is_a_note(s3: Store) -> None:
    s3.put("app/a/1.jsonl", rows(0, 5))
    s3.put("app/b/1.jsonl", rows(5, 9))
    s3.fail(Fault(403, kind="LIST", key="app/b/"))
    ledger = ingest(["s3://logs/app/"], options=HERE)
    assert read(ledger) == list(range(5))
    assert ledger.manifest.notes == ["s3://logs/app/b was not read: it cannot be listed: permission denied"]


def test_many_folders_take_a_request_a_folder_at_most(s3: Store) -> None:
    for n in range(40):
        for m in range(3):
            s3.put(f"app/{n:02d}/{m}/x.jsonl", rows(n * 3 + m, n * 3 + m + 1))
    assert read(ingest(["s3://logs/app/"], options=HERE)) == list(range(120))
    assert len(s3.seen("LIST")) == 41  # the first level, and each of its folders to its depth


def test_the_number_of_processes_changes_nothing(s3: Store) -> None:
    content = rows(0, 10_000, padding=1_800)
    s3.put("big.jsonl", content)
    s3.put("small.jsonl", rows(10_000, 10_010))
    frames: list[pl.DataFrame] = [
        ingest(["s3://logs"], options=IngestOptions(jobs=jobs, cache=False)).frame for jobs in (1, 2)
    ]
    assert frames[0].equals(frames[1])
    assert frames[0].height == 10_010
