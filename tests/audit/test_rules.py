import pytest

from llm_audit.audit.rules import parse
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
        ("cost_per_reqest:+10%", "Did you mean cost_per_request"),
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
