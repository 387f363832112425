from __future__ import annotations

import json
import re
from datetime import date

import botocore.session
import pytest
from botocore.validate import ParamValidator

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.policy import load, parse
from llm_audit.policy.file.export import Target, cautions, export
from llm_audit.policy.file.export_names import BEDROCK, bedrock_arn, litellm_name
from llm_audit.policy.inputs.models import read_models
from llm_audit.policy.routing.ladders import undominated

KNOWN = Catalog.load()
PROMPT_ROUTER = (
    botocore.session.Session().get_service_model("bedrock").operation_model("CreatePromptRouter").input_shape
)


def days(day):
    return (day - date(1970, 1, 1)).days


def patterns(shape, value):
    """The strings of a request with the pattern that the service's model asks of each; botocore checks none."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from patterns(member, value[name])
    elif shape.type_name == "list":
        for item in value:
            yield from patterns(shape.member, item)
    elif "pattern" in shape.metadata:
        yield value, shape.metadata["pattern"]


def test_litellm_gets_a_complexity_router_over_the_ladder():
    """This text is what LiteLLM's own router loads: see ``scripts/check_exports.py``."""
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


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o", "openai/gpt-4o"),
        ("claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("gemini-2.5-pro", "gemini/gemini-2.5-pro"),
        ("grok-4.3", "xai/grok-4.3"),
        ("kimi-k3", "moonshot/kimi-k3"),
        ("glm-5.3", "zai/glm-5.3"),
        ("llama-3.3-70b-instruct", "bedrock/meta.llama3-3-70b-instruct-v1:0"),
        ("mixtral-8x7b-instruct", "together_ai/mistralai/Mixtral-8x7B-Instruct-v0.1"),
        ("ollama/my-own", "ollama/my-own"),
    ],
)
def test_litellm_names_a_model_by_its_own_provider(model, name):
    assert litellm_name(model, KNOWN) == name


@pytest.mark.parametrize("ladder", ["anthropic", "amazon", "meta"])
def test_bedrock_accepts_the_request_by_its_own_service_model(ladder):
    policy = load("bedrock-ipr")
    request = json.loads(export(policy, Target.BEDROCK, ladder=policy.ladders[ladder], catalog=KNOWN))
    assert not ParamValidator().validate(request, PROMPT_ROUTER).has_errors()
    found = list(patterns(PROMPT_ROUTER, request))
    assert len(found) == 4  # the name, two models and the fallback
    assert all(re.fullmatch(pattern, value) for value, pattern in found)
    assert request["routingCriteria"] == {"responseQualityDifference": 10.0}
    assert request["fallbackModel"] == request["models"][1]
    assert request["models"][0] == {"modelArn": bedrock_arn(policy.ladders[ladder][0], "us-east-1")}


def test_bedrock_takes_the_bounds_of_the_quality_difference_and_nothing_beyond():
    for difference in (0, 1):
        text = f'decision = "quality_difference"\nquality_difference = {difference}\n[ladders]\na = ["x", "y"]'
        policy = parse(f'name = "a"\n{text}', where="test")
        request = json.loads(export(policy, Target.BEDROCK, ladder=["nova-lite", "nova-pro"], catalog=KNOWN))
        assert request["routingCriteria"] == {"responseQualityDifference": 100 * difference}
        assert not ParamValidator().validate(request, PROMPT_ROUTER).has_errors()
    request["routingCriteria"] = {"responseQualityDifference": "ten"}
    assert ParamValidator().validate(request, PROMPT_ROUTER).has_errors()


def test_every_bedrock_id_makes_an_arn_that_its_service_model_allows():
    pattern = PROMPT_ROUTER.members["fallbackModel"].members["modelArn"].metadata["pattern"]
    assert all(re.fullmatch(pattern, bedrock_arn(model, "us-west-2")) for model in BEDROCK)
    profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0"
    assert bedrock_arn(profile, "us-west-2") == profile
    assert re.fullmatch(pattern, profile)


