import math
import random
from datetime import date
from statistics import fmean, stdev

import msgspec
import pytest
from tests.audit.documents import document, earlier, metric, row

from llm_audit.compare.comparison import compare
from llm_audit.compare.gates import GateOptions, check
from llm_audit.compare.rules import budget, parse
from llm_audit.document.audit import Document
from llm_audit.document.comparison import Outcome
from llm_audit.document.rhythm import MonthEnd, RunRate
from llm_audit.errors import UsageError


def cost(value: float, stderr: float, *, requests: int = 1000) -> Document:
    return document(metrics=[metric("cost_per_request", value, stderr, requests=requests)])


@pytest.mark.parametrize(
    ("head", "outcome"),
    [
        (cost(1.30, 0.01), Outcome.FAILED),  # +30 %, interval of about ±2 %
        (cost(1.30, 0.20), Outcome.INCONCLUSIVE),  # +30 %, but the interval of ±33 % reaches below +10 %
        (cost(1.09, 0.01), Outcome.INCONCLUSIVE),  # +9 %, and the interval of about ±2 % reaches above +10 %
        (cost(1.05, 0.01), Outcome.PASSED),
        (cost(0.50, 0.01), Outcome.PASSED),
        (cost(9.99, 0.01, requests=29), Outcome.INCONCLUSIVE),
    ],
)
def test_a_change_trips_on_its_near_bound(head: Document, outcome: Outcome) -> None:
    result = check(head, [parse("cost_per_request:+10%")], base=cost(1.0, 0.01))
    assert result.rules[0].outcome is outcome
    assert (result.failed, result.passed, result.inconclusive).count(1) == 1


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


def test_an_inconclusive_rule_says_what_its_requests_could_have_shown() -> None:
    # Both sides have a standard error of 8.8 %: of the change, 12.45 % at a baseline of 1. Of it 2.486 times are 31 %.
    base, head = cost(1.0, 0.088, requests=800), cost(1.0, 0.088, requests=800)
    (rule,) = check(head, [parse("cost_per_request:+10%")], base=base).rules
    assert rule.outcome is Outcome.INCONCLUSIVE
    assert rule.smallest_change == pytest.approx(0.3094, abs=1e-4)
    # The baseline alone has more error than +10 % allows, so both sides have to grow, by (30.94 / 10)² of 800.
    assert rule.requests_needed == 7700
    assert rule.message == (
        "cost_per_request stayed at $1.00 (0.0%; 90% interval -20.5% to +20.5%; threshold +10.0%). Too few requests "
        "to tell: the smallest change that they can show is about +31% at 800 requests; about 7,700 on each side would "
        "show +10%."
    )


def test_a_large_baseline_need_not_grow() -> None:
    base, head = cost(1.0, 0.001, requests=80_000), cost(1.0, 0.1, requests=800)
    (rule,) = check(head, [parse("cost_per_request:+10%")], base=base).rules
    # 800 · (2.486 · 10 / 10)² = 4,945, and a little more for the baseline's own error.
    assert rule.requests_needed == 5000
    assert "at 800 requests; about 5,000 would show +10%" in rule.message


def test_a_change_near_its_threshold_is_too_close_to_tell() -> None:
    (rule,) = check(cost(1.1, 0.01), [parse("cost_per_request:+10%")], base=cost(1.0, 0.01)).rules
    assert rule.outcome is Outcome.INCONCLUSIVE
    assert rule.requests_needed is None
    assert "The interval holds the threshold: the change is too close to it to tell." in rule.message


def test_shares_change_in_one_unit() -> None:
    base = document(metrics=[metric("cache_read_share", 0.84442, 0.0005, unit="share")])
    head = document(metrics=[metric("cache_read_share", 0.84441, 0.0005, unit="share")])
    points, percent = check(head, [parse("cache_read_share:-5pp"), parse("cache_read_share:-5%")], base=base).rules
    assert points.message == (
        "cache_read_share stayed at 84.4% (0.0 pp; 90% interval -0.1 pp to +0.1 pp; threshold -5.0 pp)."
    )
    assert "pp" not in percent.message
    assert "(0.0% of the baseline; 90% interval -0.1% to +0.1%; threshold -5.0%)" in percent.message


