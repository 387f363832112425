import datetime as dt
import json
from pathlib import Path

import pytest

from llm_audit.cli import run


def test_a_relative_period_is_printed_as_the_dates_it_came_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dt.datetime.now(dt.UTC)
    row = {
        "timestamp": (before - dt.timedelta(hours=1)).isoformat(),
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Name three fruits"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    }
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps(row) + "\n")
    assert run(["analyze", str(log), "--since", "7d", "-f", "json"]) == 0
    after = dt.datetime.now(dt.UTC)
    command = json.loads(capsys.readouterr().out)["command"]
    since = {f"{(now - dt.timedelta(days=7)).date()}" for now in (before, after)}
    assert command in {f"llm-audit analyze {log} --since {day}" for day in since}
    assert run(["analyze", str(log), "--since", "lastweek"]) == 2
    assert "write 2026-09-01 or 2026-09-01T12:00, or 7d, 24h, 2w, today" in capsys.readouterr().err
