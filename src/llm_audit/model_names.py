"""Parse model references as logs write them: provider, model name, region and undated model line.

A reference may be a plain name, a dated snapshot, a gateway's ``provider/model``, a Bedrock id or inference profile, an
ARN, a Vertex resource path or a fine-tune. All functions map text to text; prices and capabilities are in tables
elsewhere.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

PROVIDER_ALIASES: dict[str, str] = {
    alias: provider
    for provider, aliases in {
        "anthropic": "anthropic claude anthropic_ai",
        "aws": "aws bedrock aws_bedrock aws.bedrock amazon amazon_bedrock bedrock_converse bedrock_mantle sagemaker",
        "azure": "azure azure_openai azure_ai azureopenai az.ai.openai az.ai.inference azure.ai.openai "
        "azure.ai.inference azure_text azure_cognitive_services microsoft",
        "cerebras": "cerebras",
        "cloudflare": "cloudflare workers_ai cloudflare_workers_ai cloudflare_ai_gateway",
        "cohere": "cohere cohere_chat",
        "databricks": "databricks",
        "deepseek": "deepseek deepseek_ai",
        "fireworks": "fireworks fireworks_ai",
        "github-copilot": "github_copilot copilot",
        "google": "google gemini vertex vertex_ai vertexai google_genai google_vertex google_vertex_ai "
        "google_ai_studio gcp.vertex_ai gcp.gemini gcp.gen_ai gcp_vertex_ai google_generative_ai vertex_ai_beta "
        "google_gla",
        "groq": "groq",
        "minimax": "minimax",
        "mistral": "mistral mistral_ai mistralai",
        "moonshotai": "moonshotai moonshot moonshot_ai",
        "novita": "novita novita_ai",
        "openai": "openai open_ai chatgpt openai_codex codex text_completion_openai openai.chat openai.responses",
        "openrouter": "openrouter open_router",
        "ovhcloud": "ovhcloud",
        "perplexity": "perplexity",
        "together": "together together_ai togetherai",
        "x-ai": "x_ai xai grok",
        "zai": "zai z_ai z.ai",
        "zhipuai": "zhipuai zhipu",
    }.items()
    for alias in aliases.split()
}
"""Names that logs and gateways give a provider, to the price table's id. Compared after ``-`` becomes ``_``."""

GATEWAYS = frozenset(
    {"litellm", "litellm_proxy", "portkey", "helicone", "kong", "vercel", "langfuse", "unknown", "custom"}
)
"""Values of a provider field that name no provider, so that the model's prefix decides."""

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
_BEDROCK = re.compile(rf"^(?:(?:us|us-gov|eu|ap|apac|jp|au|ca|sa|global|regional)\.)?(?:{_DEVELOPERS})\.(?=[a-z0-9])")
_VERTEX_NAME = re.compile(r"^claude-[\w.-]+@(?:\d{8}|default|latest)$")
_DEVELOPING = frozenset(
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


def provider_id(name: str | None) -> str | None:
    """Return the price table's id of a provider's name; the name itself, in lower case, where it is unknown.

    >>> provider_id("Azure-OpenAI"), provider_id("ollama"), provider_id(" ")
    ('azure', 'ollama', None)
    """
    text = (name or "").strip().lower()
    if not text or text.replace("-", "_") in GATEWAYS:
        return None
    return PROVIDER_ALIASES.get(text.replace("-", "_").replace(" ", "_"), text)


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
    """Return who sells a model: of a developer's name, the cloud whose name of the model this is."""
    if owner is None:
        return _home(text)
    if owner not in _DEVELOPING:
        return owner
    if _BEDROCK.match(text):
        return "aws"
    return "google" if _VERTEX_NAME.match(text) else owner


def _home(text: str) -> str | None:
    if _BEDROCK.match(text):
        return "aws"
    if text.startswith("@cf/"):
        return "cloudflare"
    if text.startswith("accounts/fireworks/"):
        return "fireworks"
    if "/" in text:
        return None
    bare = text.removeprefix("ft:")
    return next((home or None for pattern, home in HOME_PROVIDERS if re.match(pattern, bare)), None)


_CLEANUPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (
            r"^ft:([^:]+)(?::.*)?$",
            r"\1",
        ),  # fine-tunes belong to the line they were tuned from
        (r"^.*/", ""),
        (r"[:@](?:free|batch|extended|beta|nitro|floor|online|thinking|exacto|latest|default)$", ""),
        (r"[@]\d{8}$", ""),
        (r"(?<!^claude)-v\d+(?::\d+)?(?::\w+)?$", ""),
        (r":\d+(?::\w+)?$", ""),
        (r"[-@](?:20\d\d)-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])(?=$|-)", ""),
        (r"(?<!^claude)-v\d+(?::\d+)?$", ""),
        (
            r"(gemini-[\w.-]+?)-(?:preview|exp|experimental)(?:-\d\d-(?:\d\d|20\d\d))?(?:-(?:thinking|customtools))?$",
            r"\1",
        ),
        (r"(gemini-[\w.-]+?)-(?:latest|stable|00\d)$", r"\1"),
        (r"^gpt-4-(?:1106|0125|vision|1106-vision)(?:-preview)?$", "gpt-4-turbo"),
        (r"(?<!^o1)-(?:latest|preview)$", ""),
        (r"^(gpt-(?:3\.5|4)[\w.-]*?)-(?:0\d{3}|1106)$", r"\1"),
    )
)


