"""What is stated of requests of which none could be judged: nothing, and not zero."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from llm_audit.cli import run
from llm_audit.compare.comparison import compare
from llm_audit.compare.gates import check
from llm_audit.compare.rules import parse
from llm_audit.document.audit import decode

TEXT = {"messages": [{"role": "user", "content": "Summarise in one line: the order was late."}]}


def log(path: Path, *, blind: int, seen: int, days: int = 10) -> Path:
    """Write requests without a prompt, of the first half of the days, and such with one, of the second."""
    rows: list[dict[str, Any]] = []
    for number in range(blind + seen):
        is_seen = number >= blind
        day = number % days + (days if is_seen and blind else 0) + 1
        rows.append(
            {
                "time": f"2026-09-{day:02}T{number % 24:02}:00:00Z",
                "provider": "openai",
                "model": "gpt-4o",
                "input_tokens": 1000,
                "output_tokens": 500,
                "team": "seen" if is_seen else "blind",
                **(TEXT if is_seen else {}),
            }
        )
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def audited(path: Path, *options: str) -> dict[str, Any]:
    target = path.with_suffix(".json")
    assert run(["analyze", str(path), "-q", "-o", str(target), *options]) == 0
    found: dict[str, Any] = json.loads(target.read_bytes())
    return found


def test_a_log_without_a_judged_request_states_no_tax(tmp_path: Path) -> None:
    found = audited(log(tmp_path / "blind.jsonl", blind=240, seen=0))
    tax = found["flagship_tax"]
    for estimate in (tax["ceiling"], tax["expected"], tax["floor"]):
        assert (estimate["amount"], estimate["share"], estimate["policy_cost"]) == (None, None, None)
    assert (tax["expected"]["low"], tax["expected"]["high"], tax["covered_share"]) == (None, None, 0.0)
    rate, part = found["run_rate"], found["billing"]["billed"]
    assert (rate["monthly"] is None, rate["tax_monthly"], rate["tax_annual"]) == (False, None, None)
    assert (part["cost"], part["policy_cost"], part["flagship_tax"], part["share"]) == ("1.80", None, None, None)
    assert (found["sensitivity"], found["trace_routing"]) == ({"frontier": [], "tornado": []}, None)
    assert {day["policy_cost"] for day in found["daily"]} == {None}
    assert {row["policy_cost"] for row in found["basis"]} == {None}


def test_a_policy_that_never_routes_needs_no_judgement(tmp_path: Path) -> None:
    found = audited(log(tmp_path / "blind.jsonl", blind=240, seen=0), "--policy", "keep")
    assert found["flagship_tax"]["expected"]["amount"] == found["run_rate"]["tax_monthly"] == "0.00"
    assert found["groups"]["team"][0]["flagship_tax"] == "0.00"


def test_the_part_that_was_not_judged_has_no_tax_and_the_whole_has(tmp_path: Path) -> None:
    found = audited(log(tmp_path / "mixed.jsonl", blind=240, seen=240))
    teams = {row["name"]: row for row in found["groups"]["team"]}
    assert (teams["blind"]["cost"], teams["blind"]["policy_cost"], teams["blind"]["flagship_tax"]) == (
        "1.80",
        None,
        None,
    )
    assert teams["seen"]["flagship_tax"] == found["flagship_tax"]["expected"]["amount"]
    by_day = [day["policy_cost"] for day in found["daily"]]
    assert by_day[:10] == [None] * 10
    assert None not in by_day[10:]


def test_metrics_of_what_was_not_judged_or_has_no_price_are_unknown(tmp_path: Path) -> None:
    mixed = log(tmp_path / "mixed.jsonl", blind=240, seen=240)
    with mixed.open("a") as file:
        row = {"time": "2026-09-05T01:00:00Z", "model": "no-such-model-9", "input_tokens": 9, "output_tokens": 9}
        file.writelines(f"{json.dumps({**row, 'team': 'own', 'id': str(number)})}\n" for number in range(40))
    metrics = {metric["name"]: metric["value"] for metric in audited(mixed)["metrics"]}
    assert (metrics["flagship_tax[team=blind]"], metrics["flagship_tax_amount[team=blind]"]) == (None, None)
    assert metrics["flagship_tax[team=seen]"] > 0
    assert (metrics["total_cost[team=own]"], metrics["cost_per_request[team=own]"]) == (None, None)
    texts = ["total_cost[team=own]:1USD", "flagship_tax[team=blind]:10%", "total_cost[team=blind]:5USD"]
    found = check(decode(mixed.with_suffix(".json").read_bytes()), [parse(text) for text in texts]).rules
    assert [rule.outcome for rule in found] == ["not_evaluated", "not_evaluated", "passed"]
    assert "none of its requests has a price" in found[0].message
    assert "could be judged and routed" in found[1].message


@pytest.mark.parametrize("name", ["md", "html", "explore.html", "prom"])
def test_no_report_says_that_the_policy_is_free(tmp_path: Path, name: str) -> None:
    target = tmp_path / f"audit.{name}"
    assert run(["analyze", str(log(tmp_path / "blind.jsonl", blind=240, seen=0)), "-q", "-o", str(target)]) == 0
    written = target.read_text()
    assert not re.search(r"policy would have cost (the same|\$|an estimated|unknown)", written)
    assert "llm_audit_flagship_tax" not in written


def test_two_audits_are_compared_by_what_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blind, mixed = tmp_path / "blind.jsonl", tmp_path / "mixed.jsonl"
    audited(log(blind, blind=240, seen=0))
    audited(log(mixed, blind=240, seen=240))
    capsys.readouterr()
    base, head = (decode(path.with_suffix(".json").read_bytes()) for path in (blind, mixed))
    compared = compare(base, head)
    assert (compared.base.flagship_tax, compared.tax_parts, compared.estimated) == (None, [], None)
    assert compared.head.flagship_tax == head.flagship_tax.expected.amount
    [unknown] = [metric for metric in compared.metrics if metric.metric == "flagship_tax"]
    assert (unknown.base, unknown.change, unknown.low) == (None, None, None)
    assert unknown.head is not None
    assert run(["simulate", str(blind), "-f", "json"]) == 0
    rows = {row["policy"]: row for row in json.loads(capsys.readouterr().out)}
    assert {name for name, row in rows.items() if row["flagship tax"] is not None} == {"keep"}
