"""What is stated of requests none of which has a price: nothing, and not zero."""

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.audit.documents import earlier

from llm_audit.cli import run
from llm_audit.document.audit import decode, encode
from llm_audit.report.tables.invoice import lead

TEAMS = ("agents", "core")
BILLING = '[billing]\n"team=agents" = "subscription"\n'


def call(model: str, number: int, **given: Any) -> dict[str, Any]:
    row = {"time": f"2026-09-{number % 9 + 1:02}T10:00:00Z", "provider": "openai", "model": model, "team": "agents"}
    return row | {"id": f"{model}{number}", "input_tokens": 1000, "output_tokens": 500} | given


def log(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def audited(path: Path, *options: str, incomplete: bool = True) -> dict[str, Any]:
    target = path.with_suffix(".json")
    assert run(["analyze", str(path), "-q", "-o", str(target), *options]) == (3 if incomplete else 0)
    found: dict[str, Any] = json.loads(target.read_bytes())
    return found


def test_no_sum_is_stated_of_a_log_without_a_price(tmp_path: Path) -> None:
    path = log(tmp_path / "own.jsonl", *(call("own-model-9", number) for number in range(4)))
    found = audited(path)
    cost = found["cost"]
    assert (cost["actual"], cost["by_token_type"], cost["estimated"], cost["ambiguous"]) == (None, {}, None, None)
    assert (found["flagship_tax"]["covered_cost"], found["billing"]["billed"]["cost"]) == (None, None)
    assert cost["unpriced_requests"] == 4
    read = decode(path.with_suffix(".json").read_bytes())
    assert encode(read) == path.with_suffix(".json").read_bytes()
    amounts = {"actual": "0.00", "by_token_type": {"input": "0.00"}, "estimated": "0.00", "ambiguous": "0.00"}
    old = decode(json.dumps(found | {"schema_version": "2.3", "cost": cost | amounts}).encode())
    assert (old.cost, earlier(read)) == (read.cost, earlier(old))


def test_a_sum_of_which_a_part_has_no_price_says_how_much(tmp_path: Path) -> None:
    rows = [call("gpt-4o", number, app="chat", prompt="Summarise: late.") for number in range(9)]
    blank = {"input_tokens": None, "output_tokens": None}
    found = audited(log(tmp_path / "part.jsonl", *(row | blank for row in rows[:3]), *rows[3:]), incomplete=False)
    sums = [found[name] for name in ("model_mix", "model_mix_daily", "daily", "spend", "languages")]
    for part in (*sums, found["classification"]["by_category"], found["groups"]["team"]):
        assert sum(row["unpriced_requests"] for row in part) == found["cost"]["unpriced_requests"] == 3


@pytest.mark.parametrize(
    ("unpriced", "known", "other"), [("agents", "billed", "api_equivalent"), ("core", "", "billed")]
)
def test_what_is_billed_and_what_is_not_have_a_cost_of_their_own_or_none(
    tmp_path: Path, unpriced: str, known: str, other: str
) -> None:
    known = known or "api_equivalent"
    config = tmp_path / "llm-audit.toml"
    config.write_text(BILLING)
    rows = [call("own-model-9" if team == unpriced else "gpt-4o", n, team=team) for n in range(4) for team in TEAMS]
    path = log(tmp_path / "mixed.jsonl", *rows)
    found = audited(path, "--config", str(config), incomplete=False)
    assert (found["billing"][known]["cost"], found["billing"][other]["cost"]) == ("0.03", None)
    assert found["cost"]["actual"] == "0.03"
    metrics, book = tmp_path / "audit.prom", tmp_path / "audit.xlsx"
    assert run(["report", str(path.with_suffix(".json")), "-o", str(metrics), "-o", str(book)]) == 0
    written = [line for line in metrics.read_text().splitlines() if line.startswith("llm_audit_cost_by_billing")]
    assert written == [f'llm_audit_cost_by_billing_usd{{dollars="{known}"}} 0.03']
    names = openpyxl.load_workbook(book).defined_names
    sheet, place = next(iter(names["Spent" if other == "billed" else "ApiEquivalent"].destinations))
    assert openpyxl.load_workbook(book)[sheet][place].value is None


def test_a_month_without_a_price_is_not_compared_with_an_invoice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = {"input_tokens": None, "output_tokens": None}
    path = log(tmp_path / "own.jsonl", *(call("gpt-5", number, **counted) for number in range(4)))
    invoice = tmp_path / "costs.csv"
    days = "".join(f'2026-09-{day:02}T00:00:00Z,1.50,usd,"gpt-5, input"\n' for day in range(1, 5))
    invoice.write_text(f"start_time_iso,amount_value,amount_currency,line_item\n{days}")
    [month] = audited(path, "--invoice", str(invoice))["invoice"]["months"]
    assert [month[name] for name in ("listed", "discount", "computed", "difference")] == [None] * 4
    assert (month["invoiced"], month["unpriced_requests"], month["requests"]) == ("6.00", 4, 4)
    said = lead(decode(path.with_suffix(".json").read_bytes()))
    assert "computed cost is unknown, which leaves a difference of unknown" in said
    capsys.readouterr()
    assert run(["reconcile", str(path), "--invoice", str(invoice), "-f", "json"]) == 0
    rows_found = json.loads(capsys.readouterr().out)
    assert {(row["computed"], row["difference"]) for row in rows_found} == {(None, None)}
