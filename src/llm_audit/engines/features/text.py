"""Extract the features of a request's text that the ledger keeps, and the ask to judge."""

from __future__ import annotations

import re
from itertools import takewhile

import msgspec

from llm_audit.classify.text.select import select
from llm_audit.engines.features.digest import digest
from llm_audit.engines.features.hashing import hash64
from llm_audit.engines.features.line_hash import longest_line_hash
from llm_audit.engines.features.tools import NO_PREFIX, NO_TOOLS, called, offered, stable_prefix
from llm_audit.sources.entry import Message, Request

# Prompts that differ only in dates, counters and ids share a template.
_VARIABLE = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{22}|\d+|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
    r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_MAX_TEMPLATES = 10_000
_templates: dict[tuple[int, tuple[str, ...]], int] = {}


class TextFeatures(msgspec.Struct, kw_only=True, gc=False):
    """The ledger's columns that depend on the text, and the ask, which is dropped when its batch is judged."""

    prompt_hash: int | None
    parent_prompt_hash: int | None
    opening_hash: int | None
    template_hash: int | None
    prefix_hash: int | None
    prefix_chars: int | None
    turns: int | None
    prompt_chars: int | None
    completion_chars: int | None
    tools_offered: str | None
    tools_called: str | None
    tools_chars: int | None
    tool_failed: bool | None
    needs_vision: bool | None
    needs_audio: bool | None
    needs_tools: bool | None
    calls_tools: bool | None
    answers_tools: bool | None
    tool_call_hash: int | None
    tool_result_hash: int | None
    reply_hash: int | None
    quoted_hash: int | None
    ask: str
    judged: str
    abstention: str | None
    step: str


def extract_text_features(request: Request) -> TextFeatures:
    """Return the features of a request's text.

    ``prompt_hash`` chains all messages; ``parent_prompt_hash`` is the chain up to the last reply of the assistant, so
    that it equals the ``prompt_hash`` of the request which that reply answered. A request whose ``quoted_hash`` is the
    ``reply_hash`` of another quotes that reply's longest line.
    """
    messages, redacted = request.messages, request.redacted
    prompt_hash = parent = opening = template = turns = chars = answered_id = failed = plain = None
    vision = audio = answers = quoted_hash = None
    tools, prefix = offered(request) if request.tool_chars else NO_TOOLS, NO_PREFIX
    if messages:
        plain, quoted_hash, prompt_hash, parent, opening, system_chain, turns, chars, images, sounds, answers = digest(
            messages
        )
        vision, audio = images > 0, sounds > 0
        if system_chain or request.tools:
            template = template_hash(system_chain, messages, request.tools)
        if answers:
            answered_id, failed = answered(messages)
        if not redacted:
            prefix = stable_prefix(messages, system_chain, tools)
    selection = select(messages, tools=request.tools, redacted=redacted, operation=request.operation, plain=plain)
    call_id = request.completion_call_id
    has_calls = bool(request.completion_calls) or call_id is not None
    has_text = request.completion is not None
    return TextFeatures(
        prompt_hash=prompt_hash,
        parent_prompt_hash=parent,
        opening_hash=opening,
        template_hash=template,
        prefix_hash=prefix.hash,
        prefix_chars=prefix.chars,
        turns=turns,
        prompt_chars=chars,
        completion_chars=(
            len(request.completion or "") + len(request.completion_calls) if has_text or has_calls else None
        ),
        tools_offered=tools.text,
        tools_called=called(request, tools) if tools.chars else None,
        tools_chars=tools.chars,
        tool_failed=failed,
        needs_vision=vision,
        needs_audio=audio,
        needs_tools=True if request.tools else None if messages is None else False,
        calls_tools=True if has_calls else False if has_text else None,
        answers_tools=answers,
        tool_call_hash=hash64(call_id) if call_id else None,
        tool_result_hash=None if answered_id is None else hash64(answered_id),
        # the placeholders of removed text are the same in all requests
        reply_hash=None if redacted else longest_line_hash(request.completion or ""),
        quoted_hash=None if redacted else quoted_hash,
        ask=selection.text,
        judged=selection.judged,
        abstention=selection.abstention,
        step=selection.step,
    )


def template_hash(system_chain: int, messages: list[Message], tools: tuple[str, ...]) -> int:
    """Return the hash that prompts of one template share: of the system messages before the first turn, and of tools.

    It is kept by the hash of these messages, so that a later one, which is of one conversation, may not decide it.
    """
    key = (system_chain, tools)
    found = _templates.get(key)
    if found is None:
        if len(_templates) >= _MAX_TEMPLATES:
            _templates.clear()
        leading = takewhile(lambda message: message.role in {"system", "assistant"}, messages)
        parts = [_VARIABLE.sub("0", message.text) for message in leading if message.role == "system"]
        found = _templates[key] = hash64("\0".join((*parts, *sorted(tools))))
    return found


def answered(messages: list[Message]) -> tuple[str | None, bool]:
    """Return the id of the first of the tool calls that the last messages answer, and whether all of them failed."""
    call_id, failed = "", True
    for message in reversed(messages):
        if message.role != "tool":
            break
        call_id, failed = message.call_id, failed and message.failed
    return call_id or None, failed
