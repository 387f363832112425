import json
import tomllib
from pathlib import Path

import pytest

from llm_audit.cli import run

RECORD = {"meta": {"when": "2026-01-05T12:00:00Z", "mdl": "gpt-4o"}, "tok": {"p": 100, "c": 9}, "squad": "core"}


def write(path: Path, *records: object) -> str:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


def test_a_mapping_that_reads_the_log_is_printed_to_paste(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.jsonl", RECORD, RECORD)
    assert run(["analyze", log, "--no-cache"]) == 3
    printed = capsys.readouterr().err
    assert "2 of 2 records were rejected (unknown_format)" in printed
    table = printed[printed.index("[mapping]") : printed.index("error:")]
    assert tomllib.loads(table)["mapping"] == {
        "timestamp": "meta.when",
        "model": "meta.mdl",
        "team": "squad",
        "input_tokens": "tok.p",
        "output_tokens": "tok.c",
    }
    settings = tmp_path / "llm-audit.toml"
    settings.write_text(table)
    assert run(["analyze", log, "--no-cache", "--config", str(settings), "-q"]) == 0


def test_no_mapping_is_printed_where_none_would_read_the_log_or_most_was_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["analyze", write(tmp_path / "a.jsonl", {"zz": 1}), "--no-cache"])
    flat = {"time": "2026-01-05T12:00:00Z", "model": "gpt-4o", "input_tokens": 100, "output_tokens": 9}
    run(["analyze", write(tmp_path / "b.jsonl", flat, flat, RECORD), "--no-cache", "-q"])
    assert "[mapping]" not in capsys.readouterr().err
