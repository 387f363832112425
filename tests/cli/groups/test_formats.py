import json
from pathlib import Path

import pytest

from llm_audit.cli import run
from llm_audit.sources.formats.registry import all_formats

SAMPLES = Path(__file__).resolve().parents[3] / "sample_logs"


def test_every_format_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["formats", "-f", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [form.info.name for form in all_formats()]
    assert all(row["title"] and row["checked against"] for row in rows)
    assert run(["formats"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(all_formats()) + 1


def test_detect_says_what_each_file_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["formats", "detect", str(SAMPLES), "-f", "json"]) == 0
    found = {Path(row["path"]).parts[-2]: row for row in json.loads(capsys.readouterr().out)}
    assert found["tutoring"]["container"] == "Parquet"
    assert found["ticket-classifier"]["format"] in {"litellm", "openai-batch"}
    (tmp_path / "other.jsonl").write_text('{"what": "ever"}\n')
    assert run(["formats", "detect", str(tmp_path)]) == 3
    assert "the first record is of no known format" in capsys.readouterr().out


def test_a_folder_without_a_file_is_nothing_to_detect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".hidden.jsonl").write_text("{}\n")
    assert run(["formats", "detect", str(tmp_path)]) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"error: No file to detect was found in {tmp_path}. Give files or folders with logs.\n"


@pytest.mark.parametrize("content", [b"", b"\0\1\2", b"words\n"], ids=["empty", "binary", "text"])
def test_no_mapping_is_drafted_of_a_file_without_records(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.dat"
    log.write_bytes(content)
    assert run(["formats", "suggest", str(log)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{log} holds no record to draft a mapping from" in printed.err


def test_a_suggested_mapping_reads_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = {"when": "2026-09-01T00:00:00Z", "llm": {"engine": "gpt-4o", "in": 10, "out": 5}, "question": "Why?"}
    log = tmp_path / "odd.jsonl"
    log.write_text("".join(json.dumps(record) + "\n" for _ in range(5)))
    assert run(["formats", "suggest", str(log)]) == 0
    draft = capsys.readouterr().out
    assert draft.startswith("[mapping]") or "\n[mapping]" in draft
    assert "llm.engine" in draft
    assert run(["formats", "suggest", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl" in capsys.readouterr().err
