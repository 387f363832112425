import polars as pl
import pyarrow.parquet as pq
import pytest

from llm_audit.errors import UsageError
from llm_audit.ledger import Ledger, is_ledger, read_ledger, write_ledger
from llm_audit.ledger.arrow import ARROW_SCHEMA
from llm_audit.ledger.manifest import MANIFEST_FILE, REQUESTS_FILE, LedgerInput, Manifest
from llm_audit.ledger.schema import SCHEMA, SCHEMA_VERSION

MANIFEST = Manifest(
    inputs=[LedgerInput(path="a.jsonl", sha256="00" * 32, bytes=10, records=2, format="flat", formats={"flat": 2})],
    read=2,
    rows=2,
    duplicates=0,
    not_provider_calls=[],
    rejected=[],
    notes=["x was not read: hidden"],
    fingerprints={"ingest": "1"},
)
ROWS = [{"request_key": 1, "model": "gpt-4o", "status": "ok"}, {"request_key": 2, "model": "é", "category": "math"}]


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    folder = tmp_path / "made"
    folder.mkdir()
    rows = [{name: row.get(name) for name in ARROW_SCHEMA.names} for row in ROWS]
    table = pl.DataFrame(rows, schema={name: SCHEMA[name] for name in SCHEMA}).to_arrow().cast(ARROW_SCHEMA)
    pq.write_table(table, folder / REQUESTS_FILE)
    return Ledger(folder, MANIFEST)


def test_a_ledger_is_read_as_it_was_written(ledger: Ledger, tmp_path) -> None:
    write_ledger(ledger, tmp_path / "kept" / "here")
    found = read_ledger(tmp_path / "kept" / "here")
    assert found.manifest == MANIFEST
    assert found.frame.equals(ledger.frame)
    assert found.frame.schema == SCHEMA
    assert found.scan().select("model").collect()["model"].to_list() == ["gpt-4o", "é"]


def test_writing_twice_gives_the_same_bytes(ledger: Ledger, tmp_path) -> None:
    for name in ("one", "two"):
        write_ledger(ledger, tmp_path / name)
    for file in (MANIFEST_FILE, REQUESTS_FILE):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_ledger_can_be_written_where_it_lies(ledger: Ledger) -> None:
    write_ledger(ledger, ledger.folder)
    assert read_ledger(ledger.folder).frame.height == 2


def test_a_folder_of_logs_is_no_ledger(tmp_path) -> None:
    (tmp_path / MANIFEST_FILE).write_text("{}")
    assert not is_ledger(tmp_path)
    with pytest.raises(UsageError, match="contains no readable ledger"):
        read_ledger(tmp_path)


def test_a_ledger_of_another_version_is_refused(ledger: Ledger, tmp_path) -> None:
    write_ledger(ledger, tmp_path / "kept")
    text = (tmp_path / "kept" / MANIFEST_FILE).read_text()
    (tmp_path / "kept" / MANIFEST_FILE).write_text(
        text.replace(f'"schema_version": {SCHEMA_VERSION}', '"schema_version": 0')
    )
    assert is_ledger(tmp_path / "kept")
    with pytest.raises(UsageError, match="another version"):
        read_ledger(tmp_path / "kept")


def test_a_place_that_cannot_be_written_is_named(ledger: Ledger, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Cannot write the ledger"):
        write_ledger(ledger, tmp_path / "file" / "below")


def test_a_folder_that_may_not_be_entered_is_no_ledger(tmp_path, monkeypatch) -> None:
    def refused(*_given, **_named):
        raise PermissionError

    monkeypatch.setattr("os.stat", refused)
    found = is_ledger(tmp_path)
    monkeypatch.undo()
    assert found is False
