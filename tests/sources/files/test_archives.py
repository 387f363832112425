"""Archives are read member by member, or refused; a broken one gives what is before the break, and says so."""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from llm_audit.engines import IngestOptions, ingest
from llm_audit.ledger import Ledger
from llm_audit.sources.files import archives
from llm_audit.sources.files.find import find

HERE = IngestOptions(jobs=1, cache=False)


def rows(start: int, end: int) -> bytes:
    return b"".join(
        json.dumps({"model": "gpt-4o", "timestamp": 1788220800 + n, "input_tokens": n, "output_tokens": 1}).encode()
        + b"\n"
        for n in range(start, end)
    )


MEMBERS = {"b.jsonl": rows(0, 5), "a/c.jsonl.gz": gzip.compress(rows(5, 9)), "../../d.json": rows(9, 10)}


def tar(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("passwd.jsonl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return target.getvalue()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        archive.mkdir("folder")
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def arrow(codec: str, content: bytes) -> bytes:
    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, codec) as stream:
        stream.write(content)
    return target.getvalue().to_pybytes()


ARCHIVES = {
    "logs.tar": tar(MEMBERS),
    "logs.tgz": gzip.compress(tar(MEMBERS)),
    "logs.tar.bz2": bz2.compress(tar(MEMBERS)),
    "logs.tar.xz": lzma.compress(tar(MEMBERS)),
    "logs.tar.zst": arrow("zstd", tar(MEMBERS)),
    "logs.tar.lz4": arrow("lz4", tar(MEMBERS)),
    "logs.zip": zipped(MEMBERS),
    "stored.zip": zipped(MEMBERS, zipfile.ZIP_STORED),
    "no-suffix": zipped(MEMBERS, zipfile.ZIP_LZMA),
}


def account(ledger: Ledger) -> tuple[int, int, dict[str, int]]:
    manifest = ledger.manifest
    rejected = {found.reason: found.count for found in manifest.rejected}
    assert manifest.read == manifest.rows + manifest.duplicates + sum(rejected.values())
    return manifest.rows, ledger.frame["input_tokens"].sum(), rejected


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("jobs", [1, 2])
def test_every_member_is_a_file_of_its_own(name: str, jobs: int, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("llm_audit.engines.executors.processes.SHARD_BYTES", 0)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / name).write_bytes(ARCHIVES[name])
    ledger = ingest([logs], options=IngestOptions(jobs=jobs, cache=False))
    assert account(ledger) == (10, sum(range(10)), {})
    assert {read.path for read in ledger.manifest.inputs} == {f"{logs / name}!{member}" for member in MEMBERS}
    assert {read.path.rpartition("!")[2]: read.records for read in ledger.manifest.inputs} == {
        "b.jsonl": 5,
        "a/c.jsonl.gz": 4,
        "../../d.json": 1,
    }
    assert sorted(os.listdir(tmp_path)) == ["logs"]
    assert os.listdir(logs) == [name]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.jsonl.bz2", bz2.compress(rows(0, 5)) + bz2.compress(rows(5, 10))),
        ("log.jsonl.xz", lzma.compress(rows(0, 5)) + lzma.compress(rows(5, 10)) + b"\0" * 8),
        ("log.jsonl.lz4", arrow("lz4", rows(0, 5)) + arrow("lz4", rows(5, 10))),
        ("log", bz2.compress(rows(0, 10))),
    ],
)
def test_compressed_files_are_read_with_all_their_streams(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert account(ingest([tmp_path], options=HERE)) == (10, sum(range(10)), {})


@pytest.mark.parametrize(
    "pack",
    [lambda content: bz2.compress(content, 1), lzma.compress, lambda content: arrow("lz4", content)],
    ids=["bz2", "xz", "lz4"],
)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_compressed_data_cut_short_is_said(pack, share: float, tmp_path: Path) -> None:
    packed = pack(rows(0, 6_000))  # several of the smallest blocks of bzip2
    (tmp_path / "log").write_bytes(packed[: int(len(packed) * share)])
    manifest = ingest([tmp_path], options=HERE).manifest
    assert {found.reason: found.count for found in manifest.rejected}["truncated"] == 1
    assert manifest.rows < 6_000


def test_members_of_one_name_are_both_read_and_told_apart(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("a.jsonl", rows(0, 5))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.jsonl", rows(5, 10))
    ledger = ingest([tmp_path], options=HERE)
    assert account(ledger) == (10, sum(range(10)), {})
    assert [read.path.rpartition("!")[2] for read in ledger.manifest.inputs] == ["a.jsonl", "a.jsonl#2"]


def test_an_archive_in_an_archive_and_a_workbook_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "outer.tar").write_bytes(tar({"a.jsonl": rows(0, 5), "inner.zip": zipped(MEMBERS)}))
    (tmp_path / "sheet.xlsx").write_bytes(zipped({"[Content_Types].xml": b"<a/>", "xl/sheet1.xml": b"<b/>"}))
    (tmp_path / "other.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + b"x" * 600)
    ledger = ingest([tmp_path], options=HERE)
    assert account(ledger) == (5, sum(range(5)), {"archive": 3})
    assert len(ledger.manifest.reading_notes) == 3
    assert all("unpack it" in note for note in ledger.manifest.reading_notes)


def test_an_encrypted_member_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.jsonl": rows(0, 5), "b.jsonl": rows(5, 10)}, zipfile.ZIP_STORED))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = archive.getinfo("b.jsonl")
    directory = content.rindex(b"b.jsonl") - 46
    content[directory + 8] |= 1
    content[info.header_offset + 6] |= 1
    (tmp_path / "logs.zip").write_bytes(content)
    ledger = ingest([tmp_path], options=HERE)
    assert account(ledger) == (5, sum(range(5)), {"unreadable": 1})
    assert "b.jsonl: it is encrypted. Unpack" in ledger.manifest.reading_notes[0]


@pytest.mark.parametrize("name", ["logs.tar", "logs.zip", "logs.tgz"])
def test_a_damaged_archive_never_counts_as_whole(name: str, tmp_path: Path) -> None:
    content = ARCHIVES[name]
    for place in range(200, len(content), max(61, len(content) // 25)):
        for damaged in (content[:place], content[:place] + b"\xff" * 8 + content[place + 8 :]):
            (tmp_path / name).write_bytes(damaged)
            manifest = ingest([tmp_path], options=HERE).manifest
            assert manifest.rows <= 10
            assert manifest.read == manifest.rows + sum(found.count for found in manifest.rejected)
            assert manifest.rows == 10 or manifest.rejected, place


def test_unchanged_files_are_not_opened_again_but_for_archives(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path / "cache"))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "broken.tar").write_bytes(tar({"a.jsonl": rows(0, 5), "b.jsonl": rows(5, 10)})[:2_000])
    (logs / "whole.zip").write_bytes(zipped({"c.jsonl": rows(10, 12)}))
    (logs / "d.jsonl.zst").write_bytes(arrow("zstd", rows(12, 14)))
    for file in logs.iterdir():
        os.utime(file, (1e9, 1e9))  # a file that has just changed is read again
    first = ingest([logs], options=IngestOptions(jobs=1))
    opened: list[str] = []
    read = archives.first_bytes
    monkeypatch.setattr(
        archives, "first_bytes", lambda source: [opened.append(Path(source.path).name), read(source)][1]
    )
    second = ingest([logs], options=IngestOptions(jobs=1))
    assert sorted(opened) == ["broken.tar", "whole.zip"]
    assert account(first) == account(second)
    assert [read.path for read in first.manifest.inputs] == [read.path for read in second.manifest.inputs]


def test_a_member_too_large_to_copy_and_too_many_members_are_refused(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "logs.zip").write_bytes(ARCHIVES["logs.zip"])
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 1 << 6)
    assert account(ingest([tmp_path], options=HERE))[2] == {"unreadable": 3}
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    assert account(ingest([tmp_path], options=HERE))[2] == {"archive": 1}


def test_a_hidden_member_is_passed_over_and_noted(tmp_path: Path) -> None:
    (tmp_path / "logs.zip").write_bytes(
        zipped({"__MACOSX/._a.jsonl": b"\0\0", "a.jsonl": rows(0, 2), "README.md": b""})
    )
    found = find([tmp_path / "logs.zip"], spool=tmp_path)
    assert [source.name.rpartition("!")[2] for source in found.sources] == ["a.jsonl"]
    assert [note.partition(" was not read: ")[2] for note in found.notes] == ["not a log by its name", "hidden"]
