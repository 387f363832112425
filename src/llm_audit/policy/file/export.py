"""Configuration that enforces a policy elsewhere: LiteLLM's router, a Bedrock prompt router, RouteLLM.

These systems judge prompts by their own classifiers; what is exported is the models and the target, and the audit's
figures hold for them only as far as their judgement is alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.policy.file.export_names import bedrock_arn, bedrock_regions, litellm_name
from llm_audit.policy.file.model import Decision, Policy

TIERS = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")
"""The tiers of LiteLLM's complexity router."""

_NAME = re.compile(r"([0-9a-zA-Z][ _-]?)+")


class Target(StrEnum):
    """A system that can enforce a policy."""

    LITELLM = "litellm"
    BEDROCK = "bedrock"
    ROUTELLM = "routellm"


def export(
    policy: Policy, target: Target, *, ladder: Sequence[str], catalog: Catalog, region: str = "us-east-1"
) -> str:
    """Write what makes ``target`` route by the policy's models.

    Args:
        policy: The policy.
        target: The system.
        ladder: The models to route between, cheapest first; the policy's own, or one that an audit reports.
        catalog: For the providers' names of the models.
        region: The AWS region of a Bedrock router.

    Returns:
        YAML for LiteLLM's proxy, JSON for the others.

    Raises:
        UsageError: The policy or ladder cannot be expressed there.
    """
    if policy.decision is Decision.NEVER:
        raise UsageError(f"The policy {policy.name!r} keeps every model, so there is nothing to enforce.")
    if len(ladder) < 2:
        raise UsageError(f"A router needs at least two models; the ladder has {len(ladder)}.")
    match target:
        case Target.LITELLM:
            return _litellm(policy, ladder, catalog)
        case Target.BEDROCK:
            return _bedrock(policy, ladder, region)
        case Target.ROUTELLM:
            return _routellm(policy, ladder, catalog)


def _litellm(policy: Policy, ladder: Sequence[str], catalog: Catalog) -> str:
    """Return a proxy configuration whose complexity router spreads the ladder over its four tiers."""
    if policy.name in ladder:
        raise UsageError(
            f"The policy has the name of the model {policy.name!r}, which LiteLLM would confuse; rename the policy."
        )
    last = len(ladder) - 1
    tiers = {tier: ladder[round(step * last / (len(TIERS) - 1))] for step, tier in enumerate(TIERS)}
    models: list[dict[str, Any]] = [
        {"model_name": model, "litellm_params": {"model": litellm_name(model, catalog)}}
        for model in dict.fromkeys(tiers.values())
    ]
    router = {
        "model": "auto_router/complexity_router",
        "complexity_router_config": {"tiers": tiers},
        "complexity_router_default_model": ladder[-1],
    }
    models.append({"model_name": policy.name, "litellm_params": router})
    return "\n".join(_yaml({"model_list": models})) + "\n"


def _bedrock(policy: Policy, ladder: Sequence[str], region: str) -> str:
    """Return the request of ``CreatePromptRouter``; the abler model is the fallback."""
    if len(ladder) != 2:
        raise UsageError(f"A Bedrock prompt router has two models of one family; the ladder has {len(ladder)}.")
    if policy.quality_difference is None:
        raise UsageError("A Bedrock prompt router needs quality_difference; write a policy that decides by it.")
    if not _NAME.fullmatch(policy.name) or len(policy.name) > 64:
        raise UsageError(
            f"Bedrock does not allow the router name {policy.name!r}; use up to 64 letters, digits, - and _."
        )
    arns = [bedrock_arn(model, region) for model in ladder]
    request = {
        "promptRouterName": policy.name,
        "models": [{"modelArn": arn} for arn in arns],
        "fallbackModel": {"modelArn": arns[-1]},
        "routingCriteria": {"responseQualityDifference": round(policy.quality_difference * 100, 6)},
    }
    return json.dumps(request, indent=2) + "\n"


def _routellm(policy: Policy, ladder: Sequence[str], catalog: Catalog) -> str:
    """Return the arguments of a ``Controller``, and of its methods or, for a share, of ``calibrate_threshold``."""
    if len(ladder) != 2:
        raise UsageError(f"RouteLLM routes between two models; the ladder has {len(ladder)}.")
    if policy.decision is not Decision.STRONG_WINS:
        raise UsageError('RouteLLM needs a policy with decision = "strong_wins".')
    routers = ["mf"]
    call: dict[str, dict[str, Any]]
    controller = {
        "routers": routers,
        "strong_model": litellm_name(ladder[1], catalog),
        "weak_model": litellm_name(ladder[0], catalog),
    }
    if policy.threshold is not None:
        route = {"router": "mf", "threshold": policy.threshold}
        call = {"route": route, "completion": {"model": f"router-mf-{policy.threshold}"}}
    else:
        call = {"calibrate_threshold": {"routers": routers, "strong_model_pct": policy.strong_share}}
    return json.dumps({"controller": controller, **call}, indent=2) + "\n"


def cautions(policy: Policy, target: Target, *, ladder: Sequence[str], region: str = "us-east-1") -> list[str]:
    """Return what an export cannot promise: where the other system may refuse it or read a number otherwise."""
    lost = ["The limits of [stakes] are not exported: the other system does not see what is at stake."]
    return [*(lost if policy.stakes else []), *_of_target(policy, target, ladder, region)]


def _of_target(policy: Policy, target: Target, ladder: Sequence[str], region: str) -> list[str]:
    match target:
        case Target.LITELLM:
            return []
        case Target.BEDROCK:
            return [
                f"AWS's guide does not list {model} for prompt routers in {region} (listed: "
                f"{', '.join(regions) or 'nowhere'}); an inference profile is named by its ARN."
                for model in ladder
                if (regions := bedrock_regions(model)) is not None and region not in regions
            ]
        case Target.ROUTELLM:
            scale = "The threshold is on llm-audit's scale, which differs from mf's; use strong_share."
            return [scale] if policy.threshold is not None else []


def _yaml(value: Any, indent: int = 0) -> list[str]:
    """Mappings, lists and texts as YAML, every text quoted."""
    pad = "  " * indent
    lines: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list):
                lines += [f"{pad}{key}:", *_yaml(item, indent + 1)]
            else:
                lines.append(f"{pad}{key}: {json.dumps(item, ensure_ascii=False)}")
    else:
        for item in value:
            first, *rest = _yaml(item, indent + 1)
            lines += [f"{pad}- {first.strip()}", *rest]
    return lines
