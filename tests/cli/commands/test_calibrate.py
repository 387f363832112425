"""Verdicts by request id, and the loop that docs/calibration.md shows."""

import contextlib
import io
import json
import re
import shlex
from pathlib import Path

import polars as pl
import pytest

from llm_audit.classify.learning.calibration import Calibration
from llm_audit.cli import run
from llm_audit.ledger import read_ledger

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/calibration.md"
RUNNER = """
def answer(model, file, line):
    return f"{model} on {file}:{line}"

def judge(file, line, small, used):
    assert small != used
    return "loss" if line % 10 == 0 else "win" if line % 25 == 3 else "tie"
"""


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty requests of gpt-5 in two templates, as logs/calls.jsonl."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = [
        {
            "timestamp": f"2026-09-30T06:04:{number:02}.000Z",
            "request": {
                "method": "POST",
                "uri": "https://api.openai.com/v1/chat/completions",
                "body": {
                    "model": "gpt-5",
                    "messages": [
                        {"role": "system", "content": f"You answer for the {('north', 'south')[number % 2]} desk."},
                        {"role": "user", "content": f"How do I change the delivery address of order number {number}?"},
                    ],
                },
            },
            "response": {
                "status": 200,
                "body": {
                    "id": f"chatcmpl-{number}",
                    "object": "chat.completion",
                    "created": 1_790_748_252 + number,
                    "model": "gpt-5-2025-08-07",
                    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Like this."}}],
                    "usage": {"prompt_tokens": 4_000, "completion_tokens": 300, "total_tokens": 4_300},
                },
            },
        }
        for number in range(60)
    ]
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "calls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def verdict_file(path: Path, rows: list[dict[str, object]]) -> Path:
    frame = pl.DataFrame(rows)
    {".csv": frame.write_csv, ".jsonl": frame.write_ndjson, ".parquet": frame.write_parquet}[path.suffix](path)
    return path


def share(capsys: pytest.CaptureFixture[str], *extra: str) -> dict[str, float]:
    capsys.readouterr()
    assert run(["analyze", "logs", "-f", "json", *extra]) == 0
    document = json.loads(capsys.readouterr().out)
    expected = document["flagship_tax"]["expected"]
    model = next(part for part in expected["parts"] if part["source"] == "model")
    quality = document["flagship_tax"]["quality"]
    return {
        "width": float(model["high"]) - float(model["low"]),
        "lost": quality["lost_per_1000"],
        "spread": quality["lost_per_1000_high"] - quality["lost_per_1000_low"],
        "fingerprint": document["fingerprints"]["classifier"],
    }


def test_verdicts_narrow_the_figure(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"request": f"chatcmpl-{number}", "verdict": "Tie" if number else "loss"} for number in range(60)]
    before = share(capsys)
    for suffix in ("csv", "jsonl", "parquet"):
        path = verdict_file(logs.parent / f"verdicts.{suffix}", rows)
        assert run(["calibrate", str(path), "--logs", "logs", "--to", "gpt-5-nano"]) == 0
        said = capsys.readouterr().err
        assert "gpt-5 to gpt-5-nano: 1 of 60 answers lost" in said
        assert "Rejected" not in said
        after = share(capsys, "--calibration", "calibration.json")
        assert after["spread"] < before["spread"]
        assert after["width"] < before["width"]
        assert after["fingerprint"] != before["fingerprint"]
        assert share(capsys, "--calibration", "calibration.json") == after
        assert "delivery" not in Path("calibration.json").read_text()