@lru_cache(maxsize=65536)
def canonical(model: str) -> str:
    """Return the undated model line of a name, in lower case, as the catalogue names it.

    Prefixes, dates, regions, API versions and hosts' naming variants are removed; what distinguishes models (size,
    generation, ``-2411`` at Mistral) is kept.

    >>> canonical("us.anthropic.claude-3-5-sonnet-20241022-v2:0"), canonical("gpt-4o-mini-2024-07-18")
    ('claude-3-5-sonnet', 'gpt-4o-mini')
    """
    text = parse(None, model).model
    text = _BEDROCK.sub("", text)
    for pattern, replacement in _CLEANUPS:
        text = pattern.sub(replacement, text)
    for pattern, replacement in _VARIANTS:
        text = pattern.sub(replacement, text)
    return text


def names_in_rules(model: str) -> tuple[str, ...]:
    """Return the names by which a rule may refer to a model: its own, and its line's unless it is priced separately.

    >>> names_in_rules("gpt-4o-2024-08-06"), names_in_rules("ft:gpt-4o-2024-08-06:org")
    (('gpt-4o-2024-08-06', 'gpt-4o'), ('ft:gpt-4o-2024-08-06:org',))
    """
    return (model,) if priced_separately(model) else (model, canonical(model))


def priced_separately(model: str) -> bool:
    """Return whether a name is a fine-tune or a variant (``:free``, ``:extended``) with its own price."""
    return model.startswith("ft:") or re.search(r":(?!\d)[a-z]+$", model) is not None


_LLAMA_VARIANTS = (
    r"^(llama-[\d.]+-\d+b)(?:-vision)?(?:-(?:chat-hf|instruct|versatile|instant|instruct-turbo|instruct-lite|"
    r"instruct-fp8(?:-fast)?|instruct-maas|specdec|8192|text|vision-instruct|instruct-awq|fp8))?$"
)
_VARIANTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # Anthropic: the number after the line from the fourth generation on, before it until then
        (r"^claude-v(\d)", r"claude-\1"),
        (r"^claude-(\d)\.(\d)-(\w+)", r"claude-\1-\2-\3"),
        (r"^claude-(haiku|sonnet|opus|fable|mythos)-(\d)\.(\d)", r"claude-\1-\2-\3"),
        (r"^claude-(?:([4-9])|([4-9])-(\d))-(haiku|sonnet|opus)$", r"claude-\4-\1\2-\3"),
        (r"^(claude-(?:haiku|sonnet|opus)-\d)-(?:0)?$", r"\1"),
        (r"^(claude-(?:haiku|sonnet|opus)-\d)-0$", r"\1"),
        (r"^claude-(haiku|sonnet|opus)-3-([57])$", r"claude-3-\2-\1"),
        (r"^claude-instant.*$", "claude-instant"),
        (r"^claude-(?:v)?2(?:[.-][01])?$", "claude-2"),
        (r"^(claude-.*)-thinking$", r"\1"),
        # OpenAI
        (r"^gpt-35-turbo", "gpt-3.5-turbo"),
        (r"^gpt-(\d)-(\d)(?=-|$)", r"gpt-\1.\2"),
        (r"^chatgpt-4o.*$", "chatgpt-4o"),
        # Google
        (r"^gemini-(flash-lite|flash|pro)-(\d\.\d)", r"gemini-\2-\1"),
        # Meta, as Bedrock, Groq, Together, Fireworks and Cerebras write it
        (r"^(?:meta-)?llama-?v?(\d)[p.-](\d)-(\d+b)", r"llama-\1.\2-\3"),
        (r"^(?:meta-)?llama-?v?(\d)-(\d+b)", r"llama-\1-\2"),
        (_LLAMA_VARIANTS, r"\1-instruct"),
        (r"^llama-?4-(scout|maverick).*$", r"llama-4-\1"),
        # Mistral
        (r"^mistral-(7b|8x7b|8x22b)-instruct-v0[:.](\d)$", r"mistral-\1-instruct-v0.\2"),
        (r"^(?:open-)?mixtral-(8x\d+b)(?:-instruct|-chat)?(?:-v0[:.]\d)?(?:-32768)?$", r"mixtral-\1-instruct"),
        (r"^(?:open-)?mistral-nemo.*$", "mistral-nemo"),
        # DeepSeek
        (r"^(?:deepseek[.-])?r1$", "deepseek-r1"),
        (r"^deepseek-(?:v)?(\d)p(\d)", r"deepseek-v\1.\2"),
        (r"^deepseek-v(\d)-(\d)$", r"deepseek-v\1.\2"),
        # others
        (r"^(kimi-k\d)p(\d)", r"\1.\2"),
        (r"^(?:zai-)?glm-(\d)[p-](\d)(?=-|$)", r"glm-\1.\2"),
        (r"^qwen-?(\d)p(\d)", r"qwen\1.\2"),
        (r"^qwen-(\d)", r"qwen\1"),
        (r"^minimax-m(\d)p(\d)", r"minimax-m\1.\2"),
    )
)
