"""Names and places that are not plain files: a note, a rejection or a clean error, and the rest is read."""

import hashlib
import os
import socket
import threading
from pathlib import Path

import pytest

from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import UsageError
from llm_audit.sources.files.find import find
from llm_audit.sources.files.storage import sha256

LINE = '{"model": "gpt-4o", "timestamp": "2026-09-01T00:00:00Z", "input_tokens": %d, "output_tokens": 1}\n'


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.jsonl").write_text(LINE % 1)
    return folder


def read(folder: Path, **options) -> tuple[int, dict[str, int], list[str]]:
    manifest = ingest([folder], options=IngestOptions(jobs=1, **{"cache": False, **options})).manifest
    rejected = {found.reason: found.count for found in manifest.rejected}
    assert manifest.read == manifest.rows + sum(rejected.values())
    return manifest.rows, rejected, [*manifest.notes, *manifest.reading_notes]


def test_names_that_are_not_utf_8_are_read_kept_and_told_apart(logs: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number, name in enumerate((b"caf\xe9.jsonl", b"caf\xea.jsonl", rb"caf\xe9.jsonl")):
        Path(os.fsdecode(os.fsencode(logs) + b"/" + name)).write_text(LINE % number)
    for _ in range(2):
        assert read(logs, cache=True) == (4, {}, [])
    names = [source.name.rpartition("/")[2] for source in find([logs], spool=tmp_path).sources]
    assert sorted(names) == ["a.jsonl", r"caf\xe9.jsonl", r"caf\xe9.jsonl#2", r"caf\xea.jsonl"]


def test_a_link_to_itself_a_broken_one_a_pipe_and_a_socket_get_a_note(logs: Path, tmp_path: Path) -> None:
    (logs / "self").symlink_to("self")
    (logs / "broken").symlink_to("nowhere")
    os.mkfifo(logs / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(logs, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
        assert read(logs) == (
            1,
            {},
            [f"{logs}/{name} was not read: not a regular file" for name in ("broken", "pipe", "self", "socket")],
        )
    for name in ("self", "broken", "socket", "pipe"):
        with pytest.raises(UsageError, match=name):
            find([logs / name], spool=tmp_path)


@pytest.mark.parametrize(("name", "count", "rejected"), [("d", 1500, {}), ("x" * 200, 40, {"unreadable": 1})])
def test_folders_are_walked_as_deep_as_paths_reach(logs: Path, name, count, rejected, monkeypatch) -> None:
    monkeypatch.chdir(logs)
    for _ in range(count):
        Path(name).mkdir()
        os.chdir(name)
    Path("deep.jsonl").write_text(LINE % 2)
    os.chdir(logs.parent)
    rows, found, notes = read(Path("logs"))
    assert (rows, found) == (2 - len(rejected), rejected)
    assert len(notes) == len(rejected)
    if rejected:
        assert "File name too long" in notes[0]
    folders = [logs / name]
    os.chdir(logs)
    for _ in range(count):  # pathlib and shutil recurse
        os.chdir(name)
    Path("deep.jsonl").unlink()
    for _ in range(count):
        os.chdir("..")
        Path(name).rmdir()
    assert not folders[0].exists()


def test_a_pipe_with_a_writer_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text(LINE % 5 * 3))
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)  # so that the writer can start first
    writer.start()
    writer.join()
    spool = tmp_path / "spool"
    spool.mkdir()
    [source] = find([tmp_path / "pipe"], spool=spool).sources
    os.close(reader)
    assert (source.name, source.size_bytes) == (str(tmp_path / "pipe"), len(LINE % 5) * 3)


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/proc/self/mem", "/proc/self/fd", "/sys"])
def test_devices_and_the_systems_own_folders_are_refused(path: str, tmp_path: Path) -> None:
    if not os.path.exists(path):  # noqa: PTH110
        pytest.skip(f"{path} is not there")
    with pytest.raises(UsageError, match=path):
        find([path], spool=tmp_path)


def test_a_file_of_proc_is_read_though_it_has_no_size(tmp_path: Path) -> None:
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("no /proc")
    [source] = find([path], spool=tmp_path).sources
    assert source.name == str(path)
    assert source.size_bytes > 100


@pytest.mark.parametrize("path", [".", "logs"])
def test_a_deleted_working_folder_is_a_clean_error(path: str, logs: Path, tmp_path: Path, monkeypatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="exist"):
        find([path], spool=tmp_path)
    assert read(logs) == (1, {}, [])
    os.chdir(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission_are_rejected_and_the_rest_is_read(logs: Path, tmp_path: Path) -> None:
    (logs / "secret.jsonl").write_text(LINE % 2)
    (logs / "secret.jsonl").chmod(0)
    rows, rejected, [note] = read(logs)
    assert (rows, rejected) == (1, {"unreadable": 1})
    assert "Permission denied" in note
    with pytest.raises(UsageError, match="Permission denied"):
        find([logs / "secret.jsonl"], spool=tmp_path)


def test_a_file_that_cannot_be_opened_is_rejected_and_the_rest_is_read(logs: Path, monkeypatch) -> None:
    from llm_audit.sources.files import storage

    class Refusing(storage._Snapshot):
        def __init__(self, path: str, size_bytes: int) -> None:
            if path.endswith("secret.jsonl"):
                raise PermissionError(13, "Permission denied")
            super().__init__(path, size_bytes)

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            if b"failing" in found:
                raise OSError(5, "Input/output error")
            return found

    (logs / "secret.jsonl").write_text(LINE % 2)
    (logs / "failing.jsonl").write_text(LINE.replace("gpt-4o", "failing") % 2)
    monkeypatch.setattr(storage, "_Snapshot", Refusing)
    rows, rejected, notes = read(logs)
    assert (rows, rejected) == (1, {"unreadable": 2})
    assert [note.partition("jsonl:1: ")[2] for note in notes] == [
        "reading failed: Input/output error",
        f"Cannot read {logs}/secret.jsonl: Permission denied. Check that it exists and may be read.",
    ]


def test_the_hash_of_a_file_is_of_the_bytes_that_it_had_when_it_was_listed(logs: Path, tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000  # more than a block
    (logs / "a.jsonl").write_bytes(content)
    (source,) = find([logs / "a.jsonl"], spool=tmp_path).sources
    for now in (content + b"more", content, content[:100]):
        (logs / "a.jsonl").write_bytes(now)
        assert sha256(source) == hashlib.sha256(now[: len(content)]).hexdigest()
