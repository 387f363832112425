"""What is stated of requests of which none could be judged: nothing, and not zero."""

import csv
import io
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


ELSEWHERE = """
name = "elsewhere"
decision = "p_suffices"
target = 0.75
[ladders]
mine = ["claude-haiku-4-5", "claude-opus-4-5"]
"""
"""A policy whose ladder has none of the models of ``log``."""


def log(path: Path, *, blind: int, seen: int, days: int = 10, model: str = "gpt-4o") -> Path:
    """Write requests without a prompt, of the first half of the days, and such with one, of the second."""
    rows: list[dict[str, Any]] = []
    for number in range(blind + seen):
        is_seen = number >= blind
        day = number % days + (days if is_seen and blind else 0) + 1
        rows.append(
            {
                "time": f"2026-09-{day:02}T{number % 24:02}:00:00Z",
                "provider": "openai",
                "model": model,
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


def test_a_policy_without_a_ladder_for_the_models_of_the_log_needs_no_judgement(tmp_path: Path) -> None:
    policy = tmp_path / "elsewhere.toml"
    policy.write_text(ELSEWHERE)
    found = audited(log(tmp_path / "blind.jsonl", blind=240, seen=0), "--policy", str(policy))
    tax, billed = found["flagship_tax"], found["billing"]["billed"]
    for estimate in (tax["ceiling"], tax["expected"], tax["floor"]):
        assert (estimate["amount"], estimate["policy_cost"]) == ("0.00", "1.80")
    assert (tax["expected"]["low"], tax["expected"]["high"], tax["covered_share"]) == ("0.00", "0.00", 0.0)
    assert (billed["policy_cost"], billed["flagship_tax"], found["run_rate"]["tax_monthly"]) == ("1.80", "0.00", "0.00")
    for row in (*found["groups"]["team"], *found["daily"], *found["basis"]):
        assert row["policy_cost"] not in {None, "0.00"}
    assert {row["value"] for row in found["metrics"] if row["name"].startswith("flagship_tax")} == {0.0}
    assert any("no request used a model of the policy's ladders" in warning.lower() for warning in found["warnings"])
    own, target = log(tmp_path / "own.jsonl", blind=240, seen=0, model="no-such-model-9"), tmp_path / "own.json"
    assert run(["analyze", str(own), "-q", "-o", str(target), "--policy", str(policy)]) == 3
    unpriced = json.loads(target.read_bytes())
    assert unpriced["flagship_tax"]["expected"]["amount"] is None


def test_what_cost_nothing_has_no_tax_in_the_basis_of_comparisons_either(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text('[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = 0.0\noutput = 0.0\nsource = "gift"\n')
    found = audited(log(tmp_path / "free.jsonl", blind=240, seen=0), "--prices", str(prices))
    assert (found["cost"]["actual"], found["flagship_tax"]["expected"]["amount"]) == ("0.00", "0.00")
    assert {row["policy_cost"] for row in found["basis"]} == {"0.00"}


def test_of_models_in_a_ladder_and_in_none_only_the_tax_of_these_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy, mixed = tmp_path / "elsewhere.toml", log(tmp_path / "blind.jsonl", blind=240, seen=0)
    policy.write_text(ELSEWHERE)
    text = mixed.read_text()
    inside = text.replace("gpt-4o", "claude-opus-4-5").replace("openai", "anthropic").replace("blind", "agents")
    mixed.write_text(text + inside)
    found = audited(mixed, "--policy", str(policy))
    assert found["flagship_tax"]["expected"]["amount"] is None
    assert {row["name"]: row["flagship_tax"] for row in found["groups"]["team"]} == {"blind": "0.00", "agents": None}
    capsys.readouterr()
    for path, tax in ((mixed, None), (log(tmp_path / "alone.jsonl", blind=240, seen=0), "0.00")):
        assert run(["simulate", str(path), "--policy", str(policy), "-f", "json"]) == 0
        rows = {row["policy"]: row for row in json.loads(capsys.readouterr().out)}
        assert rows["elsewhere"]["flagship tax"] == tax


@pytest.mark.parametrize("name", ["focus.csv", "explore.html"])
def test_reports_by_request_know_a_cost_that_needs_no_judgement(tmp_path: Path, name: str) -> None:
    policy, written = tmp_path / "elsewhere.toml", {}
    policy.write_text(ELSEWHERE)
    for of in (str(policy), "small-by-default"):
        target = tmp_path / f"audit.{name}"
        blind = log(tmp_path / "blind.jsonl", blind=60, seen=0)
        assert run(["analyze", str(blind), "-q", "-o", str(target), "--policy", of]) == 0
        text = target.read_text()
        if name == "focus.csv":
            written[of] = {row["x_PolicyCost"] for row in csv.DictReader(io.StringIO(text))}
        else:
            written[of] = set(re.findall(r'"tax":(null|[0-9.]+)', text))
    if name == "focus.csv":
        assert "" not in written[str(policy)]
        assert written["small-by-default"] == {""}
    else:
        assert written == {str(policy): {"0.0"}, "small-by-default": {"null"}}


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
    known = {name: row["flagship tax"] for name, row in rows.items() if row["flagship tax"] is not None}
    assert known == {"keep": "0.00", "routellm": "0.00", "bedrock-ipr": "0.00"}  # which have no ladder for gpt-4o
