import json
from pathlib import Path

from llm_audit.sources.detect import detect, explain
from llm_audit.sources.files import split
from llm_audit.sources.files.split import Shard, bundles
from llm_audit.sources.formats.registry import FORMATS
from llm_audit.sources.unwrap import unwrap

FLAT = {"timestamp": "2026-09-01T00:00:00Z", "model": "gpt-4o", "input_tokens": 3, "output_tokens": 5, "prompt": "Hi"}


def test_the_most_frequent_format_is_that_of_the_file() -> None:
    found = detect([FLAT, {"what": 1}, FLAT])
    assert found.format is not None
    assert (found.format.info.name, found.matched, found.unknown, found.looked_at) == ("flat", {"flat": 2}, 1, 3)


def test_a_file_of_nothing_known_has_no_format() -> None:
    assert detect([{"what": 1}]).format is None


def test_each_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(FLAT) + "\nbroken\n")
    (tmp_path / "b.bin").write_bytes(b"\0\1\2")
    (tmp_path / "c.json").write_text("")
    found = {Path(item.path).name: item for item in explain([tmp_path])}
    assert found["a.jsonl"].container == "JSON lines"
    assert found["a.jsonl"].reason == "1 of the first 2 records are flat; 1 cannot be read as records"
    assert found["b.bin"].reason == "the file is binary and of no known container"
    assert found["c.json"].reason == "the file is empty"


def test_wrapped_records_are_taken_out() -> None:
    inner = json.dumps(FLAT)
    cloudwatch = {"logGroup": "g", "logEvents": [{"message": inner, "timestamp": 1}, {"message": inner}]}
    assert list(unwrap(cloudwatch)) == [FLAT, FLAT]
    assert list(unwrap({"records": [FLAT, FLAT]})) == [FLAT, FLAT]
    assert list(unwrap({"data": [FLAT]})) == [FLAT]
    assert list(unwrap({"log": inner + "\n", "stream": "stdout"})) == [FLAT]


def test_a_body_with_a_field_called_like_a_wrapper_is_left_as_it_is() -> None:
    for record in (
        {"object": "list", "data": [{"embedding": [1]}], "model": "m"},
        {"message": "INFO started", "timestamp": 1},
        {"message": {"role": "user"}, "type": "user"},
        {"records": []},
        {"records": [1, 2]},
    ):
        assert list(unwrap(record)) == [record]


def test_small_files_go_together_and_large_ones_are_cut(source_of, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", 1000)
    line = json.dumps(FLAT).encode() + b"\n"
    small = [source_of(tmp_path / f"{name}.jsonl", line * 3) for name in "abc"]
    large = source_of(tmp_path / "d.jsonl", line * 20)
    size = len(line) * 20
    assert list(bundles([*small, large], FORMATS)) == [
        (Shard(small[0]), Shard(small[1])),
        (Shard(small[2]),),
        (Shard(large, 0, 1000),),
        (Shard(large, 1000, 2000),),
        (Shard(large, 2000, size),),
    ]


def test_a_transcript_is_never_cut(source_of, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", 1000)
    row = {
        "type": "user",
        "uuid": "u",
        "sessionId": "s",
        "timestamp": "2026-09-01T00:00:00Z",
        "message": {"role": "user", "content": "x" * 300},
    }
    source = source_of(tmp_path / "t.jsonl", (json.dumps(row).encode() + b"\n") * 20)
    assert list(bundles([source], FORMATS)) == [(Shard(source),)]
