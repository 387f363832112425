"""Delta tables in a store are read as they stand: current files, by partition and by the log's bounds of times."""

import datetime as dt
import json
from pathlib import Path

import pytest
from tests.sources.files.stores.loopback import Store
from tests.sources.files.stores.test_reading import read
from tests.sources.files.test_lakes import ELSEWHERE, added, commit, data, removed

from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import UsageError
from llm_audit.sources.databases import Selection
from llm_audit.sources.files.stores import tables

HERE = IngestOptions(jobs=1, cache=False)


def put(store: Store, folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            store.put(path.relative_to(folder.parent).as_posix(), path.read_bytes())


def bounds(low: str, high: str, **more: str) -> str:
    return json.dumps({"minValues": {"timestamp": low, **more}, "maxValues": {"timestamp": high, **more}})


@pytest.fixture
def delta(tmp_path: Path) -> Path:
    table = tmp_path / "table"
    for day in (1, 10, 20):
        data(table / f"date=2026-09-{day:02d}" / "x.parquet", day, model="gpt-4o")
    data(table / "old.parquet", 50, model="gpt-4o")
    partitions = [f"2026-09-{day:02d}" for day in (1, 10, 20)]
    commit(table, 0, added("old.parquet"))
    commit(
        table,
        1,
        removed("old.parquet"),
        *(added(f"date={day}/x.parquet", partitionValues={"date": day}) for day in partitions),
    )
    return table


@pytest.mark.parametrize(("store", "root"), [("s3", "s3://logs"), ("gcs", "gs://logs"), ("azure", "az://logs")])
def test_the_current_version_of_a_table_is_read(
    store: str, root: str, delta: Path, request: pytest.FixtureRequest
) -> None:
    bucket: Store = request.getfixturevalue(store)
    put(bucket, delta)
    ledger = ingest([f"{root}/table"], options=HERE)
    assert read(ledger) == [1, 2, 10, 11, 20, 21]
    assert ledger.manifest.notes == [f"{root}/table: 1 object not read: not in the table's current version"]
    assert read(ledger) == read(ingest([delta], options=HERE))


def test_a_period_rules_out_partitions_that_are_then_not_fetched(s3: Store, delta: Path) -> None:
    put(s3, delta)
    options = IngestOptions(jobs=1, cache=False, selection=Selection(since=dt.datetime(2026, 9, 12, tzinfo=dt.UTC)))
    ledger = ingest(["s3://logs/table"], options=options)
    assert read(ledger) == [20, 21]
    assert {seen.key for seen in s3.seen("GET") if seen.key.endswith(".parquet")} == {"table/date=2026-09-20/x.parquet"}
    assert "s3://logs/table: 2 folders not read: the date in the name is outside the period" in ledger.manifest.notes


@pytest.mark.parametrize("remote", [False, True])
def test_a_period_rules_out_files_by_the_bounds_of_their_times(remote: bool, s3: Store, tmp_path: Path) -> None:
    table = tmp_path / "table"
    stated = {
        1: bounds("2026-09-01T00:00:00Z", "2026-09-05T00:00:00Z"),
        3: bounds("2026-09-01T00:00:00Z", "2026-10-05T00:00:00Z"),
        5: json.dumps({"minValues": {"other": "2026-09-01"}, "maxValues": {"other": "2026-09-01"}}),
        7: bounds("2026-10-20T00:00:00Z", "2026-10-21T00:00:00Z"),
        9: None,
        11: bounds("2026-09-01T00:00:00Z", "2026-09-05T00:00:00Z", created_at="2026-10-02"),
    }
    for number in stated:
        data(table / f"{number}.parquet", number, model="gpt-4o")
    commit(table, 0, *(added(f"{number}.parquet", stats=stats) for number, stats in stated.items()))
    put(s3, table)
    period = {"since": dt.datetime(2026, 10, 1, tzinfo=dt.UTC), "until": dt.datetime(2026, 10, 10, tzinfo=dt.UTC)}
    place = "s3://logs/table" if remote else str(table)
    ledger = ingest([place], options=IngestOptions(jobs=1, cache=False, selection=Selection(**period)))
    assert read(ledger) == [3, 4, 5, 6, 9, 10, 11, 12]
    assert ledger.manifest.notes == [f"{place}: 2 files not read: outside the period by the table's log"]


def test_a_part_of_a_table_is_refused_with_the_table_named(s3: Store, delta: Path) -> None:
    put(s3, delta)
    for part in ("date=2026-09-01", "date=2026-09-01/x.parquet"):
        with pytest.raises(UsageError, match="part of the Delta table s3://logs/table,"):
            ingest([f"s3://logs/table/{part}"], options=HERE)


def test_what_a_log_says_and_is_not_honoured_is_refused(s3: Store, delta: Path) -> None:
    commit(delta, 2, added("old.parquet", deletionVector=ELSEWHERE))
    put(s3, delta)
    with pytest.raises(UsageError, match=r"s3://logs/table cannot be followed: .*deletion vector is outside"):
        ingest(["s3://logs/table"], options=HERE)


def test_a_live_object_that_is_missing_is_no_silent_loss(s3: Store, delta: Path) -> None:
    put(s3, delta)
    s3.delete("table/date=2026-09-10/x.parquet")
    with pytest.raises(UsageError, match=r"date=2026-09-10/x.parquet is missing"):
        ingest(["s3://logs/table"], options=HERE)


@pytest.mark.parametrize(
    ("key", "kind"), [("t/metadata/v1.metadata.json", r"llm-audit\[iceberg\]"), ("t/.hoodie/a", "Hudi")]
)
def test_tables_that_are_not_read_are_refused(key: str, kind: str, s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "has_reader", lambda: False)
    s3.put(key, b"{}")
    s3.put("t/data/a.parquet", b"PAR1")
    with pytest.raises(UsageError, match=kind):
        ingest(["s3://logs/t"], options=HERE)
