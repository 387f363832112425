import pytest
from tests.audit.documents import document, metric, row

from llm_audit.compare.comparison import compare
from llm_audit.compare.gates import GateOptions, check
from llm_audit.compare.rules import parse
from llm_audit.document.audit import Document
from llm_audit.document.comparison import Outcome


def cost(value: float, stderr: float, *, requests: int = 1000) -> Document:
    return document(metrics=[metric("cost_per_request", value, stderr, requests=requests)])


@pytest.mark.parametrize(
    ("head", "outcome"),
    [
        (cost(1.30, 0.01), Outcome.FAILED),  # +30 %, interval of about ±2 %
        (cost(1.30, 0.20), Outcome.PASSED),  # +30 %, but the interval of ±33 % reaches below +10 %
        (cost(1.05, 0.01), Outcome.PASSED),
        (cost(0.50, 0.01), Outcome.PASSED),
        (cost(9.99, 0.01, requests=29), Outcome.NOT_EVALUATED),
    ],
)
def test_a_change_trips_on_its_near_bound(head: Document, outcome: Outcome) -> None:
    result = check(head, [parse("cost_per_request:+10%")], base=cost(1.0, 0.01))
    assert result.rules[0].outcome is outcome
    assert (result.failed, result.passed, result.not_evaluated).count(1) == 1


def test_a_fall_trips_a_rule_about_falling() -> None:
    base = document(metrics=[metric("cache_read_share", 0.6, 0.001, unit="share")])
    head = document(metrics=[metric("cache_read_share", 0.5, 0.001, unit="share")])
    assert check(head, [parse("cache_read_share:-5pp")], base=base).failed == 1
    assert check(head, [parse("cache_read_share:-15pp")], base=base).failed == 0
    assert check(base, [parse("cache_read_share:-5pp")], base=head).failed == 0


def test_a_relative_rule_has_an_absolute_floor() -> None:
    # Twice as dear, but over 40 requests of a tenth of a cent: four cents of the bill.
    base, head = cost(0.001, 0.0, requests=40), cost(0.002, 0.0, requests=40)
    passed = check(head, [parse("cost_per_request:+10%")], base=base)
    assert passed.passed == 1
    assert "less than $1.00" in passed.rules[0].message
    held = check(head, [parse("cost_per_request:+10%")], base=base, options=GateOptions(min_change_usd=0.01))
    assert held.failed == 1


def test_a_level_needs_no_baseline_and_a_change_does() -> None:
    head = document(metrics=[metric("total_cost", 501), metric("cost_per_request", 1)], rejected=30)
    rules = [parse("total_cost:500USD"), parse("rejected_share:5%"), parse("cost_per_request:+10%")]
    result = check(head, rules)
    assert [rule.outcome for rule in result.rules] == [Outcome.FAILED, Outcome.PASSED, Outcome.NOT_EVALUATED]
    assert result.rules[0].message == "total_cost $501.00 is above $500.00."
    assert "no baseline" in result.rules[2].message


def test_a_metric_nobody_has_is_not_passed() -> None:
    result = check(document(), [parse("total_cost[team=gone]:5USD")])
    assert result.not_evaluated == 1
    assert "total_cost[team=gone]" in result.rules[0].message


def test_a_failure_names_the_model_and_app_behind_it() -> None:
    base = document(
        metrics=[metric("total_cost", 10)], basis=[row("gpt-4o", 10, "9.00"), row("gpt-4o-mini", 10, "1.00")]
    )
    head = document(
        metrics=[metric("total_cost", 25)],
        basis=[row("gpt-4o", 10, "9.00"), row("o3", 10, "15.50", app="agent"), row("gpt-4o-mini", 5, "0.50")],
    )
    result = check(head, [parse("total_cost:+5USD")], base=base, comparison=compare(base, head))
    assert "model o3 +$15.50, app agent +$15.50" in result.rules[0].message
