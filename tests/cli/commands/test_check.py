import json
from pathlib import Path

import pytest
from tests.cli.conftest import write_log

from llm_audit.cli import run
from llm_audit.document.audit import SCHEMA_VERSION


def test_first_run_baseline_worse_log_failed_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = write_log(tmp_path / "before.jsonl", model="gpt-4o-mini")
    after = write_log(tmp_path / "after.jsonl", model="gpt-4o", seed=2)
    baseline = tmp_path / "baseline.json"
    rule = ["--fail-on", "cost_per_request:+10%", "--fail-on", "model_share[frontier]:+5pp"]
    assert run(["check", str(before), "--fail-on", "total_cost:5USD", "--save-baseline", str(baseline), "-q"]) == 0
    assert run(["check", str(before), "--baseline", str(baseline), *rule, "-q"]) == 0
    capsys.readouterr()
    # A rule with an absolute floor of a cent: the whole bill is some thirty cents.
    (tmp_path / "llm-audit.toml").write_text("min_change_usd = 0.01\n")
    config = ["--config", str(tmp_path / "llm-audit.toml")]
    assert run(["check", str(after), "--baseline", str(baseline), *rule, *config]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "2 of 2 gates failed" in said
    assert "model gpt-4o +$0.21" in said
    assert "app helper" in said
    assert run(["check", str(after), "--baseline", str(baseline), *rule, *config, "--exit-zero", "-q"]) == 0


def test_the_floor_keeps_small_bills_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = write_log(tmp_path / "before.jsonl", model="gpt-4o-mini")
    after = write_log(tmp_path / "after.jsonl", model="gpt-4o", seed=2)
    baseline = str(tmp_path / "baseline.json")
    assert run(["analyze", str(before), "-q", "-o", baseline]) == 0
    assert run(["check", str(after), "--baseline", baseline, "--fail-on", "cost_per_request:+10%"]) == 0
    assert "less than $1.00 of the bill" in " ".join(capsys.readouterr().out.split())


def test_levels_budgets_and_the_largest_tax(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    assert run(["check", log, "--max-flagship-tax", "1%"]) == 1
    assert "1 of 1 gates failed" in capsys.readouterr().out
    assert run(["check", log, "--max-flagship-tax", "100USD", "-q"]) == 0
    (tmp_path / "llm-audit.toml").write_text('[budgets]\n"team=search" = "0.01USD"\n')
    assert run(["check", log, "--config", str(tmp_path / "llm-audit.toml"), "-q"]) == 1


@pytest.mark.parametrize(
    ("days", "period", "code"),
    [
        ((1, 30), [], 0),  # all of September, though most days have no request
        ((10, 11), [], 1),  # two days of it
        ((10, 11), ["--since", "2026-09-01", "--until", "2026-10-01"], 0),
        ((10, 11), ["--since", "2026-09-01", "--timezone", "Asia/Tokyo"], 1),
    ],
)
def test_a_budget_a_month_is_for_the_calendar_days_audited(
    tmp_path: Path, days: tuple[int, int], period: list[str], code: int
) -> None:
    """Two requests, a thousand tokens of gpt-4o each at $2.50 a million."""
    call = {"provider": "openai", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 0, "prompt": "Hello"}
    lines = [json.dumps(call | {"timestamp": f"2026-09-{day:02d}T10:00:00Z"}) for day in days]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    (tmp_path / "llm-audit.toml").write_text('[budgets]\ntotal = "0.006USD/month"\n')
    settings = ["--config", str(tmp_path / "llm-audit.toml"), "-q"]
    assert run(["check", str(tmp_path / "log.jsonl"), *settings, *period]) == code


def test_what_cannot_be_evaluated_is_not_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl", requests=5))
    baseline = str(tmp_path / "baseline.json")
    assert run(["analyze", log, "-q", "-o", baseline]) == 0
    rule = ["--fail-on", "cost_per_request:+10%", "-q"]
    assert run(["check", log, *rule]) == 3  # there is no baseline
    capsys.readouterr()
    few = ["check", log, "--baseline", baseline, *rule]
    assert run(few) == 0
    assert (
        "warning: Too few requests to tell whether cost_per_request:+10% holds; the report has the interval."
        in capsys.readouterr().err
    )
    assert run([*few, "--inconclusive", "pass"]) == 0
    assert capsys.readouterr().err == ""
    assert run([*few, "--inconclusive", "fail"]) == 1
    assert run([*few, "--inconclusive", "maybe"]) == 2
    capsys.readouterr()
    assert run(["check", log, "-q"]) == 2
    assert "nothing to check" in capsys.readouterr().err


def test_without_a_rule_a_baseline_is_saved_and_nothing_else_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, baseline = str(write_log(tmp_path / "log.jsonl", requests=5)), tmp_path / "baseline.json"
    assert run(["check", log, "--save-baseline", str(baseline)]) == 0
    assert "There is no rule, so nothing was checked" in capsys.readouterr().err
    assert json.loads(baseline.read_text())["schema_version"] == SCHEMA_VERSION
    assert run(["check", "/nonexistent", "--baseline", str(baseline)]) == 2
    error = capsys.readouterr().err
    assert "There is nothing to check" in error
    assert "`--fail-on cost_per_request:+10%`" in error


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("30", "--max-flagship-tax 30 has no unit. Give 30% or 30USD."),
        ("abc", "--max-flagship-tax abc is neither a share nor an amount. Give a share, such as 30%, or an amount"),
        ("+30%", "--max-flagship-tax +30% is neither"),
    ],
)
def test_the_largest_tax_needs_its_unit(value: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "/nonexistent", "--max-flagship-tax", value]) == 2
    assert words in capsys.readouterr().err


