"""``llm-audit analyze``: invoices, and periods relative to today."""

import datetime as dt
import json
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.cli.conftest import write_log

from llm_audit.cli import run

INVOICE = """start_time,start_time_iso,amount_value,amount_currency,line_item,project_name
1788220800,2026-09-01T00:00:00+00:00,0.3,usd,"gpt-4o-2024-08-06, input",web
"""


def test_an_invoice_is_tied_out_in_every_report_of_the_run(tmp_path: Path) -> None:
    """60 requests of gpt-4o, 1,000 tokens in at $2.50 and 100 out at $10 a million: $0.21 of the $0.30 invoiced."""
    log, invoice = write_log(tmp_path / "log.jsonl"), tmp_path / "invoice.csv"
    invoice.write_text(INVOICE)
    outputs = [tmp_path / name for name in ("a.json", "a.html", "a.explore.html")]
    flags = [word for path in outputs for word in ("-o", str(path))]
    assert run(["analyze", str(log), "--invoice", str(invoice), "-q", *flags]) == 0
    document = json.loads(outputs[0].read_text())
    (month,) = document["invoice"]["months"]
    assert (month["provider"], month["month"], month["requests"]) == ("openai", "2026-09", 60)
    assert (month["computed"], month["invoiced"], month["difference"]) == ("0.21", "0.30", "0.09")
    assert document["invoice"]["files"] == [str(invoice)]
    assert f"--invoice {invoice}" in document["command"]
    for page in (path.read_text() for path in outputs[1:]):
        assert "Reconciliation with the invoice" in page
    assert run(["report", str(outputs[0]), "-o", str(tmp_path / "b.html"), "-q"]) == 0
    assert "Reconciliation with the invoice" in (tmp_path / "b.html").read_text()


def test_an_invoice_that_cannot_be_read_is_said_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, other = tmp_path / "none.csv", tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    assert run(["analyze", "no-such-log", "--invoice", str(missing)]) == 2
    assert f"Cannot read the invoice {missing}" in capsys.readouterr().err
    assert run(["analyze", "no-such-log", "--invoice", str(other)]) == 2
    assert "match no known cost export" in capsys.readouterr().err


def test_rows_of_requests_are_written_in_a_file_for_each_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three parts, all rows once: those of the one file, and the charges add up to the same."""
    monkeypatch.setattr(import_module("llm_audit.ledger.assembly.assemble"), "PARTITION_ROWS", 20)
    log, parts = write_log(tmp_path / "log.jsonl"), tmp_path / "parts"
    parts.mkdir()
    (parts / "rows-000009.parquet").write_bytes(b"")
    names = ("rows-*.parquet", "rows-*.csv", "spend-*.focus.csv")
    whole = [tmp_path / name.replace("*", "all") for name in names]
    flags = [word for path in (*whole, *(parts / name for name in names)) for word in ("-o", str(path))]
    assert run(["analyze", str(log), "--no-cache", *flags]) == 0
    assert "rows-000009.parquet is not of this audit; remove it" in capsys.readouterr().err
    (parts / "rows-000009.parquet").unlink()
    cut = {name: sorted(parts.glob(name)) for name in names}
    assert [len(files) for files in cut.values()] == [3, 3, 3]
    rows = pl.concat([pl.read_parquet(file) for file in cut["rows-*.parquet"]])
    assert_frame_equal(rows, pl.read_parquet(whole[0]), check_row_order=False)
    assert sum(pl.read_csv(file).height for file in cut["rows-*.csv"]) == 60
    charged = [pl.read_csv(file)["BilledCost"].sum() for file in cut["spend-*.focus.csv"]]
    assert sum(charged) == pytest.approx(pl.read_csv(whole[2])["BilledCost"].sum()) == pytest.approx(0.21)


def test_a_star_is_refused_where_there_are_no_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    for name in ("page-*.html", "*-*.csv"):
        assert run(["analyze", log, "-o", str(tmp_path / name)]) == 2
        assert "Only csv, parquet and focus have a file for each part" in capsys.readouterr().err


def test_the_page_with_a_script_needs_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "a.json"
    assert run(["analyze", str(write_log(tmp_path / "log.jsonl")), "-q", "-o", str(saved)]) == 0
    assert run(["report", str(saved), "-o", str(tmp_path / "a.explore.html")]) == 2
    assert "give the logs or a ledger" in capsys.readouterr().err


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


def test_a_log_without_prices_says_how_to_give_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, page = write_log(tmp_path / "log.jsonl", model="acme-secret-7b"), tmp_path / "a.html"
    assert run(["analyze", str(log), "-q", "-o", str(page)]) == 3
    assert "--prices FILE" in capsys.readouterr().err
    assert "accounted for unknown" not in page.read_text()
    assert "share of cost is unknown" in page.read_text()
