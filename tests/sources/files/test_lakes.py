"""Tables of Delta, Iceberg and Hive are read as they stand, or refused in words."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import UsageError
from llm_audit.sources.files.find import find
from llm_audit.sources.files.lakes import around

HERE = IngestOptions(jobs=1, cache=False)
ELSEWHERE = {"storageType": "p", "pathOrInlineDv": "s3://other/x.bin", "offset": 1, "sizeInBytes": 9, "cardinality": 1}


def data(path: Path, start: int, rows: int = 2, **columns: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = {
        "timestamp": [f"2026-09-01T00:00:{start + n:02d}Z" for n in range(rows)],
        "prompt_tokens": [start + n for n in range(rows)],
        "completion_tokens": [1] * rows,
        **{name: [value] * rows for name, value in columns.items()},
    }
    pq.write_table(pa.table(table), path)


def commit(table: Path, version: int, *actions: dict) -> None:
    log = table / "_delta_log"
    log.mkdir(exist_ok=True, parents=True)
    (log / f"{version:020d}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))


def added(path: str, **more) -> dict:
    return {"add": {"path": path, "size": 1, "dataChange": True, **more}}


def removed(path: str) -> dict:
    return {"remove": {"path": path, "dataChange": True}}


def inputs(folder: Path, *paths: Path) -> tuple[list[int], list[str]]:
    ledger = ingest(list(paths) or [folder], options=HERE)
    return sorted(ledger.frame["input_tokens"]), ledger.manifest.notes


@pytest.fixture
def delta(tmp_path: Path) -> Path:
    table = tmp_path / "table"
    data(table / "a b.parquet", 0, model="gpt-4o")
    data(table / "b.parquet", 2, model="gpt-4o")
    data(table / "c.parquet", 0, rows=4, model="gpt-4o")
    commit(table, 0, {"protocol": {"minReaderVersion": 1}}, added("a%20b.parquet"), added("b.parquet"))
    commit(table, 1, removed("a%20b.parquet"), removed("b.parquet"), added("c.parquet"))
    return table


def test_only_the_files_of_a_delta_tables_current_version_are_read(delta: Path) -> None:
    expected = [0, 1, 2, 3]
    assert inputs(delta) == (expected, [f"{delta}: 2 files not read: not in the table's current version"])
    assert inputs(delta, *delta.glob("*.parquet"))[0] == expected
    data(delta / "d.parquet", 9, model="gpt-4o")
    commit(delta, 2, added("d.parquet"))
    assert inputs(delta)[0] == [*expected, 9, 10]


def test_a_checkpoint_stands_for_the_commits_before_it(delta: Path) -> None:
    rows = [added("c.parquet"), removed("b.parquet")]
    pq.write_table(pa.Table.from_pylist(rows), delta / "_delta_log" / f"{1:020d}.checkpoint.parquet")
    for version in (0, 1):
        (delta / "_delta_log" / f"{version:020d}.json").unlink()
    assert inputs(delta)[0] == [0, 1, 2, 3]
    data(delta / "d.parquet", 9, model="gpt-4o")
    commit(delta, 2, added("d.parquet"))
    assert inputs(delta)[0] == [0, 1, 2, 3, 9, 10]
    commit(delta, 4, removed("c.parquet"))
    with pytest.raises(UsageError, match="a commit is missing"):
        inputs(delta)


def test_partition_values_of_the_log_are_columns(tmp_path: Path) -> None:
    table = tmp_path / "table"
    data(table / "x7" / "a.parquet", 0)
    commit(table, 0, added("x7/a.parquet", partitionValues={"model": "gpt-4o", "team": None}))
    ledger = ingest([table], options=HERE)
    assert ledger.frame["model"].cast(str).to_list() == ["gpt-4o", "gpt-4o"]


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (added("b.parquet", deletionVector=ELSEWHERE), "deletion vector is outside"),
        (added("c.parquet", deletionVector=ELSEWHERE), "a file is added twice"),
        ({"metaData": {"configuration": {"delta.columnMapping.mode": "name"}}}, "other names"),
        ({"add": {}}, "cannot be followed"),
    ],
)
def test_what_a_log_says_and_is_not_honoured_is_refused(action: dict, why: str, delta: Path) -> None:
    commit(delta, 2, action)
    with pytest.raises(UsageError, match=why):
        inputs(delta)


def test_a_live_file_that_is_missing_is_no_silent_loss(delta: Path, tmp_path: Path) -> None:
    (delta / "c.parquet").unlink()
    with pytest.raises(UsageError, match=r"c\.parquet"):
        find([delta], spool=tmp_path)


def iceberg(root: Path, *, files: int, deletes: int = 0) -> None:
    summary = {"total-data-files": str(files), "total-delete-files": str(deletes)}
    metadata = {"last-updated-ms": 2, "current-snapshot-id": 7, "snapshots": [{"snapshot-id": 7, "summary": summary}]}
    (root / "metadata").mkdir(parents=True, exist_ok=True)
    (root / "metadata" / "v1.metadata.json").write_text(json.dumps({"last-updated-ms": 1}))
    (root / "metadata" / "v2.metadata.json").write_text(json.dumps(metadata))
    (root / "metadata" / "snap-7.avro").write_bytes(b"Obj\1")


def test_an_iceberg_table_is_read_where_all_its_files_count_and_refused_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(around, "has_reader", lambda: False)
    table = tmp_path / "table"
    data(table / "data" / "a.parquet", 0, model="gpt-4o")
    data(table / "data" / "b.parquet", 2, model="gpt-4o")
    iceberg(table, files=2)
    assert inputs(table)[0] == [0, 1, 2, 3]
    for files, deletes in ((1, 0), (2, 1)):
        iceberg(table, files=files, deletes=deletes)
        with pytest.raises(UsageError, match=r"Install llm-audit\[iceberg\]"):
            inputs(table)
    (table / "metadata" / "v2.metadata.json").write_text("{}")
    with pytest.raises(UsageError, match="metadata cannot be read"):
        inputs(table)


def test_a_hudi_table_is_refused(tmp_path: Path) -> None:
    data(tmp_path / "table" / "a.parquet", 0)
    (tmp_path / "table" / ".hoodie").mkdir()
    with pytest.raises(UsageError, match="Hudi"):
        inputs(tmp_path)


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_the_names_of_folders_are_columns_that_a_record_lacks(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "date=2026-11-02" / "model=gpt-4o" / "team=R%26D" / "app=__HIVE_DEFAULT_PARTITION__"
    folder.mkdir(parents=True)
    path = folder / f"part-0.{kind}"
    match kind:
        case "parquet":
            data(path, 0)
        case "jsonl":
            path.write_text('{"timestamp": 1788220800, "prompt_tokens": 0, "completion_tokens": 1}\n' * 2)
        case "csv":
            path.write_text("timestamp,prompt_tokens,completion_tokens\n1788220800,0,1\n1788220801,1,1\n")
    frame = ingest([tmp_path], options=HERE).frame
    assert frame.height == 2
    assert set(frame["model"].cast(str)) == {"gpt-4o"}
    assert set(frame["team"].cast(str)) == {"R&D"}
    assert set(frame["app"]) == {None}


def test_a_record_says_more_than_its_folder(tmp_path: Path) -> None:
    data(tmp_path / "model=other" / "a.parquet", 0, model="gpt-4o")
    assert set(ingest([tmp_path], options=HERE).frame["model"].cast(str)) == {"gpt-4o"}