def test_a_rise_of_a_fifth_over_800_noisy_requests_seldom_passes() -> None:
    """Costs a request are log-normal with a coefficient of variation of 2, as of a mix of models and prompts."""
    rng = random.Random(20260901)
    sigma = math.sqrt(math.log(5))

    def side(mean: float) -> Document:
        costs = [mean * rng.lognormvariate(-sigma * sigma / 2, sigma) for _ in range(800)]
        return cost(fmean(costs), stdev(costs) / math.sqrt(800), requests=800)

    rule = parse("cost_per_request:+10%")
    outcomes = [check(side(1.2), [rule], base=side(1.0)).rules[0].outcome for _ in range(300)]
    # The interval's tail is 5 %, and 10 points lie between the rise and the threshold.
    assert outcomes.count(Outcome.PASSED) <= 0.05 * 300
    assert outcomes.count(Outcome.INCONCLUSIVE) > 150
    calm = [check(side(1.0), [rule], base=side(1.0)).rules[0].outcome for _ in range(300)]
    assert calm.count(Outcome.FAILED) <= 0.05 * 300


def test_as_many_requests_as_are_asked_for_show_the_threshold() -> None:
    """A rise by the threshold is told from none in 80 % of samples of the size that the message names."""
    rng = random.Random(7)
    (rule,) = check(
        cost(1.0, 0.088, requests=800), [parse("cost_per_request:+10%")], base=cost(1.0, 0.088, requests=800)
    ).rules
    assert rule.requests_needed is not None
    stderr = 0.088 * math.sqrt(800 / rule.requests_needed)
    within = [
        check(
            cost(1 + rng.gauss(0, stderr), stderr),
            [parse("cost_per_request:+10%")],
            base=cost(1 + rng.gauss(0, stderr), stderr),
        ).passed
        for _ in range(1000)
    ]
    assert 0.75 < fmean(within) < 0.86


def forecast(low: str, amount: str, high: str) -> Document:
    end = MonthEnd(month="2026-09", spent="900.00", expected_days=10, amount=amount, low=low, high=high)
    return msgspec.structs.replace(
        document(), run_rate=RunRate(reason=None, whole_days=20, confidence=0.9, month_end=end)
    )


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [("1200USD", Outcome.FAILED), ("1400USD", Outcome.INCONCLUSIVE), ("1500USD", Outcome.PASSED)],
)
def test_a_forecast_is_held_by_its_interval(limit: str, outcome: Outcome) -> None:
    (rule,) = check(forecast("1250.00", "1350.00", "1450.00"), [parse(f"forecast:{limit}")]).rules
    assert rule.outcome is outcome
    assert rule.message.startswith(
        "2026-09 is projected to cost $1,350.00 (90% interval $1,250.00 to $1,450.00; $900.00 spent; limit $"
    )


def tax(*, covered_share: float, decision: str = "quality_loss") -> Document:
    made = document(metrics=[metric("flagship_tax", 0.0, 0.0), metric("flagship_tax_amount", 0.0, 0.0)])
    return earlier(
        msgspec.structs.replace(
            made,
            cost=msgspec.structs.replace(made.cost, priced_requests=1000),
            flagship_tax=msgspec.structs.replace(made.flagship_tax, covered_share=covered_share),
            policy=msgspec.structs.replace(made.policy, decision=decision),
        )
    )


@pytest.mark.parametrize("text", ["flagship_tax:10%", "flagship_tax_amount:5USD", "flagship_tax:+2pp"])
def test_a_tax_is_not_evaluated_where_nothing_could_be_judged(text: str) -> None:
    unknown, known = tax(covered_share=0.0), tax(covered_share=0.5)
    (rule,) = check(unknown, [parse(text)], base=known).rules
    assert rule.outcome is Outcome.NOT_EVALUATED
    assert rule.message.endswith(" is not known: no priced request could be judged and routed.")
    for routed in (known, tax(covered_share=0.0, decision="never")):  # a policy that routes nothing has no tax
        assert check(routed, [parse(text)], base=known).rules[0].outcome is not Outcome.NOT_EVALUATED


def test_a_tax_of_a_group_of_which_nothing_could_be_judged_is_not_evaluated() -> None:
    names = ("flagship_tax[team=a]", "flagship_tax[team=b]", "abstained_share[team=a]", "abstained_share[team=b]")
    values = (0.0, 0.0, 0.25, 1.0)
    stated = [metric(name, value, 0.0) for name, value in zip(names, values, strict=True)]
    head = earlier(msgspec.structs.replace(tax(covered_share=0.5), metrics=stated))
    rules = check(head, [parse(f"{name}:1%") for name in names[:2]]).rules
    assert [rule.outcome for rule in rules] == [Outcome.PASSED, Outcome.NOT_EVALUATED]


def test_a_tax_is_not_compared_with_one_that_is_not_known() -> None:
    (rule,) = check(tax(covered_share=0.5), [parse("flagship_tax:+2pp")], base=tax(covered_share=0.0)).rules
    assert rule.outcome is Outcome.NOT_EVALUATED
    assert rule.message == (
        "flagship_tax could not be compared: of the baseline, no priced request could be judged and routed."
    )


