"""Undated model lines: what is left of a model's name without its date, its region and its host's way to write it."""

from __future__ import annotations

import re
from functools import lru_cache

from llm_audit.model_names.references import BEDROCK_PREFIX, parse

_CLEANUPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # fine-tunes belong to the line that they were tuned from
        (r"^ft:([^:]+)(?::.*)?$", r"\1"),
        (r"^.*/", ""),
        (r"\[1m\]$", ""),  # Claude Code's way to ask for a context of a million tokens
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


@lru_cache(maxsize=65536)
def canonical(model: str) -> str:
    """Return the undated model line of a name, in lower case, as the catalogue names it.

    Prefixes, dates, regions, API versions and hosts' naming variants are removed; what distinguishes models (size,
    generation, ``-2411`` at Mistral) is kept.

    >>> canonical("us.anthropic.claude-3-5-sonnet-20241022-v2:0"), canonical("gpt-4o-mini-2024-07-18")
    ('claude-3-5-sonnet', 'gpt-4o-mini')
    """
    text = parse(None, model).model
    text = BEDROCK_PREFIX.sub("", text)
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
