import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from tests.audit.build import ledger as at_rest
from tests.audit.build import many
from tests.ledger.partitions import partitioned

from llm_audit.errors import UsageError
from llm_audit.ledger import Ledger, is_ledger, read_ledger, write_ledger
from llm_audit.ledger.arrow import ARROW_SCHEMA
from llm_audit.ledger.manifest import (
    CHECKSUMS_FILE,
    MANIFEST_FILE,
    REQUESTS_FILE,
    LedgerInput,
    Manifest,
    encode_manifest,
    requests_files,
)
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


FILES = (MANIFEST_FILE, REQUESTS_FILE, CHECKSUMS_FILE)


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
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_ledger_can_be_written_where_it_lies(ledger: Ledger) -> None:
    write_ledger(ledger, ledger.folder)
    assert sorted(os.listdir(ledger.folder)) == sorted(FILES)
    assert read_ledger(ledger.folder).frame.height == 2


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a flipped bit": flip,
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b" "),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "another file": lambda path: shutil.copyfile(__file__, path),
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_an_error_that_names_the_file(
    ledger: Ledger, tmp_path: Path, file: str, damage: Callable[[Path], object]
) -> None:
    write_ledger(ledger, tmp_path / "kept")
    damage(tmp_path / "kept" / file)
    assert is_ledger(tmp_path / "kept")  # and not a folder of logs
    with pytest.raises(UsageError) as caught:
        read_ledger(tmp_path / "kept")
    assert str(tmp_path / "kept") in str(caught.value)
    assert file in str(caught.value) or CHECKSUMS_FILE in str(caught.value)
    assert str(caught.value).endswith("Create it again with --save-ledger.")


def test_every_byte_of_a_ledger_counts(ledger: Ledger, tmp_path: Path) -> None:
    write_ledger(ledger, tmp_path / "kept")
    for file in FILES:
        path = tmp_path / "kept" / file
        whole = path.read_bytes()
        for place in range(0, len(whole), 13):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 32]) + whole[place + 1 :])
            with pytest.raises(UsageError):
                read_ledger(tmp_path / "kept")
        path.write_bytes(whole)
    assert read_ledger(tmp_path / "kept").frame.height == 2


def test_files_of_two_ledgers_do_not_mix(ledger: Ledger, tmp_path: Path) -> None:
    write_ledger(ledger, tmp_path / "one")
    write_ledger(ledger.with_notes(["another"]), tmp_path / "two")
    shutil.copyfile(tmp_path / "two" / MANIFEST_FILE, tmp_path / "one" / MANIFEST_FILE)
    with pytest.raises(UsageError, match=MANIFEST_FILE):
        read_ledger(tmp_path / "one")


