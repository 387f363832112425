"""Providers by the host of their API, named as the price table names them."""

from __future__ import annotations

from llm_audit.sources.remembered import remembered

_HOSTS = (
    ("api.openai.com", "openai"),
    ("openai.azure.com", "azure"),
    ("azure-api.net", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "google"),
    ("aiplatform.googleapis.com", "google"),
    ("openrouter.ai", "openrouter"),
    ("api.groq.com", "groq"),
    ("api.mistral.ai", "mistral"),
    ("api.deepseek.com", "deepseek"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.x.ai", "x-ai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cerebras.ai", "cerebras"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.moonshot.ai", "moonshotai"),
    ("api.moonshot.cn", "moonshotai"),
    ("api.z.ai", "zai"),
    ("api.voyageai.com", "voyageai"),
    ("api.minimax.io", "minimax"),
    ("api.githubcopilot.com", "github-copilot"),
    ("api.novita.ai", "novita"),
    ("cloud.databricks.com", "databricks"),
    ("azuredatabricks.net", "databricks"),
    ("ollama.com", "ollama"),
)


def provider_of(host: str) -> str | None:
    """Return the provider that serves a host name; None where it is not known."""
    return _provider_of(host) if host else None


@remembered
def _provider_of(host: str) -> str | None:
    if host.endswith(".amazonaws.com") and "bedrock" in host:
        return "aws"
    return next((name for known, name in _HOSTS if host == known or host.endswith(("." + known, "-" + known))), None)


def region_of(host: str) -> str | None:
    """Return the region in a host name of AWS or Google, such as ``us-east-1``."""
    if host.endswith(".amazonaws.com"):
        return host.split(".")[1]
    place = host.removesuffix("-aiplatform.googleapis.com")
    return place if place != host else None
