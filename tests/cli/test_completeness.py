"""A file of which an unknown number of records is missing makes an audit incomplete."""

import gzip
from pathlib import Path

import pytest
from tests.cli.conftest import write_log

from llm_audit.cli import run


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A compressed log without its end."""
    packed = gzip.compress(write_log(tmp_path / "log.jsonl").read_bytes())
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(packed[: len(packed) * 3 // 4])
    return path


def test_a_log_that_is_cut_off_ends_with_3_and_its_name(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(cut), "-f", "json"]) == 3
    said = capsys.readouterr().err
    assert f"The audit is incomplete: 1 file is cut off ({cut}:" in said
    assert "how many records are missing is not known" in said


def test_a_limit_of_all_records_allows_it(
    cut: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_AUDIT_MAX_REJECTED_SHARE", "1")
    assert run(["analyze", str(cut), "-f", "json"]) == 0
    assert run(["analyze", str(cut), "-f", "json", "--strict"]) == 3
    assert "--strict allows none" in capsys.readouterr().err


def test_a_rule_passes_but_the_check_is_incomplete(cut: Path) -> None:
    assert run(["check", str(cut), "--fail-on", "total_cost:100USD"]) == 3
    assert run(["check", str(cut), "--fail-on", "total_cost:0.0001USD"]) == 1


def test_a_last_line_that_is_not_whole_is_one_record(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl")
    log.write_bytes(log.read_bytes()[:-40])
    assert run(["analyze", str(log), "-f", "json"]) == 0