def test_only_the_owner_reads_a_saved_ledger(ledger: Ledger, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_ledger(ledger, tmp_path / "kept")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
    assert {stat.S_IMODE((tmp_path / "kept" / file).stat().st_mode) for file in FILES} == {0o600}
    (tmp_path / "shared").mkdir(mode=0o755)
    write_ledger(ledger, tmp_path / "shared")  # a folder that exists keeps its mode
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755


def test_a_folder_of_logs_is_no_ledger(tmp_path) -> None:
    (tmp_path / MANIFEST_FILE).write_text("{}")
    assert not is_ledger(tmp_path)
    with pytest.raises(UsageError, match=f"contains no readable ledger: it has no {CHECKSUMS_FILE}"):
        read_ledger(tmp_path)


def test_a_ledger_of_another_version_is_refused(ledger: Ledger, tmp_path) -> None:
    write_ledger(ledger, tmp_path / "kept")
    text = (tmp_path / "kept" / MANIFEST_FILE).read_text()
    changed = text.replace(f'"schema_version": {SCHEMA_VERSION}', '"schema_version": 0')
    (tmp_path / "kept" / MANIFEST_FILE).write_text(changed)
    with pytest.raises(UsageError, match="is damaged"):
        read_ledger(tmp_path / "kept")
    sums = (tmp_path / "kept" / CHECKSUMS_FILE).read_text()
    sealed = sums.replace(hashlib.sha256(text.encode()).hexdigest(), hashlib.sha256(changed.encode()).hexdigest())
    (tmp_path / "kept" / CHECKSUMS_FILE).write_text(sealed)
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


@pytest.fixture
def parted(tmp_path: Path) -> tuple[Ledger, Ledger]:
    """A ledger in one partition, and the same requests in three."""
    whole = at_rest(tmp_path / "whole", many(200).with_columns(line=pl.int_range(200), entry=pl.int_range(200)))
    return whole, partitioned(whole, 3, tmp_path / "parted")


def test_partitions_have_the_rows_of_the_ledger_in_order(parted: tuple[Ledger, Ledger]) -> None:
    whole, parts = parted
    assert (whole.partitions, parts.partitions) == (1, 3)
    assert [path.name for path in parts.files] == [f"requests-0000{number}.parquet" for number in range(3)]
    assert parts.frame.equals(whole.frame)
    assert parts.scan().select("line").collect()["line"].to_list() == list(range(200))
    pieces = [parts.scan(number).collect() for number in range(3)]
    assert [piece["line"].is_sorted() for piece in pieces] == [True] * 3
    assert pl.concat(pieces).sort("line").equals(whole.frame)
    assert min(piece.height for piece in pieces) > 0
    assert whole.scan(0).collect().equals(whole.frame)


def test_a_ledger_in_partitions_is_read_as_it_was_written(parted: tuple[Ledger, Ledger], tmp_path: Path) -> None:
    whole, parts = parted
    write_ledger(parts, tmp_path / "kept")
    names = sorted((MANIFEST_FILE, CHECKSUMS_FILE, *requests_files(3)))
    assert sorted(os.listdir(tmp_path / "kept")) == names
    found = read_ledger(tmp_path / "kept")
    assert found.manifest == parts.manifest
    assert found.frame.equals(whole.frame)
    assert found.fingerprint() == parts.fingerprint() != whole.fingerprint()
    write_ledger(found, tmp_path / "kept")
    assert sorted(os.listdir(tmp_path / "kept")) == names


def test_a_ledger_replaces_one_of_other_partitions(parted: tuple[Ledger, Ledger], tmp_path: Path) -> None:
    whole, parts = parted
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "requests-of-mine.parquet").write_bytes(b"mine")
    for saved in (parts, whole, parts):
        write_ledger(saved, tmp_path / "kept")
        assert read_ledger(tmp_path / "kept").fingerprint() == saved.fingerprint()
        names = {MANIFEST_FILE, CHECKSUMS_FILE, "requests-of-mine.parquet", *requests_files(saved.partitions)}
        assert set(os.listdir(tmp_path / "kept")) == names


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_of_a_partition_is_an_error_that_names_it(
    parted: tuple[Ledger, Ledger], tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    write_ledger(parted[1], tmp_path / "kept")
    damage(tmp_path / "kept" / "requests-00001.parquet")
    with pytest.raises(UsageError, match="requests-00001"):
        read_ledger(tmp_path / "kept")


def test_a_list_of_other_partitions_than_the_manifest_says_is_damage(
    parted: tuple[Ledger, Ledger], tmp_path: Path
) -> None:
    manifest = encode_manifest(replace(parted[1].manifest, partitions=2))
    write_ledger(parted[1], tmp_path / "kept")
    (tmp_path / "kept" / MANIFEST_FILE).write_bytes(manifest)
    sums = [
        f"{hashlib.sha256((tmp_path / 'kept' / name).read_bytes()).hexdigest()}  {name}\n"
        for name in (*requests_files(3), MANIFEST_FILE)
    ]
    (tmp_path / "kept" / CHECKSUMS_FILE).write_text("".join(sums))
    with pytest.raises(UsageError, match=f"{CHECKSUMS_FILE} is damaged"):
        read_ledger(tmp_path / "kept")
    (tmp_path / "kept" / CHECKSUMS_FILE).write_text("".join(sums[1:]))
    with pytest.raises(UsageError, match=f"{CHECKSUMS_FILE} is damaged"):
        read_ledger(tmp_path / "kept")


def test_a_change_is_made_in_each_partition(parted: tuple[Ledger, Ledger]) -> None:
    whole, parts = parted
    changed = parts.rewritten(lambda rows: rows.with_columns(line=pl.col("line") + 1))
    assert changed.partitions == 3
    assert changed.frame["line"].to_list() == (whole.frame["line"] + 1).to_list()


def test_what_is_left_of_a_ledger_in_partitions_is_no_folder_of_logs(
    parted: tuple[Ledger, Ledger], tmp_path: Path
) -> None:
    write_ledger(parted[1], tmp_path / "kept")
    (tmp_path / "kept" / CHECKSUMS_FILE).unlink()
    assert is_ledger(tmp_path / "kept")
