"""What a place in a store holds is told from its listing and the beginnings of a few objects."""

import gzip
import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sources.files.stores.conftest import azure, clean, gcs, s3
from tests.sources.files.stores.loopback import Fault, Store
from tests.sources.files.stores.test_reading import rows
from typer.testing import CliRunner

from llm_audit.cli.groups.formats import app
from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import UsageError
from llm_audit.sources.detect import survey
from llm_audit.sources.files import limits

__all__ = ["azure", "clean", "gcs", "s3"]


def parquet(count: int) -> bytes:
    target = io.BytesIO()
    numbers = list(range(count))
    columns = {
        "timestamp": numbers,
        "model": ["gpt-4o"] * count,
        "prompt_tokens": numbers,
        "completion_tokens": numbers,
    }
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def test_objects_are_grouped_with_counts_bytes_days_and_requests(s3: Store) -> None:
    packed = gzip.compress(rows(0, 50))
    for day in range(1, 31):
        s3.put(f"app/dt=2026-09-{day:02d}/x.jsonl.gz", packed)
    s3.put("tables/1.parquet", parquet(1_000))
    s3.put("notes.txt", b"plain words\n" * 10)
    place = survey("s3://logs")
    found = {group.path: group for group in place.groups}
    assert list(found) == ["s3://logs/app/dt=#-#-#/x.jsonl.gz", "s3://logs/notes.txt", "s3://logs/tables/1.parquet"]
    logs = found["s3://logs/app/dt=#-#-#/x.jsonl.gz"]
    assert (logs.objects, logs.size_bytes, logs.looked_at) == (30, 30 * len(packed), 3)
    assert (logs.formats, logs.container, logs.compression) == (("flat",), "JSON lines", "gzip")
    assert (logs.first_day, logs.last_day, logs.requests) == ("2026-09-01", "2026-09-30", 60)
    assert found["s3://logs/tables/1.parquet"].formats == ("flat",)
    assert found["s3://logs/notes.txt"].formats == ()
    assert place.objects == 32
    assert (place.requests, place.requests_cost_usd) == (64, Decimal("0.0000256"))
    assert len({seen.key for seen in s3.seen("GET")}) == 5


def test_only_the_beginning_of_a_large_object_is_read(s3: Store) -> None:
    s3.put("big.jsonl", rows(0, 1_000, padding=1_000), times=6)
    place = survey("s3://logs")
    assert place.groups[0].formats == ("flat",)
    ranges = [seen.range.removeprefix("bytes=").split("-") for seen in s3.seen("GET") if seen.range]
    assert sum(int(end) - int(start) + 1 for start, end in ranges) == limits.HEAD_BYTES


@pytest.mark.parametrize("store", ["s3", "gcs", "azure"])
def test_the_estimate_of_requests_is_what_reading_takes(store: str, request: pytest.FixtureRequest) -> None:
    bucket: Store = request.getfixturevalue(store)
    root = {"s3": "s3", "gcs": "gs", "azure": "az"}[store] + "://logs"
    bucket.put("big.jsonl", rows(0, 1_000, padding=1_000), times=20)
    bucket.put("small.jsonl", rows(0, 100))
    estimated = survey(root).requests
    bucket.forget()
    ingest([root], options=IngestOptions(jobs=1, cache=False))
    made = len(bucket.seen("GET")) + len(bucket.seen("HEAD"))
    assert abs(made - estimated) <= 2, (made, estimated)


def test_the_command_tells_the_cost_of_reading(s3: Store) -> None:
    s3.put("2026/09/01.jsonl", rows(0, 50))
    s3.put("2026/09/02.jsonl", rows(0, 50))
    result = CliRunner().invoke(app, ["detect", "s3://logs", "--key-date", "%Y/%m/%d", "-f", "json"])
    [row] = json.loads(result.stdout)
    assert (row["objects"], row["format"], row["first day"], row["last day"]) == (2, "flat", "2026-09-01", "2026-09-02")
    assert "about 4 requests (under $0.01 at list price)" in result.stderr


def test_objects_that_cannot_be_read_are_said_to_be(s3: Store) -> None:
    s3.put("a.jsonl", rows(0, 50))
    s3.fail(Fault(403, kind="HEAD"), Fault(403, kind="GET"))
    [group] = survey("s3://logs").groups
    assert group.container == "unreadable"
    assert "permission denied" in group.reason


def test_files_and_places_are_not_mixed(s3: Store) -> None:
    assert s3.port
    result = CliRunner().invoke(app, ["detect", "s3://logs", "here.jsonl"])
    assert isinstance(result.exception, UsageError)
