"""All log formats, in the order in which their signatures are tried: the narrow before the wide."""

from __future__ import annotations

from difflib import get_close_matches

from llm_audit.errors import UsageError
from llm_audit.sources.formats.agents import claude_code, codex
from llm_audit.sources.formats.gateways import (
    cloudflare,
    helicone,
    kong,
    litellm,
    litellm_spend,
    openrouter,
    openrouter_csv,
    portkey,
)
from llm_audit.sources.formats.interface import Format
from llm_audit.sources.formats.plain import flat, simonw_llm, traffic
from llm_audit.sources.formats.providers import (
    anthropic_messages,
    azure,
    batches,
    bedrock_log,
    bedrock_pairs,
    gemini,
    ollama,
    openai_chat,
    openai_responses,
)
from llm_audit.sources.formats.tracers import (
    braintrust,
    datadog,
    langfuse,
    langsmith,
    openinference,
    otel,
    otlp,
    vercel_ai,
)

FORMATS: tuple[Format, ...] = (
    # 1 OTLP
    otlp.FORMAT,
    # 2 Bedrock invocation log
    bedrock_log.FORMAT,
    # 3 batches, told by their container
    batches.OPENAI_INPUT,
    batches.OPENAI_OUTPUT,
    batches.ANTHROPIC_OUTPUT,
    batches.BEDROCK,
    # 4 LiteLLM
    litellm.FORMAT,
    litellm_spend.FORMAT,
    # 5 Langfuse
    langfuse.FORMAT,
    # 6 LangSmith, Helicone, Portkey, OpenRouter, Braintrust, Datadog, simonw/llm
    langsmith.FORMAT,
    helicone.FORMAT,
    portkey.FORMAT,
    openrouter_csv.FORMAT,
    braintrust.FORMAT,
    datadog.FORMAT,
    simonw_llm.FORMAT,
    # 7 coding agents
    codex.FORMAT,
    claude_code.FORMAT,
    # 8 cloud gateways and traces without prompts
    azure.DIAGNOSTICS,
    azure.GATEWAY,
    azure.LLM_LOG,
    gemini.VERTEX_LOG,
    cloudflare.FORMAT,
    kong.FORMAT,
    traffic.MOONCAKE,
    traffic.AZURE,
    # 9 flat span attributes
    vercel_ai.FORMAT,
    openinference.FORMAT,
    otel.FORMAT,
    # 10 pairs of request and response, and bare bodies
    openai_responses.FORMAT,
    anthropic_messages.FORMAT,
    bedrock_pairs.FORMAT,
    gemini.FORMAT,
    openrouter.FORMAT,
    ollama.FORMAT,
    openai_chat.FORMAT,
    # 11 home-made records
    flat.FORMAT,
)


def get(name: str) -> Format:
    """Return the format of this name. Raises ``UsageError`` naming the known ones."""
    known = {form.info.name: form for form in FORMATS}
    if name in known:
        return known[name]
    close = get_close_matches(name, known, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    raise UsageError(f'There is no log format "{name}".{hint} Known formats: {", ".join(sorted(known))}.')
