"""Parse model references as logs write them: provider, the provider's name of the model, and region.

A reference may be a plain name, a dated snapshot, a gateway's ``provider/model``, a Bedrock id or inference profile, an
ARN, a Vertex resource path or a fine-tune.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from llm_audit.model_names.providers import GATEWAYS, PROVIDER_ALIASES, provider_id

REPOSITORY_OWNERS = frozenset({"mistralai", "deepseek_ai"})
"""Owners of open-weight repositories, whose name alone does not identify the host."""

PREFIX_IN_NAME = frozenset({"perplexity"})
"""Providers that sell one model as ``sonar`` and another as ``perplexity/sonar``."""

HOME_PROVIDERS: tuple[tuple[str, str], ...] = (
    (r"claude", "anthropic"),
    (r"gpt-oss", ""),
    (r"(?:chat)?gpt-|o[1-9](?:-|$)|text-embedding-(?:3|ada)|whisper-1|tts-1|codex-|davinci|dall-e", "openai"),
    (r"gemini", "google"),
    (r"nova-|titan-", "aws"),
    (r"open-mi[sx]tral|mistral-(?:large|medium|small|tiny|saba|nemo|embed|ocr)", "mistral"),
    (r"(?:code|dev|magi|mini|vox)stral|voxtral|pixtral", "mistral"),
    (r"deepseek-(?:chat|reasoner|flash|v|r1|coder)", "deepseek"),
    (r"grok-", "x-ai"),
    (r"phi-", "azure"),
    (r"command(?:-|$)|c4ai-", "cohere"),
    (r"sonar", "perplexity"),
    (r"kimi-|moonshot-", "moonshotai"),
    (r"glm-", "zai"),
    (r"minimax-", "minimax"),
)
"""The provider of a name without prefix. Open-weight lines that many hosts sell (Llama, Qwen, gpt-oss) have none."""

_DEVELOPERS = (
    "anthropic|amazon|meta|mistral|deepseek|cohere|ai21|qwen|openai|google|nvidia|writer|moonshotai|moonshot|zai|minimax|"
    "stability|twelvelabs|luma|xai"
)
BEDROCK_PREFIX = re.compile(
    rf"^(?:(?:us|us-gov|eu|ap|apac|jp|au|ca|sa|global|regional)\.)?(?:{_DEVELOPERS})\.(?=[a-z0-9])"
)
_VERTEX_NAME = re.compile(r"^claude-[\w.-]+@(?:\d{8}|default|latest)$")
_DEVELOPERS_NAMED = frozenset(
    {"anthropic", "mistral", "deepseek", "cohere", "openai", "meta", "moonshotai", "minimax", "zai"}
)
_REGION = re.compile(r"^(?:us|eu|global|apac|standard|[a-z]{2}(?:-gov)?-[a-z]+-\d)$")
_ARN = re.compile(r"^arn:aws[\w-]*:bedrock:([\w-]*):\d*:[\w-]+/(.+)$")
_VERTEX_PATH = re.compile(r"^(?:projects/[^/]+/)?(?:locations/([^/]+)/)?publishers/([^/]+)/models/(.+)$")


class Reference(NamedTuple):
    """A parsed model reference; ``provider`` is a price-table id, or None where it is unknown."""

    provider: str | None
    model: str  # the provider's name of the model, in lower case
    region: str | None = None


@lru_cache(maxsize=65536)
def parse(provider: str | None, model: str) -> Reference:
    """Parse a reference: remove prefixes of gateways, regions, ARNs and resource paths from the model's name.

    >>> parse(None, "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0").provider
    'aws'
    >>> parse("litellm", "azure/eu/gpt-4o")
    Reference(provider='azure', model='gpt-4o', region='eu')
    """
    owner = provider_id(provider)
    text = model.strip().lower()
    if arn := _ARN.match(text):
        return Reference("aws", arn[2], arn[1] or None)
    if path := _VERTEX_PATH.match(text):
        return Reference("google", path[3], path[1])
    text = text.removeprefix("models/")
    region = None
    head, slash, rest = text.partition("/")
    head = head.replace("-", "_")
    if slash and owner != "openrouter":
        if head in GATEWAYS:
            return parse(provider, rest)
        prefix = None if head in REPOSITORY_OWNERS else PROVIDER_ALIASES.get(head)
        if prefix is not None and (owner is None or (owner == prefix and owner not in PREFIX_IN_NAME)):
            return parse(prefix, rest)
    if owner in {"aws", "azure", "google"}:
        text, region = _without_path(text)
    return Reference(_seller(owner, text), text, region)


def _without_path(text: str) -> tuple[str, str | None]:
    """Return a cloud's name of a model without its route and region, and the region."""
    region = None
    while "/" in text:
        head, _, rest = text.partition("/")
        if _REGION.match(head):
            region = head
        elif head not in {"converse", "invoke", "converse_like", "deployments"}:
            break
        text = rest
    return text, region


def _seller(owner: str | None, text: str) -> str | None:
    """Return who sells a model: where a log names its developer, the model's name may be in the form of a cloud."""
    if owner is None:
        return _home(text)
    if owner not in _DEVELOPERS_NAMED:
        return owner
    if BEDROCK_PREFIX.match(text):
        return "aws"
    return "google" if _VERTEX_NAME.match(text) else owner


def _home(text: str) -> str | None:
    if BEDROCK_PREFIX.match(text):
        return "aws"
    if text.startswith("@cf/"):
        return "cloudflare"
    if text.startswith("accounts/fireworks/"):
        return "fireworks"
    if "/" in text:
        return None
    bare = text.removeprefix("ft:")
    return next((home or None for pattern, home in HOME_PROVIDERS if re.match(pattern, bare)), None)
