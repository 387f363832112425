import io
import os
from pathlib import Path

import pytest

from llm_audit.errors import UsageError
from llm_audit.sources.files.find import find


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    for name in ("b.jsonl", "a.jsonl", "day/c.json", "day/.hidden.json", "day/x.tmp", "README.md", "_SUCCESS"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "d.json").write_text("{}\n")
    return folder


def names(found, folder: Path) -> list[str]:
    return [os.path.relpath(source.name, folder) for source in found.sources]


def test_a_folder_is_walked_in_order_and_what_is_passed_over_is_noted(logs: Path, tmp_path: Path) -> None:
    found = find([logs], spool=tmp_path)
    assert names(found, logs) == ["a.jsonl", "b.jsonl", "day/c.json"]
    assert [os.path.relpath(note.split(" was not read: ")[0], logs) for note in found.notes] == [
        ".git",
        "README.md",
        "_SUCCESS",
        "day/.hidden.json",
        "day/x.tmp",
    ]


def test_a_file_given_twice_by_any_name_is_read_once(logs: Path, tmp_path: Path) -> None:
    (logs / "z.jsonl").symlink_to(logs / "a.jsonl")
    found = find([logs / "a.jsonl", logs, f"{logs}/*.jsonl", logs / "day" / ".." / "b.jsonl"], spool=tmp_path)
    assert names(found, logs) == ["a.jsonl", "b.jsonl", "day/c.json"]


def test_a_link_to_the_folder_above_ends_the_walk(logs: Path, tmp_path: Path) -> None:
    (logs / "day" / "up").symlink_to(logs, target_is_directory=True)
    assert names(find([logs], spool=tmp_path), logs) == ["a.jsonl", "b.jsonl", "day/c.json"]


def test_a_glob_reaches_into_folders(logs: Path, tmp_path: Path) -> None:
    assert names(find([f"{logs}/**/*.json"], spool=tmp_path), logs) == ["day/c.json"]


def test_a_hidden_file_that_is_named_is_read(logs: Path, tmp_path: Path) -> None:
    assert names(find([logs / "day" / ".hidden.json"], spool=tmp_path), logs) == ["day/.hidden.json"]


@pytest.mark.parametrize("path", ["nowhere.jsonl", "nowhere-*.jsonl"])
def test_a_path_that_is_not_there_is_named(path: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        find([str(tmp_path / path)], spool=tmp_path)


def test_standard_input_is_kept_for_reading_again(tmp_path: Path) -> None:
    found = find(["-"], spool=tmp_path, stdin=io.BytesIO(b'{"a": 1}\n'))
    assert [(source.name, source.size_bytes) for source in found.sources] == [("-", 9)]
    assert Path(found.sources[0].path).read_bytes() == b'{"a": 1}\n'