def test_rejected_verdicts_are_counted_with_reasons(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = {"used_model": "gpt-5", "small_model": "gpt-5-nano", "verdict": "tie"}
    rows = [{**good, "request": f"chatcmpl-{number}"} for number in range(30)]
    rows[1] |= {"request": f"{Path('logs/calls.jsonl')}:2"}
    rows += [
        {**good, "request": "chatcmpl-0"},
        {**good, "request": "chatcmpl-900"},
        {**good, "request": ""},
        {**good, "request": "chatcmpl-40", "verdict": "better"},
        {**good, "request": "chatcmpl-41", "used_model": "gpt-4o"},
        {**good, "request": "chatcmpl-42", "small_model": "gpt-5"},
        {**good, "request": "chatcmpl-43", "small_model": "no-such-model"},
    ]
    path = verdict_file(logs.parent / "verdicts.jsonl", rows)
    assert run(["calibrate", str(path), "--logs", "logs"]) == 0
    said = capsys.readouterr().err
    assert (
        "Rejected 7: 1 duplicate (row 31), 2 model mismatch (row 35), 1 unknown model (row 37), "
        "2 unknown request (row 32), 1 unknown verdict (row 34)."
    ) in said
    assert "30 verdicts" in said


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ({"request": "chatcmpl-1", "verdict": "tie"}, ["--to", "gpt-5-nano"], "--logs"),
        ({"request": "chatcmpl-1", "verdict": "tie"}, ["--logs", "logs"], "--to MODEL"),
        ({"request": "chatcmpl-1", "verdict": "tie"}, ["--logs", "logs", "--to", "gpt-5-nano"], "1 verdicts"),
        ({"id": "chatcmpl-1", "verdict": "tie"}, ["--logs", "logs"], "no column request"),
        ({"prompt": "x", "model": "gpt-5", "score": 1.0}, ["--logs", "logs"], "no column verdict"),
    ],
)
def test_verdicts_that_cannot_be_used_say_what_to_do(
    logs: Path, capsys: pytest.CaptureFixture[str], columns: dict[str, object], options: list[str], words: str
) -> None:
    path = verdict_file(logs.parent / "verdicts.csv", [columns])
    assert run(["calibrate", str(path), *options]) == 2
    assert words in capsys.readouterr().err


def test_a_ledger_judged_otherwise_is_refused(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"request": f"chatcmpl-{number}", "verdict": "tie"} for number in range(60)]
    path = verdict_file(logs.parent / "verdicts.csv", rows)
    assert run(["analyze", "logs", "--save-ledger", "plain", "-q"]) == 0
    assert run(["calibrate", str(path), "--logs", "plain", "--to", "gpt-5-nano"]) == 0
    assert run(["analyze", "plain", "--calibration", "calibration.json", "-q"]) == 2
    assert "not judged with the calibration" in capsys.readouterr().err
    assert run(["analyze", "logs", "--calibration", "calibration.json", "--save-ledger", "ours", "-q"]) == 0
    assert run(["analyze", "ours", "--calibration", "calibration.json", "-q"]) == 0
    assert run(["calibrate", str(path), "--logs", "ours", "--to", "gpt-5-nano"]) == 2
    assert "Give the logs themselves" in capsys.readouterr().err


def test_difficulties_of_the_ledger_move_by_category_and_template(logs: Path) -> None:
    rows = [{"request": f"chatcmpl-{number}", "verdict": "loss" if number % 2 else "tie"} for number in range(60)]
    path = verdict_file(logs.parent / "verdicts.csv", rows)
    assert run(["calibrate", str(path), "--logs", "logs", "--to", "gpt-5-nano"]) == 0
    ledgers = []
    for folder, extra in (("plain", []), ("ours", ["--calibration", "calibration.json"])):
        assert run(["analyze", "logs", "--save-ledger", folder, "-q", *extra]) == 0
        ledgers.append(read_ledger(Path(folder)).scan().collect())
    before, after = ledgers
    posterior = Calibration.load(Path("calibration.json")).posterior
    assert posterior is not None
    added = posterior.harder(before["category"].cast(pl.String).to_list(), before["template_hash"].to_list())
    assert (after["difficulty"] - before["difficulty"]).to_list() == pytest.approx(added, abs=1e-4)
    assert len({round(value, 4) for value in added}) > 1


def test_the_loop_of_the_page_fits_together(
    logs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block of docs/calibration.md reads what the one before it wrote."""
    monkeypatch.syspath_prepend(str(logs.parent))
    Path("runner.py").write_text(RUNNER)
    blocks = re.findall(r"```(sh|python)\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [kind for kind, _ in blocks] == ["sh", "python", "sh", "sh"]
    for kind, block in blocks:
        if kind == "python":
            exec(compile(block, str(PAGE), "exec"), {})
            continue
        command, _, target = block.strip().partition(" > ")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            assert run(shlex.split(command)[1:]) == 0
        if target:
            Path(target).write_text(printed.getvalue())
    rows = [json.loads(line) for line in Path("verdicts.jsonl").read_text().splitlines()]
    assert {row["verdict"] for row in rows} == {"win", "tie", "loss"}
    said = capsys.readouterr().err
    assert f"{len(rows)} verdicts" in said
    assert "Rejected" not in said
    assert json.loads(Path("calibration.json").read_text())["format"] == 3
