"""Cells that may be read in two ways: what the user is told, and the option that settles dates."""

import json
from pathlib import Path

import pytest

from llm_audit.cli import run

HEADER = "Date,model,prompt_tokens,completion_tokens,Prompt\n"


def write(path: Path, *rows: str) -> str:
    path.write_text(HEADER + "".join(f"{row},say nothing\n" for row in rows))
    return str(path)


def test_an_open_date_is_shown_with_its_column_and_the_option_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path / "log.csv", "01/09/2026 00:00,gpt-4o,100,10", "02/09/2026 00:00,gpt-4o,100,10")
    assert run(["analyze", log, "--no-cache"]) == 3
    message = " ".join(capsys.readouterr().err.split())
    assert f"{log}:2: `01/09/2026 00:00` in `Date`: days first? `--date-order dmy`" in message
    assert "say nothing" not in message
    for order, days in (("dmy", ("2026-09-01", "2026-09-02")), ("mdy", ("2026-01-09", "2026-02-09"))):
        assert run(["analyze", log, "--no-cache", "-q", "-f", "json", "--date-order", order]) == 0
        period = json.loads(capsys.readouterr().out)["period"]
        assert (period["start"][:10], period["end"][:10]) == days


def test_an_open_number_is_shown_with_its_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.csv", "2026-09-01,gpt-4o,12.000,10", "2026-09-01,gpt-4o,100,10")
    run(["analyze", log, "--no-cache", "-q", "-f", "json"])
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert [note for note in notes if f"{log}:2: `12.000` in `prompt_tokens`" in note]


def test_another_order_is_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.csv", "2026-09-01,gpt-4o,12,10")
    assert run(["analyze", log, "--no-cache", "--date-order", "dym"]) == 2
    assert "date_order" in capsys.readouterr().err