def test_an_unknown_forecast_is_not_evaluated() -> None:
    short = RunRate(reason="the log has 3 whole days, and 7 are needed", whole_days=3, confidence=0.9)
    (rule,) = check(msgspec.structs.replace(document(), run_rate=short), [parse("forecast:5USD")]).rules
    assert rule.outcome is Outcome.NOT_EVALUATED
    assert rule.message == "forecast is unknown: the log has 3 whole days, and 7 are needed."


@pytest.mark.parametrize("text", ["forecast:+10%", "forecast:+5USD", "forecast[team=search]:5USD", "forecast:5%"])
def test_a_forecast_is_of_all_spend_in_dollars(text: str) -> None:
    with pytest.raises(UsageError, match="forecast takes an amount"):
        parse(text)


SAMPLE = 0.0025


DAY = [date(2026, 9, 1)]


def sampled(value: float = 25.0, stderr: float = 0.5) -> Document:
    return msgspec.structs.replace(document(metrics=[metric("total_cost", value, stderr)]), sampling_rate=SAMPLE)


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [("9000USD", Outcome.FAILED), ("10100USD", Outcome.INCONCLUSIVE), ("11000USD", Outcome.PASSED)],
)
def test_a_budget_is_held_by_the_estimate_for_all_traffic(limit: str, outcome: Outcome) -> None:
    """$25 in a sample of 1 in 400 is $10,000, to 1.645 · $200 · √(1 - 1/400) = $328.56."""
    (rule,) = check(sampled(), [budget("total", limit, days=DAY)]).rules
    assert rule.outcome is outcome
    assert rule.message.startswith(
        "total_cost is estimated at $10,000.00 (90% interval $9,671.44 to $10,328.56; limit $"
    )
    assert "; scaled to all traffic from a sample of 1 request in 400)." in rule.message


def test_all_traffic_has_cost_at_least_what_the_logs_have() -> None:
    (rule,) = check(sampled(stderr=25.0), [budget("total", "20USD", days=DAY)]).rules
    assert "90% interval $25.00 to $26,427.96;" in rule.message  # $10,000 and 1.645 · $10,000 · √(1 - 1/400) more
    assert rule.outcome is Outcome.FAILED


def test_a_level_of_a_sample_is_of_the_logs_and_says_so() -> None:
    (rule,) = check(sampled(), [parse("total_cost:500USD")]).rules
    assert rule.outcome is Outcome.PASSED
    assert rule.message == "total_cost $25.00 in the logs, a sample of 1 request in 400, is within $500.00."


def test_totals_of_different_samples_are_not_compared() -> None:
    base = document(metrics=[metric("total_cost", 10_000, 5)])
    (rule,) = check(sampled(), [parse("total_cost:+10%")], base=base).rules
    assert rule.outcome is Outcome.NOT_EVALUATED
    assert rule.message == (
        "total_cost could not be compared: the baseline has all requests, this audit 1 request in 400."
    )


def test_the_least_change_of_the_bill_is_of_all_traffic() -> None:
    """Four cents in the logs of 1 request in 400 are $16 of the bill."""
    base, head = cost(0.001, 0.0, requests=40), cost(0.002, 0.0, requests=40)
    rules = [parse("cost_per_request:+10%")]
    assert check(head, rules, base=base).passed == 1
    head = msgspec.structs.replace(head, sampling_rate=SAMPLE)
    assert check(head, rules, base=base).failed == 1


def test_a_forecast_from_a_sample_says_so() -> None:
    head = msgspec.structs.replace(forecast("1250.00", "1350.00", "1450.00"), sampling_rate=SAMPLE)
    (rule,) = check(head, [parse("forecast:1200USD")]).rules
    assert rule.message.endswith("limit $1,200.00; scaled to all traffic from a sample of 1 request in 400).")


def test_a_limit_for_some_days_says_so() -> None:
    head = document(metrics=[metric("total_cost", 12.5)])
    (rule,) = check(head, [budget("total", "360USD/month", days=DAY)]).rules
    assert rule.message == "total_cost $12.50 is above $12.00 for 1 day."


def test_a_budget_for_a_span_needs_a_dated_request() -> None:
    head = document(metrics=[metric("total_cost", 12.5)])
    by_month, whole = check(head, [budget("total", "360USD/month", days=[]), budget("total", "20USD", days=[])]).rules
    assert by_month.outcome is Outcome.NOT_EVALUATED
    assert by_month.message == "total_cost is not known: the budget is for a span of time, and no request has a time."
    assert whole.outcome is Outcome.PASSED
