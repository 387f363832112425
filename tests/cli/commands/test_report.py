"""``llm-audit report``: a saved audit tied out with an invoice; and logs declared a sample."""

import json
from pathlib import Path

import pytest
from tests.cli.commands.test_analyze import INVOICE
from tests.cli.conftest import write_log

from llm_audit.cli import run


def test_a_saved_audit_is_tied_out_as_its_logs_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, invoice = write_log(tmp_path / "log.jsonl"), tmp_path / "invoice.csv"
    invoice.write_text(INVOICE)
    saved, tied, direct = (tmp_path / name for name in ("a.json", "b.json", "c.json"))
    assert run(["analyze", str(log), "-q", "-o", str(saved)]) == 0
    assert run(["analyze", str(log), "--invoice", str(invoice), "-q", "-o", str(direct)]) == 0
    capsys.readouterr()
    assert run(["report", str(saved), "--invoice", str(invoice), "-o", str(tied)]) == 0
    documents = [json.loads(path.read_text()) for path in (tied, direct)]
    assert documents[0]["invoice"] == documents[1]["invoice"]
    shown = " ".join(capsys.readouterr().out.split())
    assert "The invoice comes to $0.30, of which $0 is for days that are not in the log." in shown
    assert "computed cost is $0.21, which leaves a difference of $0.090." in shown


def test_days_that_no_invoice_has_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, invoice, saved = write_log(tmp_path / "log.jsonl"), tmp_path / "invoice.csv", tmp_path / "a.json"
    invoice.write_text(INVOICE)
    assert run(["analyze", str(log), "--timezone", "Europe/Berlin", "-q", "-o", str(saved)]) == 0
    assert run(["report", str(saved), "--invoice", str(invoice)]) == 2
    assert "days of Europe/Berlin" in capsys.readouterr().err


def test_a_declared_sample_scales_what_is_extrapolated_alone(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl")
    plain, sampled = tmp_path / "a.json", tmp_path / "b.json"
    assert run(["analyze", str(log), "-q", "-o", str(plain)]) == 0
    assert run(["analyze", str(log), "--sampling-rate", "0.01", "-q", "-o", str(sampled)]) == 0
    whole, part = (json.loads(path.read_text()) for path in (plain, sampled))
    assert (whole["sampling_rate"], part["sampling_rate"]) == (1.0, 0.01)
    assert part["command"].endswith("--sampling-rate 0.01")
    for name in ("cost", "flagship_tax", "model_mix", "daily", "groups", "waste", "departures", "metrics", "basis"):
        assert part[name] == whole[name]
    rates = part["run_rate"], whole["run_rate"]
    for name in ("tax_monthly", "tax_annual"):
        assert float(rates[0][name]) == pytest.approx(100 * float(rates[1][name]))
    for name in ("amount", "low", "high"):
        assert float(rates[0]["monthly"][name]) == pytest.approx(100 * float(rates[1]["monthly"][name]))
    saving = [pair for pair in zip(part["findings"], whole["findings"], strict=True) if pair[1]["monthly"] is not None]
    assert saving
    for mine, other in saving:
        assert mine["amount"] == other["amount"]
        assert float(mine["monthly"]) == pytest.approx(100 * float(other["monthly"]))


@pytest.mark.parametrize("rate", ["0", "1.5", "400"])
def test_a_rate_is_a_share(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", "no-such-log", "--sampling-rate", rate]) == 2
    assert "sampling_rate (from flag) is" in capsys.readouterr().err


def test_days_of_a_sample_are_not_compared_with_an_invoice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, invoice = write_log(tmp_path / "log.jsonl"), tmp_path / "invoice.csv"
    invoice.write_text(INVOICE)
    monkeypatch.setenv("LLM_AUDIT_SAMPLING_RATE", "0.1")
    assert run(["reconcile", str(log), "--invoice", str(invoice)]) == 2
    assert "analyze PATH --invoice FILE" in capsys.readouterr().err
