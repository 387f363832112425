"""Providers' names, as logs and gateways write them."""

from __future__ import annotations

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


def provider_id(name: str | None) -> str | None:
    """Return the price table's id of a provider's name; the name itself, in lower case, where it is unknown.

    >>> provider_id("Azure-OpenAI"), provider_id("ollama"), provider_id(" ")
    ('azure', 'ollama', None)
    """
    text = (name or "").strip().lower()
    if not text or text.replace("-", "_") in GATEWAYS:
        return None
    return PROVIDER_ALIASES.get(text.replace("-", "_").replace(" ", "_"), text)
