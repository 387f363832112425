"""Names of models in other systems: LiteLLM's providers, and the models of Bedrock's prompt routers."""

from __future__ import annotations

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError

PROVIDERS = {
    "aws": "bedrock",
    "azure": "azure_ai",
    "google": "gemini",
    "moonshotai": "moonshot",
    "x-ai": "xai",
}
"""LiteLLM's provider, where its name is not the catalogue's."""

NAMES = {"mixtral-8x7b-instruct": "together_ai/mistralai/Mixtral-8x7B-Instruct-v0.1"}
"""Models that their developer no longer serves, at a provider that does."""

BEDROCK = {
    "nova-micro": ("amazon.nova-micro-v1:0", ""),
    "nova-lite": ("amazon.nova-lite-v1:0", "us-east-1 us-gov-west-1"),
    "nova-pro": ("amazon.nova-pro-v1:0", "us-east-1 us-gov-west-1"),
    "claude-3-haiku": (
        "anthropic.claude-3-haiku-20240307-v1:0",
        (
            "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-2 eu-central-1 eu-west-1 eu-west-3 us-east-1 "
            "us-gov-west-1 us-west-2"
        ),
    ),
    "claude-3-5-haiku": ("anthropic.claude-3-5-haiku-20241022-v1:0", "us-west-2"),
    "claude-3-5-sonnet": ("anthropic.claude-3-5-sonnet-20241022-v2:0", "ap-southeast-2 us-west-2"),
    "claude-haiku-4-5": ("anthropic.claude-haiku-4-5-20251001-v1:0", ""),
    "claude-sonnet-4-5": ("anthropic.claude-sonnet-4-5-20250929-v1:0", ""),
    "llama-3.1-8b-instruct": ("meta.llama3-1-8b-instruct-v1:0", "us-west-2"),
    "llama-3.1-70b-instruct": ("meta.llama3-1-70b-instruct-v1:0", "us-west-2"),
    "llama-3.3-70b-instruct": ("meta.llama3-3-70b-instruct-v1:0", "us-east-2"),
}
"""Bedrock's model ids, with the regions whose prompt routers take the foundation model.

From the Bedrock user guide, "Supported Regions and models for intelligent prompt routing", as of June 2026.
"""


def litellm_name(model: str, catalog: Catalog) -> str:
    """Return the model as LiteLLM and RouteLLM write it, ``provider/name``; a name with a provider stays as it is.

    Raises:
        UsageError: The catalogue does not know the model or who sells it.
    """
    if "/" in model:
        return model
    if model not in catalog.homes:
        raise UsageError(f"The catalog does not know {model!r}; `llm-audit models` lists the known ones.")
    provider, name = catalog.homes[model]
    if model in NAMES:
        return NAMES[model]
    if not provider:
        raise UsageError(
            f"The catalog has no provider of {model!r}; write it in --ladder as LiteLLM does, provider/model."
        )
    name = name or model
    # Z.ai's own names are in lower case; the price table's are not.
    return f"{PROVIDERS.get(provider, provider)}/{name.lower() if provider == 'zai' else name}"


def bedrock_arn(model: str, region: str) -> str:
    """Return the model's ARN in a region; an ARN is taken as it is.

    Raises:
        UsageError: Its id is not on record.
    """
    if model.startswith("arn:"):
        return model
    if model not in BEDROCK:
        raise UsageError(f"The catalog has no Bedrock id of {model!r}; give the model by its ARN.")
    return f"arn:aws:bedrock:{region}::foundation-model/{BEDROCK[model][0]}"


def bedrock_regions(model: str) -> list[str] | None:
    """Return the regions in which prompt routers take the model; ``None`` for an ARN, whose owner knows better."""
    return None if model.startswith("arn:") else BEDROCK[model][1].split()
