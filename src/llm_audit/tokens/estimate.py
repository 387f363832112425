"""Estimate token counts where a log has text but no usage."""

from __future__ import annotations

from msgspec.structs import replace

from llm_audit.model_names import canonical
from llm_audit.sources.entry import NO_USAGE, Request, Usage
from llm_audit.tokens.count import count_text
from llm_audit.tokens.images import image_tokens
from llm_audit.vocabulary import Operation, Status, UsageSource

_COUNTS = (
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "unexplained_tokens",
    "tool_calls_billed",
    "fees_billed",
)
_BILLED_BY_TEXT = frozenset({Operation.CHAT.value, Operation.EMBEDDING.value})
TOKENS_PER_MESSAGE = 3
TOKENS_TO_PRIME_REPLY = 3
TOKENS_PER_TOOL = 7
TOKENS_AFTER_TOOLS = 12
CLAUDE_TOOL_PROMPT_TOKENS = 346
"""Overheads: a chat message and the primed reply (3 each), a function's frame (7, and 12 for them all) by OpenAI's
cookbook on counting tokens; Claude's hidden tool prompt by its documentation. A tool's schema is not in the request's
record, only its name, so that requests with tools are undercounted."""


def fill(request: Request) -> None:
    """Count a request's tokens from its text, in place, where the log reports none.

    A count is filled only where it is missing and its text is present; ``usage_source`` then becomes ``estimated``. A
    failed call and redacted text are left alone: what was billed, if anything, is unknown, and so are images, speech
    and others whose text is not what is billed. Cache use is unknown, so that all input counts as fresh. Zeros alone,
    of a call that did not fail, are what loggers write for counts that they do not know.
    """
    if request.status == Status.ERROR.value:
        return
    if _is_all_zeros(request.usage) and _took_tokens(request):
        request.usage = NO_USAGE
    if request.redacted or request.operation not in _BILLED_BY_TEXT:
        return
    estimates: dict[str, int | None] = {}
    if request.messages is not None and not _has_input(request.usage):
        images = sum(message.images for message in request.messages)
        image_input = images * image_tokens(request.model) if images else 0
        estimates["input_tokens"] = _prompt_tokens(request) + image_input
        estimates["image_input_tokens"] = image_input or None
    has_output = request.usage.output_tokens is not None or request.usage.audio_output_tokens is not None
    if not has_output and (request.completion is not None or request.completion_calls):
        text = count_text(request.completion or "", request.model)
        estimates["output_tokens"] = text + count_text(request.completion_calls, request.model)
    if estimates:
        request.usage = replace(request.usage, usage_source=UsageSource.ESTIMATED.value, **estimates)


def _is_all_zeros(usage: Usage) -> bool:
    return usage.input_tokens == 0 and not any(getattr(usage, name) for name in _COUNTS)


def _took_tokens(request: Request) -> bool:
    """Return whether a call must have taken tokens: one that was cancelled, where there is a reply."""
    replied = bool(request.completion or request.completion_calls)
    return request.operation != Operation.MODERATION and (replied or request.status != Status.CANCELLED.value)


def _has_input(usage: Usage) -> bool:
    counts = (
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.audio_input_tokens,
    )
    return any(count is not None for count in counts)


def _prompt_tokens(request: Request) -> int:
    model = request.model
    total = TOKENS_TO_PRIME_REPLY
    for message in request.messages or ():
        total += TOKENS_PER_MESSAGE + count_text(message.text, model) + count_text(message.calls, model)
    if request.tools:
        names = sum(count_text(name, model) for name in request.tools)
        claude = canonical(model).startswith("claude")
        frame = CLAUDE_TOOL_PROMPT_TOKENS if claude else TOKENS_AFTER_TOOLS
        total += names + TOKENS_PER_TOOL * len(request.tools) + frame
    return total
