import os
from pathlib import Path

import pytest

from llm_audit.errors import UsageError
from llm_audit.files import SHARED, lock, write_atomically


def test_replaces_a_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "report.json"
    write_atomically(target, b"one")
    write_atomically(target, b"two")
    assert target.read_bytes() == b"two"
    assert os.listdir(target.parent) == ["report.json"]


def test_a_folder_in_the_way_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    with pytest.raises(UsageError, match="Cannot write"):
        write_atomically(tmp_path / "report", b"x")
    assert os.listdir(tmp_path) == ["report"]
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="Cannot write"):
        write_atomically(tmp_path / "file" / "report", b"x")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_a_new_file_is_for_its_owner_and_an_old_one_keeps_its_mode(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "private", b"x")
        write_atomically(tmp_path / "shared", b"x", mode=SHARED)
    finally:
        os.umask(before)
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o666 & ~umask
    (tmp_path / "private").chmod(0o640)
    write_atomically(tmp_path / "private", b"y")
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o640


def test_what_a_killed_run_left_goes_and_what_others_write_stays(tmp_path: Path) -> None:
    dead, alive, other = (tmp_path / name for name in (
        ".a[1].json.x1.llm-audit-partial", ".a[1].json.x2.llm-audit-partial", ".a[1].json.bak",
    ))  # fmt: skip
    for path in (dead, alive, other):
        path.write_bytes(b"half")
    with alive.open("rb") as file:
        assert lock(file.fileno())
        write_atomically(tmp_path / "a[1].json", b"whole")
    assert sorted(os.listdir(tmp_path)) == sorted(["a[1].json", alive.name, other.name])


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(tmp_path / "pipe", b"through")
    assert os.read(reader, 10) == b"through"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
