"""``llm-audit analyze --update`` and ``llm-audit ledger``."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import write_log

from llm_audit.cli import run


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one old log, from which the commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    old_log("a", requests=30, seed=1)


def old_log(name: str, **options: Any) -> None:
    os.utime(write_log(Path("logs", f"{name}.jsonl"), **options), (1_700_000_000, 1_700_000_000))


def document(*arguments: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["analyze", *arguments, "-f", "json", "--jobs", "1"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def stat(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["ledger", "stat", "led", "-f", "json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    return dict(found)


def test_the_audit_of_an_updated_ledger_is_that_of_the_logs(capsys: pytest.CaptureFixture[str]) -> None:
    for name in "abc":
        old_log(name, requests=30, seed=ord(name))
        kept = document("logs", "--ledger", "led", "--update", capsys=capsys)
        fresh = document("logs", "--no-cache", capsys=capsys)
        assert kept.pop("command") == "llm-audit analyze led"
        assert fresh.pop("command") == "llm-audit analyze logs"
        # Findings say how to sample what was audited, which is the ledger here and the logs there.
        assert json.dumps(kept).replace("llm-audit sample led ", "llm-audit sample logs ") == json.dumps(fresh)
    assert kept["requests"]["audited"] == 90


def test_a_ledger_is_described_joined_and_verified(capsys: pytest.CaptureFixture[str]) -> None:
    document("logs", "--ledger", "led", "--update", capsys=capsys)
    old_log("b", requests=12, seed=2)
    assert (stat(capsys)["inputs to read"], stat(capsys)["bytes to read"]) == (1, Path("logs/b.jsonl").stat().st_size)
    document("logs", "--ledger", "led", "--update", capsys=capsys)
    found = stat(capsys)
    assert (found["requests"], found["inputs"], found["parts"], found["inputs to read"]) == (42, 2, 2, 0)
    assert (found["first request"], found["last request"]) == ("2026-09-01T10:00:00+00:00", "2026-09-28T10:00:27+00:00")
    assert found["bytes of requests"] == Path("led/requests.parquet").stat().st_size
    assert run(["ledger", "compact", "led"]) == 0
    assert "Joined 2 parts of led into 1" in capsys.readouterr().out
    assert stat(capsys)["parts"] == 1
    assert run(["ledger", "stat", "led"]) == 0
    assert "requests                42" in capsys.readouterr().out
    assert run(["ledger", "verify", "led"]) == 0
    assert "led is whole" in capsys.readouterr().out


def test_damage_ends_with_3_and_the_remedy_helps(capsys: pytest.CaptureFixture[str]) -> None:
    document("logs", "--ledger", "led", "--update", capsys=capsys)
    [part] = Path("led/parts").glob("*.json")
    part.write_bytes(b"")
    Path("led/requests.parquet").write_bytes(b"")
    assert run(["ledger", "verify", "led"]) == 3
    out, error = capsys.readouterr()
    assert out.split() == ["requests.parquet", f"parts/{part.name}"]
    assert "2 files" in error
    assert "llm-audit analyze PATH… --ledger led --update" in error
    document("logs", "--ledger", "led", "--update", capsys=capsys)
    assert run(["ledger", "verify", "led"]) == 0


def test_a_log_that_is_gone_is_a_note_until_it_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    old_log("b", requests=12, seed=2)
    Path("llm-audit.toml").write_text('ledger = "led"\n')
    assert document("logs", "--update", capsys=capsys)["requests"]["audited"] == 42
    Path("logs/b.jsonl").unlink()
    kept = document("logs", "--update", capsys=capsys)
    assert kept["requests"]["audited"] == 42
    assert "1 input is no longer among the logs, and stays here: logs/b.jsonl" in json.dumps(kept)
    assert document("logs", "--update", "--drop-missing", capsys=capsys)["requests"]["audited"] == 30


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--update"], "--update needs the folder of the ledger"),
        (["--ledger", "led"], "--ledger, --drop-missing and --overlap-hours go with --update"),
        (["--drop-missing"], "--ledger, --drop-missing and --overlap-hours go with --update"),
        (["--overlap-hours", "9"], "--ledger, --drop-missing and --overlap-hours go with --update"),
        (["--update", "--ledger", "led", "--workspace", "w"], "--update does not go with --workspace"),
    ],
)
def test_options_that_do_not_go_together_end_with_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["analyze", "logs", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("command", ["stat", "compact", "verify"])
def test_a_folder_without_a_kept_ledger_ends_with_2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", command, "logs"]) == 2
    assert "holds no ledger that is kept up to date" in " ".join(capsys.readouterr().err.split())
    assert os.listdir("logs") == ["a.jsonl"]
