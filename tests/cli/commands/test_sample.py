"""``llm-audit sample``, and that the commands of findings run as they are printed."""

import json
import shlex
from pathlib import Path

import pytest
from tests.cli.conftest import write_log
from tests.ledger.partitions import partitioned

from llm_audit.api import open_ledger
from llm_audit.catalog import Catalog
from llm_audit.cli import run
from llm_audit.cli.verdicts import match
from llm_audit.config import Config
from llm_audit.ledger import read_ledger, write_ledger


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the path of a log of two apps, one of which is named like a command, in the working folder."""
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / "first.jsonl", requests=60)
    rows = write_log(tmp_path / "second.jsonl", requests=30, seed=2).read_text()
    (tmp_path / "second.jsonl").write_text(rows.replace('"helper"', '"-o; helper"').replace('"search"', '"care"'))
    return str(tmp_path / "*.jsonl")


def test_the_commands_of_findings_run_as_they_are_printed(
    log: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["analyze", log, "--timezone", "Europe/Berlin", "--since", "2026-09-02", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    findings = [finding for finding in document["findings"] if finding["kind"].startswith("route_")]
    kinds = [finding["kind"] for finding in findings]
    assert kinds.count("route_app") == 2
    assert "route_model" in kinds
    for finding in findings:
        sample, export = (shlex.split(command) for command in finding["commands"])
        assert sample[:3] == ["llm-audit", "sample", log]
        assert run(sample[1:]) == 0
        assert run(export[1:]) == 0
        assert "complexity_router" in capsys.readouterr().out
        rows = [json.loads(line) for line in (tmp_path / "worksheet.jsonl").read_text().splitlines()]
        assert rows
        assert {row["used_model"] for row in rows} == {"gpt-4o"}
        files = {Path(row["file"]).name for row in rows}
        if finding["subject"] == "app helper":
            assert files == {"first.jsonl"}
        elif finding["subject"] == "app -o; helper":
            assert files == {"second.jsonl"}
        (tmp_path / "worksheet.jsonl").unlink()


def test_a_worksheet_has_places_and_no_prompt(log: str, tmp_path: Path) -> None:
    assert run(["sample", log, "--app", "helper", "-n", "3", "-o", "rows.jsonl"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == 3
    assert {row["verdict"] for row in rows} == {None}
    assert all({"request", "file", "line", "used_model", "small_model"} <= set(row) for row in rows)
    assert "prompt" not in rows[0]


def test_an_unknown_app_or_template_says_what_there_is(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", log, "--app", "helpr"]) == 2
    assert "No request is of the app 'helpr'. Did you mean" in capsys.readouterr().err
    assert run(["sample", log, "--template", "xyz"]) == 2
    assert "eight hexadecimal digits" in capsys.readouterr().err
    assert run(["sample", log, "--template", "00000000"]) == 2
    assert "No request selected is of the template 00000000" in capsys.readouterr().err


def test_commands_on_a_ledger_in_partitions_say_what_they_say_of_the_whole(
    log: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Verdicts are looked up, and requests sampled, partition by partition."""
    whole = open_ledger([log], config=Config(cache=False))
    write_ledger(whole, tmp_path / "whole")
    write_ledger(partitioned(whole, 3, tmp_path / "parts"), tmp_path / "cut")
    catalog = Catalog.load()
    names = [f"{key:016x}" for key in whole.frame["request_key"].head(5)]
    names += [f"{whole.manifest.inputs[1].path}:7", "nobody", f"{'f' * 16}"]
    verdicts = [{"request": name, "verdict": "tie"} for name in [*names, names[0]]]
    found = []
    for folder in ("whole", "cut"):
        for options in ([], ["--app", "helper", "--from", "gpt-4o", "--to", "gpt-4o-mini"]):
            assert run(["sample", str(tmp_path / folder), "-n", "20", "-f", "json", *options]) == 0
        judged, rejected = match(verdicts, read_ledger(tmp_path / folder), catalog, small="gpt-4o-mini")
        found.append((capsys.readouterr().out, judged, rejected))
    assert found[0] == found[1]
    assert [one.reason for one in rejected] == ["unknown request", "unknown request", "duplicate"]
    assert len(judged) == 6