def test_a_region_whose_routers_do_not_take_the_model_is_said():
    ipr = load("bedrock-ipr")
    assert not cautions(ipr, Target.BEDROCK, ladder=["nova-lite", "nova-pro"], region="us-east-1")
    assert not cautions(ipr, Target.BEDROCK, ladder=["arn:a", "arn:b"], region="us-east-1")
    [said] = cautions(ipr, Target.BEDROCK, ladder=["claude-3-haiku", "claude-3-5-sonnet"], region="us-east-1")
    assert "claude-3-5-sonnet" in said
    assert "ap-southeast-2, us-west-2" in said


def test_routellm_gets_the_arguments_of_its_controller_and_the_share_to_calibrate_to():
    share = json.loads(export(load("routellm"), Target.ROUTELLM, ladder=["gpt-4o-mini", "gpt-4o"], catalog=KNOWN))
    assert share == {
        "controller": {"routers": ["mf"], "strong_model": "openai/gpt-4o", "weak_model": "openai/gpt-4o-mini"},
        "calibrate_threshold": {"routers": ["mf"], "strong_model_pct": 0.5},
    }
    assert not cautions(load("routellm"), Target.ROUTELLM, ladder=["gpt-4o-mini", "gpt-4o"])


@pytest.mark.parametrize("threshold", [0.116, 0.00001, 0.1234567])
def test_routellm_reads_back_the_threshold_from_the_model_name(threshold):
    fixed = parse(
        f'decision = "strong_wins"\nthreshold = {threshold}\n[ladders]\np = ["gpt-4o-mini", "gpt-4o"]', where="test"
    )
    exported = json.loads(export(fixed, Target.ROUTELLM, ladder=fixed.ladders["p"], catalog=KNOWN))
    assert exported["route"] == {"router": "mf", "threshold": threshold}
    # As routellm 0.2.0's Controller._parse_model_name takes it apart.
    prefix, router, number = exported["completion"]["model"].split("-", 2)
    assert (prefix, router, float(number)) == ("router", "mf", threshold)
    assert "scale" in cautions(fixed, Target.ROUTELLM, ladder=fixed.ladders["p"])[0]


def test_an_exported_ladder_has_no_model_that_another_beats():
    ladder = ["gpt-4o-mini", "gpt-4.1-mini", "gpt-4.1", "gpt-4o"]
    models = read_models(KNOWN.frame)
    index = models.index()
    # GPT-4.1 costs less than GPT-4o, and is as able everywhere and as capable; it came out on 14 April 2025.
    assert models.price[index["gpt-4.1"]] < models.price[index["gpt-4o"]]
    assert (models.ability[index["gpt-4.1"]] >= models.ability[index["gpt-4o"]]).all()
    assert undominated(models, ladder, day=days(date(2025, 7, 31))) == ladder[:-1]
    assert undominated(models, ladder, day=days(date(2025, 3, 31))) == ["gpt-4o-mini", "gpt-4o"]


@pytest.mark.parametrize(
    ("name", "target", "ladder", "says"),
    [
        ("keep", Target.LITELLM, ["gpt-4o-mini", "gpt-4o"], "nothing to enforce"),
        ("small-by-default", Target.LITELLM, ["gpt-4o"], "at least two"),
        ("small-by-default", Target.LITELLM, ["gpt-4o", "no-such"], "does not know"),
        ("small-by-default", Target.LITELLM, ["gpt-4o", "aion-1.0"], "no provider of 'aion-1.0'"),
        ("small-by-default", Target.LITELLM, ["gpt-4o", "small-by-default"], "would confuse"),
        ("small-by-default", Target.BEDROCK, ["gpt-4o-mini", "gpt-4o"], "quality_difference"),
        ("bedrock-ipr", Target.BEDROCK, ["a", "b", "c"], "two models"),
        ("bedrock-ipr", Target.BEDROCK, ["gpt-4o-mini", "gpt-4o"], "by its ARN"),
        ("small-by-default", Target.ROUTELLM, ["gpt-4o-mini", "gpt-4o"], "strong_wins"),
    ],
)
def test_what_cannot_be_expressed_is_said(name, target, ladder, says):
    with pytest.raises(UsageError, match=says):
        export(load(name), target, ladder=ladder, catalog=KNOWN)


def test_limits_for_stakes_are_not_exported():
    said = cautions(load("small-by-default"), Target.LITELLM, ladder=["gpt-4o-mini", "gpt-4o"])
    assert said == ["The limits of [stakes] are not exported: the other system does not see what is at stake."]