def test_an_audit_of_another_version_is_refused_by_its_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = str(write_log(tmp_path / "log.jsonl", requests=5))
    baseline, other = tmp_path / "baseline.json", tmp_path / "other.json"
    assert run(["analyze", log, "-q", "-o", str(baseline)]) == 0
    text = baseline.read_text().replace(f'"schema_version": "{SCHEMA_VERSION}"', '"schema_version": "0.1"')
    for content in (text, text.replace('"fingerprints"', '"former_name"'), '{"schema_version": "0.1"}'):
        other.write_text(content)
        for command in (["report"], ["check", log, "--fail-on", "total_cost:1USD", "--baseline"], ["diff", log]):
            capsys.readouterr()
            assert run([*command, str(other)]) == 2
            error = capsys.readouterr().err
            assert f"schema_version is '0.1', and this version of llm-audit reads '{SCHEMA_VERSION}'" in error
            assert "Audit the logs again with this version of llm-audit: `llm-audit analyze PATH -o FILE.json`" in error


def test_a_step_summary_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, summary = str(write_log(tmp_path / "log.jsonl")), tmp_path / "summary.md"
    summary.write_text("from an earlier step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert run(["check", log, "--max-flagship-tax", "1%", "-q", "-o", str(tmp_path / "c.md")]) == 1
    assert summary.read_text() == "from an earlier step\n" + (tmp_path / "c.md").read_text()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none" / "summary.md"))
    assert run(["check", log, "--max-flagship-tax", "100USD", "-q"]) == 0


def test_a_rule_is_anchored_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    (tmp_path / "llm-audit.toml").write_text('timezone = "UTC"\nfail_on = [\n    "total_cost:0.01USD",\n]\n')
    monkeypatch.chdir(tmp_path)
    assert run(["check", log, "-q", "-o", str(tmp_path / "c.sarif")]) == 1
    (result, *_) = json.loads((tmp_path / "c.sarif").read_text())["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "llm-audit.toml"
    assert place["region"]["startLine"] == 3


def test_diff_splits_the_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = write_log(tmp_path / "before.jsonl", output_tokens=100)
    after = write_log(tmp_path / "after.jsonl", output_tokens=300, seed=2)
    assert run(["diff", str(before), str(after)]) == 0
    said = capsys.readouterr().out
    # 60 requests of 200 more output tokens at $10 a million.
    row = next(line for line in said.splitlines() if "tokens per request" in line)
    assert "$0.12" in row
    volume = next(line for line in said.splitlines() if line.strip().startswith("volume"))
    assert "$0 " in f"{volume} "


def test_check_renders_for_ci(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    files = [argument for name in ("c.md", "c.sarif") for argument in ("-o", str(tmp_path / name))]
    assert run(["check", log, "--max-flagship-tax", "1%", "-f", "github", *files]) == 1
    assert capsys.readouterr().out.startswith("::error")
    assert "flagship_tax" in (tmp_path / "c.md").read_text()
    assert json.loads((tmp_path / "c.sarif").read_text())["runs"][0]["results"]


def test_a_baseline_that_is_missing_says_how_one_is_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    arguments = ["check", log, "--baseline", str(tmp_path / "none.json"), "--fail-on", "total_cost:+5%"]
    assert run(arguments) == 2
    assert "--save-baseline" in capsys.readouterr().err
