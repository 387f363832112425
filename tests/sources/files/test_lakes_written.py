"""Tables that the formats' own libraries wrote; these are extras, without which the tests are passed over."""

import datetime as dt
import json
import struct
import zlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sources.files.stores.conftest import clean, s3
from tests.sources.files.stores.loopback import Store
from tests.sources.files.stores.test_reading import read
from tests.sources.files.stores.test_tables import put

from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import UsageError
from llm_audit.sources.databases import Selection
from llm_audit.sources.files.lakes import deleted

__all__ = ["clean", "s3"]

HERE = IngestOptions(jobs=1, cache=False)
LATE = IngestOptions(jobs=1, cache=False, selection=Selection(since=dt.datetime(2026, 9, 24, tzinfo=dt.UTC)))


def day(number: int) -> pa.Table:
    """Return two requests of a day, whose tokens are its number."""
    time = dt.datetime(2026, 9, number, tzinfo=dt.UTC)
    columns = {"timestamp": [time, time + dt.timedelta(hours=1)], "model": ["gpt-4o"] * 2}
    return pa.table({**columns, "prompt_tokens": [number] * 2, "completion_tokens": [1] * 2})


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def iceberg(tmp_path: Path) -> Any:
    pytest.importorskip("sqlalchemy")
    sql = pytest.importorskip("pyiceberg.catalog.sql")
    catalog = sql.SqlCatalog("x", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}")
    catalog.create_namespace("logs")
    table = catalog.create_table("logs.calls", schema=day(1).schema)
    table.append(day(1))
    table.overwrite(day(5))
    table.append(day(20))
    table.append(day(25))
    yield table
    catalog.close()


def test_the_current_snapshot_of_an_iceberg_table_is_read(iceberg: Any, tmp_path: Path, s3: Store) -> None:
    folder = tmp_path / "logs" / "calls"
    put(s3, folder)
    for place, unit in ((str(folder), "file"), ("s3://logs/calls", "object")):
        ledger = ingest([place], options=HERE)
        assert read(ledger) == [5, 5, 20, 20, 25, 25]
        assert ledger.manifest.notes == [f"{place}: 1 {unit} not read: not in the table's current version"]
        late = ingest([place], options=LATE)
        assert read(late) == [25, 25]
        assert f"{place}: 2 files not read: outside the period by the table's log" in late.manifest.notes
    assert iceberg.current_snapshot() is not None


