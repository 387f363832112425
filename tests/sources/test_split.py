import json
from pathlib import Path

from llm_audit.sources import split
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.split import Shard, bundles

FLAT = {"timestamp": "2026-09-01T00:00:00Z", "model": "gpt-4o", "input_tokens": 3, "output_tokens": 5, "prompt": "Hi"}


def test_small_files_go_together_and_large_ones_are_cut(source_of, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", 1000)
    line = json.dumps(FLAT).encode() + b"\n"
    small = [source_of(tmp_path / f"{name}.jsonl", line * 3) for name in "abc"]
    large = source_of(tmp_path / "d.jsonl", line * 20)
    size = len(line) * 20
    assert list(bundles([*small, large], all_formats())) == [
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
    assert list(bundles([source], all_formats())) == [(Shard(source),)]
