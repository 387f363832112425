import json
import os
from pathlib import Path

import pytest

from llm_audit.cli import run


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in "abc":
        record = {"model": "gpt-4o", "timestamp": "2026-09-01T00:00:00Z", "input_tokens": 9, "output_tokens": 1}
        (folder / f"{name}.jsonl").write_text(json.dumps(record | {"id": name}) + "\n")
    return folder


def test_shares_become_a_ledger_that_analyze_reads(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["ingest", str(logs), "--workspace", "w", "--shard", "1/2"]) == 0
    assert "w holds 1 part of share 1/2, of 3 records" in capsys.readouterr().err
    assert run(["ingest", str(logs), "--workspace", "w", "--shard", "2/2"]) == 0
    assert "w holds 0 parts of share 2/2, of 0 records" in capsys.readouterr().err
    assert run(["merge", "w"]) == 0
    assert "Wrote ledger, 3 requests; audit it: llm-audit analyze ledger" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["ledger", "logs"]
    assert run(["analyze", "ledger", "-f", "json", "--no-cache"]) == 0
    assert json.loads(capsys.readouterr().out)["requests"]["audited"] == 3


def test_an_analysis_by_way_of_a_workspace_leaves_nothing_and_shows_the_same_command(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = []
    for more in ([], ["--workspace", str(tmp_path / "w"), "--jobs", "1"]):
        assert run(["analyze", str(logs), "-f", "json", "--no-cache", *more]) == 0
        documents.append(capsys.readouterr().out)
    assert documents[0] == documents[1]
    assert os.listdir(tmp_path) == ["logs"]


def test_a_share_that_is_missing_ends_with_3(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ingest", str(logs), "--workspace", str(tmp_path / "w"), "--shard", "2/2"]) == 0
    assert run(["merge", str(tmp_path / "w"), "--save-ledger", str(tmp_path / "ledger")]) == 3
    assert "1 of 1 parts are missing" in capsys.readouterr().err
    assert not (tmp_path / "ledger").exists()


def test_an_engine_that_does_not_exist_ends_with_2(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(logs), "--engine", "spark", "--no-cache"]) == 2
    assert "no engine 'spark'" in capsys.readouterr().err
