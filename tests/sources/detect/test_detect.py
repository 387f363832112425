import json
from pathlib import Path

from llm_audit.sources.detect import detect, explain

FLAT = {"timestamp": "2026-09-01T00:00:00Z", "model": "gpt-4o", "input_tokens": 3, "output_tokens": 5, "prompt": "Hi"}


def test_the_most_frequent_format_is_that_of_the_file() -> None:
    found = detect([FLAT, {"what": 1}, FLAT])
    assert found.format is not None
    assert (found.format.info.name, found.matched, found.unknown, found.examined) == ("flat", {"flat": 2}, 1, 3)


def test_a_file_of_nothing_known_has_no_format() -> None:
    assert detect([{"what": 1}]).format is None


def test_each_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(FLAT) + "\nbroken\n")
    (tmp_path / "b.bin").write_bytes(b"\0\1\2")
    (tmp_path / "c.json").write_text("")
    (tmp_path / "d.jsonl").write_text('{"what": 1}\n')
    (tmp_path / "e.jsonl").write_text('{"what": 1}\n' * 3)
    found = {Path(item.path).name: item for item in explain([tmp_path])}
    assert found["a.jsonl"].container == "JSON lines"
    assert found["a.jsonl"].reason == "of the first 2 records, 1 is of the format flat, 1 is unreadable"
    assert found["b.bin"].reason == "the file is binary and its container is not known"
    assert found["d.jsonl"].reason == "the first record is of no known format"
    assert found["e.jsonl"].reason == "of the first 3 records, 3 are of no known format"
    assert found["c.json"].reason == "the file is empty"
