import json
import re
from pathlib import Path

import polars as pl
import pytest

from llm_audit.cli import run

EASY = ["What is the capital of Peru?", "Say hello", "Name a colour", "What day follows Monday?", "Spell cat"]
HARD = ["Prove the Riemann hypothesis for function fields over finite fields", "Derive the Navier-Stokes equations"]


def labels(path: Path) -> Path:
    """The weak model loses half of the hard prompts and one in ten of the easy ones."""
    rows = [
        {"prompt": f"{EASY[n % 5]} ({n})", "strong_score": 1.0, "weak_score": float(n % 10 != 0)} for n in range(100)
    ]
    rows += [{"prompt": f"{HARD[n % 2]} ({n})", "strong_score": 1.0, "weak_score": float(n % 2)} for n in range(40)]
    frame = pl.DataFrame(rows)
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_ndjson(path)
    return path


def test_evaluate_by_routellms_definitions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(labels(tmp_path / "labels.parquet")), "-f", "json", "--resamples", "20"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["prompts"] == 140
    assert found["weak_mean"] == pytest.approx(110 / 140)
    assert found["apgr"]["low"] <= found["apgr"]["value"] <= found["apgr"]["high"]
    assert found["apgr"]["value"] > found["baselines"]["random"]["apgr"] == pytest.approx(0.5)
    assert 0 <= found["cpt50"] <= found["cpt80"] <= 1
    assert {"random", "length", "oracle"} == set(found["baselines"])
    assert run(["evaluate", str(tmp_path / "labels.parquet"), "--resamples", "20"]) == 0
    assert "oracle" in capsys.readouterr().out


def test_calibrate_and_use_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = labels(tmp_path / "labels.jsonl")
    calibration = tmp_path / "calibration.json"
    assert run(["calibrate", str(path), "-o", str(calibration)]) == 0
    said = capsys.readouterr().err
    assert "280 outcomes" in said
    before, after = (float(number) for number in re.findall(r"0\.\d+(?= before| after)", said))
    assert after < before
    results = []
    for extra in ([], ["--calibration", str(calibration)]):
        assert run(["evaluate", str(path), "-f", "json", "--resamples", "10", *extra]) == 0
        results.append(json.loads(capsys.readouterr().out))
    assert results[0]["classifier"] != results[1]["classifier"]
    assert results[1]["brier"] < results[0]["brier"]
    predicted = [sum(row["predicted"] * row["prompts"] for row in found["reliability"]) / 140 for found in results]
    assert abs(predicted[1] - 110 / 140) < 0.03 < abs(predicted[0] - 110 / 140)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.jsonl", None, "Cannot read"),
        ("labels.txt", "x", "not a label file"),
        ("labels.jsonl", '{"prompt": "x"}\n', "strong_score"),
        ("labels.jsonl", "{broken", "cannot be read"),
        ("labels.jsonl", '{"prompt": "x", "strong_score": 5, "weak_score": 0}\n', "from 0 to 1"),
    ],
)
def test_bad_labels_say_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    assert run(["evaluate", str(tmp_path / name)]) == 2
    assert words in capsys.readouterr().err
