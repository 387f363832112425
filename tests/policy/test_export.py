from __future__ import annotations

import json

import pytest

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.policy import load, parse
from llm_audit.policy.export import Target, export

KNOWN = Catalog.load()


def test_litellm_gets_a_complexity_router_over_the_ladder():
    text = export(load("small-by-default"), Target.LITELLM, ladder=["gpt-4o-mini", "gpt-4.1", "gpt-4o"], catalog=KNOWN)
    assert text == (
        "model_list:\n"
        '  - model_name: "gpt-4o-mini"\n'
        "    litellm_params:\n"
        '      model: "openai/gpt-4o-mini"\n'
        '  - model_name: "gpt-4.1"\n'
        "    litellm_params:\n"
        '      model: "openai/gpt-4.1"\n'
        '  - model_name: "gpt-4o"\n'
        "    litellm_params:\n"
        '      model: "openai/gpt-4o"\n'
        '  - model_name: "small-by-default"\n'
        "    litellm_params:\n"
        '      model: "auto_router/complexity_router"\n'
        "      complexity_router_config:\n"
        "        tiers:\n"
        '          SIMPLE: "gpt-4o-mini"\n'
        '          MEDIUM: "gpt-4.1"\n'
        '          COMPLEX: "gpt-4.1"\n'
        '          REASONING: "gpt-4o"\n'
        '      complexity_router_default_model: "gpt-4o"\n'
    )


def test_bedrock_gets_a_prompt_router_within_the_limits_of_its_api():
    policy = load("bedrock-ipr")
    request = json.loads(export(policy, Target.BEDROCK, ladder=policy.ladders["anthropic"], catalog=KNOWN))
    assert set(request) == {"promptRouterName", "models", "fallbackModel", "routingCriteria"}
    assert request["routingCriteria"] == {"responseQualityDifference": 10.0}
    assert request["fallbackModel"] == request["models"][1]
    assert all(
        model["modelArn"].startswith("arn:aws:bedrock:us-east-1::foundation-model/") for model in request["models"]
    )


def test_routellm_gets_a_threshold_or_the_share_to_calibrate_one_to():
    share = json.loads(export(load("routellm"), Target.ROUTELLM, ladder=["gpt-4o-mini", "gpt-4o"], catalog=KNOWN))
    assert share["strong_model_pct"] == 0.5
    assert (share["strong_model"], share["weak_model"]) == ("openai/gpt-4o", "openai/gpt-4o-mini")
    fixed = parse('decision = "strong_wins"\nthreshold = 0.116\n[ladders]\np = ["gpt-4o-mini", "gpt-4o"]', where="test")
    exported = json.loads(export(fixed, Target.ROUTELLM, ladder=fixed.ladders["p"], catalog=KNOWN))
    assert exported["model"] == "router-mf-0.116"


@pytest.mark.parametrize(
    ("name", "target", "ladder", "says"),
    [
        ("keep", Target.LITELLM, ["gpt-4o-mini", "gpt-4o"], "nothing to enforce"),
        ("small-by-default", Target.LITELLM, ["gpt-4o"], "at least two"),
        ("small-by-default", Target.LITELLM, ["gpt-4o", "no-such"], "does not know"),
        ("small-by-default", Target.BEDROCK, ["gpt-4o-mini", "gpt-4o"], "quality_difference"),
        ("bedrock-ipr", Target.BEDROCK, ["a", "b", "c"], "two models"),
        ("bedrock-ipr", Target.BEDROCK, ["gpt-4o-mini", "gpt-4o"], "by its ARN"),
        ("small-by-default", Target.ROUTELLM, ["gpt-4o-mini", "gpt-4o"], "strong_wins"),
    ],
)
def test_what_cannot_be_expressed_is_said(name, target, ladder, says):
    with pytest.raises(UsageError, match=says):
        export(load(name), target, ladder=ladder, catalog=KNOWN)
