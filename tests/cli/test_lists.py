import json
from pathlib import Path

import pytest

from llm_audit.cli import run

SAMPLES = Path(__file__).resolve().parent.parent.parent / "sample_logs"


def listed(arguments: list[str], capsys: pytest.CaptureFixture[str], *, code: int = 0) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run([*arguments, "-f", "json"]) == code
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return rows


def test_prices_of_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(["prices", "list", "gpt-4o", "--provider", "openai", "--at", "2026-09-01"], capsys)
    assert [(row["input"], row["cache_read"], row["output"]) for row in rows] == [("2.50", "1.25", "10.00")]


def test_one_price_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(["prices", "show", "claude-sonnet-4-5", "--at", "2026-09-01"], capsys)
    standard = [row for row in rows if row["tier"] == "standard"]
    assert [(row["from tokens"], row["input"], row["cache_write_1h"]) for row in standard] == [
        (0, "3.00", "6.00"),
        (200001, "6.00", "12.00"),
    ]
    # Half price, also before the table knows of the discount.
    assert {row["input"] for row in rows if row["tier"] == "batch"} == {"1.50", "3.00"}


def test_an_unknown_model_is_told_with_what_is_like_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prices", "show", "gpt-4p"]) == 2
    assert "openai/gpt-4o" in capsys.readouterr().err
    assert run(["prices", "show", "gpt-99"]) == 2
    assert "prices list 'gpt-*'" in capsys.readouterr().err
    assert run(["models", "no-such-model"]) == 2
    assert run(["models", "--category", "cooking"]) == 2
    assert run(["prices", "list", "--at", "yesterday"]) == 2
    assert "2025-06-01" in capsys.readouterr().err


def test_what_changed_between_two_days(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["prices", "diff", "2025-01-01", "2025-12-01", "--model", "o3", "--provider", "openai"]
    changed = {row["rate"]: (row["before"], row["after"]) for row in listed(arguments, capsys)}
    assert changed["input"] == ("10.00", "2.00")


def test_a_price_file_is_verified(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = 2.00\noutput = 8.00\n')
    assert run(["prices", "verify", str(good)]) == 0
    bad.write_text('[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = 0.0000025\noutput = 8.00\n')
    assert run(["prices", "verify", str(bad)]) == 3
    assert "dollars per million" in capsys.readouterr().out


def test_models_show_abilities_with_their_interval(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["model"]: row for row in listed(["models", "gpt-4o", "--category", "knowledge"], capsys)}
    assert (
        float(str(rows["gpt-4o"]["low"])) < float(str(rows["gpt-4o"]["ability"])) < float(str(rows["gpt-4o"]["high"]))
    )
    assert float(str(rows["gpt-4o-mini"]["ability"])) < float(str(rows["gpt-4o"]["ability"]))


def test_stated_costs_are_reconciled(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path))
    rows = listed(["reconcile", str(SAMPLES / "ticket-classifier")], capsys)
    assert any(row["reason"] == "agrees" for row in rows)
    assert any(row["reason"] != "agrees" for row in rows)
    assert run(["reconcile", str(SAMPLES / "tutoring")]) == 2
    assert "--invoice" in capsys.readouterr().err


def test_an_invoice_is_reconciled(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path / "cache"))
    record = {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-4o", "provider": "openai", "prompt": "Hello there"}
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    (tmp_path / "log.jsonl").write_text(json.dumps(record | usage) + "\n")
    (tmp_path / "focus.csv").write_text(
        "ChargePeriodStart,ProviderName,BilledCost,ServiceName,SkuId,ChargeDescription\n"
        "2026-09-01T00:00:00Z,OpenAI,2.60,OpenAI API,gpt-4o,gpt-4o input tokens\n"
        '2026-09-01T00:00:00Z,OpenAI,"0,035",OpenAI API,gpt-4o,gpt-4o output tokens\n'
    )
    rows = listed(["reconcile", str(tmp_path / "log.jsonl"), "--invoice", str(tmp_path / "focus.csv")], capsys)
    assert [(row["model_id"], row["invoiced"], row["computed"], row["difference"]) for row in rows] == [
        ("gpt-4o", "2.60", "2.50", "0.10")
    ]
    settings = tmp_path / "llm-audit.toml"
    settings.write_text('[billing]\n"provider=openai" = "subscription"\n')
    held = ["reconcile", str(tmp_path / "log.jsonl"), "--invoice", str(tmp_path / "focus.csv")]
    assert listed([*held, "--config", str(settings)], capsys) == []  # on a plan, the log has nothing to compare
