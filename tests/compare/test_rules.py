from datetime import date

import pytest

from llm_audit.compare.rules import budget, parse
from llm_audit.errors import UsageError


@pytest.mark.parametrize(
    ("text", "metric", "kind", "rising", "threshold"),
    [
        ("cost_per_request:+10%", "cost_per_request", "relative", True, 0.1),
        ("flagship_tax:+2pp", "flagship_tax", "absolute", True, 0.02),
        ("model_share[frontier]:+5pp", "model_share[frontier]", "absolute", True, 0.05),
        ("total_cost:500USD", "total_cost", "level", True, 500),
        ("total_cost:+50USD", "total_cost", "absolute", True, 50),
        ("unpriced_share:1%", "unpriced_share", "level", True, 0.01),
        ("cache_read_share:-5pp", "cache_read_share", "absolute", False, 0.05),
        ("tokens_per_request:4000", "tokens_per_request", "level", True, 4000),
        ("cost_per_request[team=search]:+12.5%", "cost_per_request[team=search]", "relative", True, 0.125),
    ],
)
def test_rules_mean_what_they_say(text: str, metric: str, kind: str, rising: bool, threshold: float) -> None:
    rule = parse(text)
    assert (rule.metric, rule.kind, rule.rising) == (metric, kind, rising)
    assert rule.threshold == pytest.approx(threshold)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cost", "METRIC:THRESHOLD"),
        ("cost_per_reqest:+10%", "Did you mean 'cost_per_request'"),
        ("model_share:+5pp", r"model_share\[frontier\]"),
        ("total_cost:+2pp", "10%, .50USD or 500USD"),
        ("unpriced_share:5", "5%"),
        ("tokens_per_request:5USD", "4000"),
        ("total_cost:5%", "500USD"),
    ],
)
def test_what_is_no_rule_says_what_would_be(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse(text)


def september(count: int) -> list[date]:
    return [date(2026, 9, day) for day in range(1, count + 1)]


def test_a_budget_is_held_for_the_days_audited() -> None:
    assert budget("team=search", "700USD/week", days=september(3)).threshold == pytest.approx(300)
    assert budget("app=chat", "30 USD/day", days=september(2)).metric == "total_cost[app=chat]"
    assert budget("user=ann", "30USD", days=september(2)).metric == "total_cost[user=ann]"
    assert budget("tag:customer=acme", "30USD", days=september(2)).metric == "total_cost[tag:customer=acme]"
    assert budget("total", "99.5USD", days=september(17)).threshold == 99.5
    for selector, text in (("squad=x", "1USD"), ("team=", "1USD"), ("total", "1EUR"), ("total", "lots")):
        with pytest.raises(UsageError, match="500USD/month"):
            budget(selector, text, days=september(1))


def test_a_month_of_a_budget_is_the_calendars() -> None:
    february = [date(2026, 2, day) for day in range(1, 29)]
    assert budget("total", "500USD/month", days=february).threshold == 500
    assert budget("total", "500USD/month", days=september(30)).threshold == 500
    assert budget("total", "300USD/month", days=[date(2026, 8, 31), date(2026, 9, 1)]).threshold == pytest.approx(
        300 / 31 + 300 / 30
    )


def test_users_and_tags_have_rules_on_cost_alone() -> None:
    assert parse("total_cost[tag:customer=acme]:50USD").metric == "total_cost[tag:customer=acme]"
    assert parse("cost_per_request[user=ann]:+10%").metric == "cost_per_request[user=ann]"
    with pytest.raises(UsageError, match="users and tags have total_cost and cost_per_request alone"):
        parse("failed_share[user=ann]:1%")
    for selector in ("tag:=acme", "tag:customer=", "user="):
        with pytest.raises(UsageError, match="is not valid"):
            budget(selector, "5USD", days=september(1))
