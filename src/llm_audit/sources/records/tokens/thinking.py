"""Thinking of Gemini's models, which other vocabularies than Google's own leave out of the output or do not place.

Google's OpenAI-compatible endpoint counts it in the total alone; under the name ``reasoning_tokens`` some loggers keep
what comes on top of the output, others what is a part of it.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from llm_audit.sources.entry import Request, Usage
from llm_audit.vocabulary import UsageSource

_WITHOUT_THINKING = re.compile(
    r"gemini-(?:1\b|1\.|2\.0|pro(?:-vision)?$|exp\b|embedding|(?:pro|flash)-1\.5)(?!.*thinking)|-(?:image|tts|live)\b"
)
_MOST = 65_536
"""Tokens that a call may think, which no model exceeds: what a total holds beyond is no thinking."""


def thinks(model: str) -> bool:
    """Return whether a model is one of Gemini's that think.

    >>> [thinks(name) for name in ("google/gemini-2.5-pro", "gemini-flash-latest", "gemini-2.0-flash", "gpt-5")]
    [True, True, False, False]
    """
    name = model.lower()
    return "gemini" in name and _WITHOUT_THINKING.search(name) is None


def count_thinking(request: Request) -> None:
    """Count as output, in place, what only the total of a Gemini call holds, where no other field may explain it."""
    usage = request.usage
    hidden = usage.unexplained_tokens
    if not hidden or hidden > _MOST or usage.reasoning_tokens or usage.unread_counts:
        return
    if (usage.input_tokens or usage.cache_read_tokens) and thinks(request.model):
        output = (usage.output_tokens or 0) + hidden
        request.usage = replace(usage, output_tokens=output, reasoning_tokens=hidden, unexplained_tokens=None)


def perhaps_on_top(usage: Usage) -> Usage:
    """Return a usage with its reasoning on top of the output: the upper bound, since it may be a part of it."""
    reasoning = usage.reasoning_tokens or 0
    return replace(
        usage,
        usage_source=UsageSource.AMBIGUOUS,
        output_tokens=(usage.output_tokens or 0) + reasoning,
        ambiguous_tokens=(usage.ambiguous_tokens or 0) + reasoning,
    )
