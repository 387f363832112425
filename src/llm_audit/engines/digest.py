"""What the ledger keeps of a request's text: hashes, sizes and needs, and the ask that will be judged."""

from __future__ import annotations

import re
from typing import NamedTuple

from xxhash import xxh3_64_intdigest

from llm_audit.classify.text.select import select
from llm_audit.engines.hashing import hash64
from llm_audit.engines.passages import passage_hash
from llm_audit.sources.entry import Message, Request

_ROLE_SEEDS = {role: hash64(role) for role in ("system", "user", "assistant", "tool")}
# A template's date, counter or id is not a new template.
_VARIABLE = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{22}|\d+|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
    r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_MAX_TEMPLATES = 10_000
_templates: dict[tuple[int, tuple[str, ...]], int] = {}


class Digest(NamedTuple):
    """Columns that come of the text, and the text to judge, which goes no further than the batch."""

    prompt_hash: int | None
    parent_prompt_hash: int | None
    template_hash: int | None
    turns: int | None
    prompt_chars: int | None
    completion_chars: int | None
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


def digest(request: Request) -> Digest:
    """Reduce a request to what the ledger keeps of its text.

    ``prompt_hash`` chains all messages; ``parent_prompt_hash`` is the chain up to the last reply of the assistant, so
    that it equals the ``prompt_hash`` of the request which that reply answered. A request whose ``quoted_hash`` is the
    ``reply_hash`` of another was given that reply's longest line.
    """
    messages = request.messages
    selection = select(messages, tools=request.tools, redacted=request.redacted, operation=request.operation)
    prompt_hash = parent = template = turns = chars = answered = None
    vision = audio = answers = None
    if messages:
        chain = system_chain = images = sounds = chars = turns = 0
        previous = ""
        for message in messages:
            role = message.role
            if role == "assistant":
                if previous != "assistant":
                    parent = chain
            elif role != "system":
                turns += 1
            text = message.text
            chars += len(text)
            chain = xxh3_64_intdigest(text.encode(), chain ^ (_ROLE_SEEDS.get(role) or hash64(role)))
            if message.calls or message.images or message.audio:
                chain = hash64(f"{message.calls}\0{message.images}\0{message.audio}", chain)
                chars += len(message.calls)
                images += message.images
                sounds += message.audio
            if role == "system" and not turns:
                system_chain = chain
            previous = role
        prompt_hash = chain
        vision, audio = images > 0, sounds > 0
        if system_chain or request.tools:
            template = _template(system_chain, messages, request.tools)
        answers = previous == "tool"
        if answers:
            answered = _first_answered(messages)
    call_id = request.completion_call_id
    calls = bool(request.completion_calls) or call_id is not None
    told = request.completion is not None
    return Digest(
        prompt_hash,
        parent,
        template,
        turns,
        chars,
        len(request.completion or "") + len(request.completion_calls) if told or calls else None,
        vision,
        audio,
        True if request.tools else None if messages is None else False,
        True if calls else False if told else None,
        answers,
        hash64(call_id) if call_id else None,
        hash64(answered) if answered else None,
        *_passages(request),
        selection.text,
        selection.judged,
        selection.abstention,
        selection.step,
    )


def _template(system_chain: int, messages: list[Message], tools: tuple[str, ...]) -> int:
    key = (system_chain, tools)
    found = _templates.get(key)
    if found is None:
        if len(_templates) >= _MAX_TEMPLATES:
            _templates.clear()
        parts = [_VARIABLE.sub("0", message.text) for message in messages if message.role == "system"]
        found = _templates[key] = hash64("\0".join((*parts, *sorted(tools))))
    return found


def _passages(request: Request) -> tuple[int | None, int | None]:
    """What the reply is known by, and what the user messages that end the prompt are: all that is new in it."""
    if request.redacted:  # what stands in place of removed text is the same in all requests
        return None, None
    messages = request.messages or []
    first = len(messages)
    while first and messages[first - 1].role == "user":
        first -= 1
    asked = "\n".join([message.text for message in messages[first:]])
    return passage_hash(request.completion or ""), passage_hash(asked)


def _first_answered(messages: list[Message]) -> str:
    """The id of the first of the tool calls that the last messages answer."""
    answered = ""
    for message in reversed(messages):
        if message.role != "tool":
            break
        answered = message.call_id
    return answered
