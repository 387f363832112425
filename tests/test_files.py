import os
from pathlib import Path

import pytest

from llm_audit.errors import UsageError
from llm_audit.files import write_atomically


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
