from datetime import date
from pathlib import Path

import pytest

from llm_audit.cli import run
from llm_audit.cli.commands import doctor
from llm_audit.pricing import PriceBook

LINE = '{"model": "gpt-4o", "timestamp": "2026-09-01T00:00:00Z", "input_tokens": 9, "output_tokens": 1}\n'


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Today(date):
        @classmethod
        def today(cls) -> date:
            return date(2026, 12, 1)

    monkeypatch.setattr(doctor, "date", Today)
    monkeypatch.setattr("llm_audit.cli.version.missing_extensions", list)
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path / "cache"))


def test_says_what_an_installation_and_a_place_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.jsonl").write_text(LINE)
    (logs / "b.jsonl").write_text(LINE)
    assert run(["doctor", str(logs)]) == 0
    shown = capsys.readouterr().out
    assert "Prices: checked 2026-11-23, 8 days ago" in shown
    assert f"Cache: {tmp_path / 'cache'}, 0 files" in shown
    assert f"{logs}: 2 files\n  2 of the format flat\n" in shown
    assert shown.endswith("All well.\n")


def test_what_is_wrong_ends_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.jsonl").write_text('{"colour": "red"}\n')
    monkeypatch.setattr(PriceBook, "checked", property(lambda _: date(2026, 6, 1)))
    monkeypatch.setattr("llm_audit.cli.version.missing_extensions", lambda: ["classify._kernel"])
    assert run(["doctor", str(tmp_path / "notes.jsonl")]) == 3
    problems = [line for line in capsys.readouterr().out.splitlines() if line.startswith("! ")]
    assert len(problems) == 3
    assert "classify._kernel runs without compiled code" in problems[0]
    assert "The price table is old" in problems[1]
    assert "notes.jsonl have no known format" in problems[2]


def test_a_place_that_does_not_exist_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "/nowhere"]) == 2
    assert "/nowhere does not exist" in capsys.readouterr().err
