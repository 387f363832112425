"""Tables that the formats' own libraries wrote; these are extras, without which the tests are passed over."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.sources.files.stores.conftest import clean, s3
from tests.sources.files.stores.loopback import Store
from tests.sources.files.stores.test_reading import read
from tests.sources.files.stores.test_tables import put

from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import UsageError

__all__ = ["clean", "s3"]

HERE = IngestOptions(jobs=1, cache=False)
LATE = IngestOptions(jobs=1, cache=False, since=dt.datetime(2026, 9, 24, tzinfo=dt.UTC))


def day(number: int) -> pa.Table:
    """Return two requests of a day, whose tokens are its number."""
    time = dt.datetime(2026, 9, number, tzinfo=dt.UTC)
    columns = {"timestamp": [time, time + dt.timedelta(hours=1)], "model": ["gpt-4o"] * 2}
    return pa.table({**columns, "prompt_tokens": [number] * 2, "completion_tokens": [1] * 2})


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