def test_an_iceberg_table_whose_metadata_is_open_is_refused(iceberg: Any, tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "calls"
    newest = Path(iceberg.metadata_location.removeprefix("file://"))
    newest.with_name("00004-other.metadata.json").write_bytes(newest.read_bytes())
    with pytest.raises(UsageError, match="2 files of metadata claim to be the newest"):
        ingest([folder], options=HERE)


def test_a_delta_table_that_was_written_in_several_commits_is_read(tmp_path: Path, s3: Store) -> None:
    deltalake = pytest.importorskip("deltalake")
    folder = tmp_path / "calls"
    deltalake.write_deltalake(folder, day(1))
    deltalake.write_deltalake(folder, day(5), mode="overwrite")
    deltalake.write_deltalake(folder, day(20), mode="append")
    deltalake.DeltaTable(folder).create_checkpoint()
    deltalake.write_deltalake(folder, day(25), mode="append")
    put(s3, folder)
    for place in (str(folder), "s3://logs/calls"):
        assert read(ingest([place], options=HERE)) == [5, 5, 20, 20, 25, 25]
        late = ingest([place], options=LATE)
        assert read(late) == [25, 25]
        assert f"{place}: 2 files not read: outside the period by the table's log" in late.manifest.notes


def deletion_vector(*rows: int) -> bytes:
    """Return a deletion vector by Delta's specification: the magic number and a roaring bitmap of one container."""
    array = b"".join(row.to_bytes(2, "little") for row in rows)
    bitmap = struct.pack("<IIHHI", 12346, 1, 0, len(rows) - 1, 16) + array
    return struct.pack("<IQI", 1681511377, 1, 0) + bitmap


def delete_rows(table: Path, *rows: int, inline: bool) -> None:
    """Commit what a writer of deletion vectors does: the newest file is added again, without some of its rows."""
    log = sorted((table / "_delta_log").glob("*.json"))
    [added] = [action["add"] for line in log[-1].read_text().splitlines() if "add" in (action := json.loads(line))]
    vector = deletion_vector(*rows)
    if inline:
        padded = vector + bytes(-len(vector) % 4)
        stored = {"storageType": "i", "pathOrInlineDv": z85(padded)}
    else:
        name = UUID(int=len(log))
        framed = struct.pack(">I", len(vector)) + vector + struct.pack(">I", zlib.crc32(vector))
        (table / "ab").mkdir(exist_ok=True)
        (table / "ab" / f"deletion_vector_{name}.bin").write_bytes(b"\x01" + framed)
        stored = {"storageType": "u", "pathOrInlineDv": f"ab{z85(name.bytes)}", "offset": 1}
    new = {**added, "deletionVector": {**stored, "sizeInBytes": len(vector), "cardinality": len(rows)}}
    removed = {key: added.get(key) for key in ("path", "deletionVector") if key in added}
    features = ["deletionVectors"]
    protocol = {
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features
    }  # fmt: skip
    actions = [
        {"protocol": protocol},
        {"add": new},
        {"remove": {**removed, "dataChange": True, "deletionTimestamp": 1}},
    ]
    commit = table / "_delta_log" / f"{len(log):020d}.json"
    commit.write_text("".join(json.dumps(action) + "\n" for action in actions))


def z85(content: bytes) -> str:
    letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    words = (int.from_bytes(content[place : place + 4], "big") for place in range(0, len(content), 4))
    return "".join(letters[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))


@pytest.mark.parametrize("inline", [True, False])
def test_rows_that_deletion_vectors_delete_are_not_read(inline: bool, tmp_path: Path, s3: Store) -> None:
    deltalake = pytest.importorskip("deltalake")
    pytest.importorskip("pyroaring")
    folder = tmp_path / "calls"
    deltalake.write_deltalake(folder, day(1))
    deltalake.write_deltalake(folder, pa.concat_tables([day(5), day(6), day(7)]).combine_chunks(), mode="append")
    delete_rows(folder, 1, inline=inline)
    cached = IngestOptions(jobs=1)
    assert read(ingest([folder], options=cached)) == [1, 1, 5, 6, 6, 7, 7]
    delete_rows(folder, 1, 2, 5, inline=inline)
    put(s3, folder)
    for place in (str(folder), "s3://logs/calls"):
        ledger = ingest([place], options=cached)
        assert read(ledger) == [1, 1, 5, 6, 7]
        assert ledger.manifest.read == 5
    [masks] = deltalake.DeltaTable(folder).deletion_vectors()  # as Delta's own library reads them
    assert masks["selection_vector"].to_pylist() == [[True, False, False, True, True, False]]


def test_a_damaged_deletion_vector_is_no_silent_error(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    pytest.importorskip("pyroaring")
    folder = tmp_path / "calls"
    deltalake.write_deltalake(folder, day(1))
    delete_rows(folder, 1, inline=False)
    [file] = folder.glob("ab/*.bin")
    whole = file.read_bytes()
    file.write_bytes(whole[:-6] + b"\xff\xff" + whole[-4:])
    with pytest.raises(UsageError, match=r"Delta table .*calls cannot be followed: a deletion vector is damaged"):
        ingest([folder], options=HERE)
    file.unlink()
    with pytest.raises(UsageError, match=r"Delta table .*calls cannot be followed"):
        ingest([folder], options=HERE)


def test_deletion_vectors_need_their_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deltalake = pytest.importorskip("deltalake")
    deltalake.write_deltalake(tmp_path / "calls", day(1))
    delete_rows(tmp_path / "calls", 1, inline=True)
    monkeypatch.setattr(deleted, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"deletion vectors, which llm-audit\[delta\] reads"):
        ingest([tmp_path / "calls"], options=HERE)


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_checkpoints_of_version_2_are_followed(kind: str, tmp_path: Path, s3: Store) -> None:
    deltalake = pytest.importorskip("deltalake")
    folder = tmp_path / "calls"
    deltalake.write_deltalake(folder, day(1))
    deltalake.write_deltalake(folder, day(5), mode="append")
    log = folder / "_delta_log"
    actions = [json.loads(line) for path in sorted(log.glob("*.json")) for line in path.read_text().splitlines()]
    files = [{"add": action["add"]} for action in actions if "add" in action]
    top = [{name: action[name]} for action in actions for name in ("protocol", "metaData") if name in action]
    (log / "_sidecars").mkdir()
    sidecars = []
    for number, file in enumerate(files):
        added = {name: value for name, value in file["add"].items() if name in ("path", "size", "stats")}
        pq.write_table(pa.Table.from_pylist([{"add": added}]), log / "_sidecars" / f"{number}.parquet")
        sidecars.append({"sidecar": {"path": f"{number}.parquet", "sizeInBytes": 1, "modificationTime": 1}})
    name = log / f"{1:020d}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.{kind}"
    if kind == "json":
        written = [{"checkpointMetadata": {"version": 1}}, *top, *sidecars]
        name.write_text("".join(json.dumps(action) + "\n" for action in written))
    else:
        pq.write_table(pa.Table.from_pylist([*sidecars, {"checkpointMetadata": {"version": 1}}]), name)
    for path in log.glob("0*0.json"):
        path.unlink()
    (log / f"{1:020d}.json").unlink()
    later = {"add": {**files[0]["add"], "path": "more.parquet"}}
    pq.write_table(day(9), folder / "more.parquet")
    (log / f"{2:020d}.json").write_text(json.dumps(later) + "\n")
    put(s3, folder)
    for place in (str(folder), "s3://logs/calls"):
        assert read(ingest([place], options=HERE)) == [1, 1, 5, 5, 9, 9]


def test_a_checkpoint_that_is_not_complete_stands_for_nothing(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    folder = tmp_path / "calls"
    deltalake.write_deltalake(folder, day(1))
    first = folder / "_delta_log" / f"{0:020d}.checkpoint.0000000001.0000000002.parquet"
    pq.write_table(pa.Table.from_pylist([{"add": {"path": "none.parquet"}}]), first)
    assert read(ingest([folder], options=HERE)) == [1, 1]


def test_a_feature_of_a_later_version_is_named(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    folder = tmp_path / "calls"
    deltalake.write_deltalake(folder, day(1))
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["catalogManaged"]}
    (folder / "_delta_log" / f"{1:020d}.json").write_text(json.dumps({"protocol": protocol}) + "\n")
    with pytest.raises(UsageError, match="reader feature catalogManaged, which is not known"):
        ingest([folder], options=HERE)


def delete_by(table: Any, folder: Path, deletes: Any, *, name: str) -> None:
    """Commit a snapshot that adds a file of deletes, as writers of rows that are merged on reading do."""
    from pyiceberg import manifest

    class Deletes(manifest.ManifestWriterV2):
        def content(self) -> Any:
            return manifest.ManifestContent.DELETES

        @property
        def _meta(self) -> dict[str, str]:
            return {**super()._meta, "content": "deletes"}

    before, snapshot_id = table.current_snapshot(), 7
    metadata = json.loads(Path(table.metadata_location.removeprefix("file://")).read_bytes())
    sequence = metadata["last-sequence-number"] + 1
    output = table.io.new_output
    with Deletes(
        table.spec(), table.schema(), output(f"file://{folder}/metadata/d.avro"), snapshot_id, "null"
    ) as writer:
        writer.add_entry(
            manifest.ManifestEntry.from_args(
                status=manifest.ManifestEntryStatus.ADDED, snapshot_id=snapshot_id, data_file=deletes
            )
        )
    added = writer.to_manifest_file()
    with manifest.write_manifest_list(
        2, output(f"file://{folder}/metadata/list.avro"), snapshot_id, before.snapshot_id, sequence, "null"
    ) as listing:
        listing.add_manifests([*before.manifests(table.io), added])
    snapshot = {
        "snapshot-id": snapshot_id,
        "parent-snapshot-id": before.snapshot_id,
        "sequence-number": sequence,
        "timestamp-ms": metadata["last-updated-ms"] + 1,
        "manifest-list": f"file://{folder}/metadata/list.avro",
        "summary": {"operation": "delete"},
        "schema-id": 0,
    }
    metadata["snapshots"].append(snapshot)
    metadata |= {"current-snapshot-id": snapshot_id, "last-sequence-number": sequence}
    metadata["refs"]["main"]["snapshot-id"] = snapshot_id
    (folder / "metadata" / f"00099-{name}.metadata.json").write_text(json.dumps(metadata))


def file_of_deletes(path: Path, content: str, rows: int, **more: Any) -> Any:
    from pyiceberg import manifest
    from pyiceberg.manifest import DataFileContent, FileFormat
    from pyiceberg.typedef import Record

    return manifest.DataFile.from_args(
        content=DataFileContent[content],
        file_path=f"file://{path}",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=rows,
        file_size_in_bytes=path.stat().st_size,
        **more,
    )


def test_rows_that_files_of_position_deletes_name_are_not_read(iceberg: Any, tmp_path: Path, s3: Store) -> None:
    folder = tmp_path / "logs" / "calls"
    paths = sorted(task.file.file_path for task in iceberg.scan("prompt_tokens >= 20").plan_files())
    deletes = folder / "data" / "deletes.parquet"
    pq.write_table(pa.table({"file_path": paths, "pos": [1, 0]}), deletes)
    delete_by(iceberg, folder, file_of_deletes(deletes, "POSITION_DELETES", 2), name="position")
    put(s3, folder)
    for place in (str(folder), "s3://logs/calls"):
        ledger = ingest([place], options=IngestOptions(jobs=1))
        assert read(ledger) == [5, 5, 20, 25]
        assert ledger.manifest.read == 4


def test_equality_deletes_are_refused_with_what_to_do(iceberg: Any, tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "calls"
    deletes = folder / "data" / "deletes.parquet"
    pq.write_table(pa.table({"prompt_tokens": [5]}), deletes)
    delete_by(iceberg, folder, file_of_deletes(deletes, "EQUALITY_DELETES", 1, equality_ids=[3]), name="equality")
    with pytest.raises(UsageError, match=r"Iceberg table .*calls cannot be followed: it has equality deletes.*compact"):
        ingest([folder], options=HERE)
