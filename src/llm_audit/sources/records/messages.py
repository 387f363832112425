"""Prompts of any provider's shape, read as one list of messages.

Content is a string or a list of parts. Each provider names its parts differently and the names do not collide, so one
reader (``parts``) serves OpenAI chat and Responses, Anthropic, Gemini, Bedrock Converse and OpenTelemetry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llm_audit.sources.entry import Message, Request
from llm_audit.sources.records.fields import Json, canonical, first, mapping, objects, parsed, text
from llm_audit.sources.records.parts import TEXT_FIELDS, Parts, says_failed, text_of

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "chatbot": "assistant",
    "tool": "tool",
    "function": "tool",
    "ipython": "tool",
}
_REDACTED = frozenset({"redacted", "redacted-by-litellm", "[redacted]", "<redacted>", "***", "[filtered]", "hidden"})
LONGEST_PLACEHOLDER = 40  # characters
_SCHEMAS = ("input_schema", "inputSchema", "parameters", "parametersJsonSchema")


def read_messages(messages: object, system: object = None) -> list[Message] | None:
    """Read a prompt: messages, contents or input items, after a system prompt held apart from them.

    A bare string is one user message; JSON in a string is decoded first. None where the log holds no prompt.
    """
    found: list[Message] = []
    if system:
        found += _message("system", system)
    if isinstance(messages, str):
        if messages[:1] == "[" and (turns := written_turns(messages)) is not None:
            return [*found, *turns] if found else turns
        decoded = parsed(messages) if messages[:1] in {"[", "{"} else messages
        messages = decoded if isinstance(decoded, list | dict) else messages
    if isinstance(messages, str):
        if messages:
            found.append(Message("user", messages))
    elif isinstance(messages, list | tuple):
        _add_turns(found, messages)
    elif isinstance(messages, dict) and messages:
        _extend(found, messages)
    return found or None


def read_turn(role: str, content: object) -> list[Message]:
    """Read the content of one turn, as ``read_messages`` reads a list of an object of both."""
    found = _turns(role, content)
    return read_turn_in_python(role, content) if found is None else found


def read_turn_in_python(role: str, content: object) -> list[Message]:
    """Read the content of one turn, whatever it is."""
    turn = _turn(role, content)
    if turn is not None:
        return [turn]
    known = ROLES.get(role)
    if known is None or known == "tool":
        return read_messages([{"role": role, "content": content}]) or []
    parts = Parts()
    parts.add_all(content)
    return [*parts.messages(known)]


def read_reply(items: object) -> tuple[str | None, str, str | None]:
    """Read a model's reply, in any shape that ``read_messages`` reads.

    Returns its text (None where it holds none), the canonical text of its tool calls and the id of the first call.
    """
    if not items:
        return None, "", None
    return joined(read_messages([items] if isinstance(items, dict) else items) or [])


def set_reply(request: Request, items: object) -> None:
    """Set what ``read_reply`` reads as the reply of a request."""
    request.completion, request.completion_calls, request.completion_call_id = read_reply(items)


def joined(messages: Sequence[Message]) -> tuple[str | None, str, str | None]:
    """Return the text of the messages that are a reply, and its calls, as ``read_reply`` does."""
    if len(messages) == 1:
        (only,) = messages
        return only.text or None, only.calls, (only.call_id or None) if only.calls else None
    texts = [message.text for message in messages if message.text]
    calls = [message.calls for message in messages if message.calls]
    call_id = next((message.call_id for message in messages if message.calls and message.call_id), None)
    return "\n".join(texts) if texts else None, "\n".join(calls), call_id


def offer_tools(request: Request, tools: object) -> None:
    """Set the tools that a request offers, where these name any; a provider's own tool is named by its type."""
    found = list(_tools(tools)) if tools else []
    if found:
        names, definitions = zip(*found, strict=True)
        request.tools = names
        request.tool_chars = tuple(len(canonical(definition)) if definition else 0 for definition in definitions)


def _tools(tools: object) -> Iterator[tuple[str, Json | None]]:
    """Yield the name of each tool, and its definition where the prompt holds one that the caller wrote."""
    if isinstance(tools, dict):
        tools = first(tools, "tools") or [tools]
    for tool in objects(tools):
        declared = first(tool, "functionDeclarations", "function_declarations")
        if declared is not None:
            yield from ((name, item) for item in objects(declared) if (name := text(item.get("name"))))
            continue
        inner = mapping(first(tool, "function", "toolSpec", "custom"))
        name = text(inner.get("name")) or text(tool.get("name")) or text(tool.get("type"))
        if name is None and len(tool) == 1 and "cachePoint" not in tool:
            name = next(iter(tool))  # Gemini: {"googleSearch": {}}
        if name is not None:
            written = (inner or first(tool, *_SCHEMAS) is not None) and tool.get("defer_loading") is not True
            yield name, tool if written else None


def is_redacted(messages: Sequence[Message] | None) -> bool:
    """Return whether a gateway removed or cut the text of a prompt, by the placeholders it leaves."""
    for message in messages or ():
        written = message.text
        if (len(written) <= LONGEST_PLACEHOLDER and is_placeholder(written)) or "litellm_truncated" in written:
            return True
    return False


def any_placeholder(messages: Sequence[Message] | None) -> bool:
    """Return whether the text of any message was replaced by a placeholder."""
    for message in messages or ():  # noqa: SIM110 - a generator costs more than the test
        if len(message.text) <= LONGEST_PLACEHOLDER and is_placeholder(message.text):
            return True
    return False


def is_placeholder(value: str) -> bool:
    """Return whether a text is only a placeholder for removed text."""
    return len(value) <= LONGEST_PLACEHOLDER and value.strip().lower() in _REDACTED


def _role(role: object) -> str:
    return ROLES.get(role.strip().lower(), "user") if isinstance(role, str) else "user"


def _add_turns(found: list[Message], items: Sequence[object]) -> None:
    place = 0
    while (place := _add_plain(found, items, place)) < len(items):
        item = items[place]
        turn = _plain_turn(item)
        if turn is None:
            _extend(found, item)
        else:
            found.append(turn)
        place += 1


def _plain_turn(item: Any) -> Message | None:
    """Read a turn of texts alone, as most are; None for any other."""
    if type(item) is not dict:
        return None
    role, content = item.get("role"), item.get("content")
    if len(item) == 2 and type(role) is str and type(content) is str:  # by far the most usual shape
        return Message(ROLES.get(role) or _role(role), content)
    if content is None:
        content = item.get("parts")
    if not content or type(role) is not str or item.get("tool_calls") or item.get("function_call"):
        return None
    role = ROLES.get(role) or _role(role)
    written = None if role == "tool" else text_of(content)
    return None if written is None else Message(role, written)


def _turn(role: str, content: object) -> Message | None:
    """Return a turn of texts alone; None for any other."""
    known = ROLES.get(role)
    if known is None or (known == "tool" and type(content) is not str):
        return None
    written = text_of(content)
    return None if written is None else Message(known, written)


def _extend(found: list[Message], item: object) -> None:
    """Add an item. Calls that Responses lists one by one belong to the reply before them."""
    added = _item(item)
    last = found[-1] if found else None
    if last and added and last.role == added[0].role == "assistant" and isinstance(item, dict) and "role" not in item:
        joined = added[0]
        found[-1] = Message(
            "assistant",
            "\n".join(filter(None, (last.text, joined.text))),
            "\n".join(filter(None, (last.calls, joined.calls))),
            last.call_id or joined.call_id,
            last.images + joined.images,
            last.audio + joined.audio,
        )
    else:
        found += added


def _item(item: object) -> Sequence[Message]:
    if isinstance(item, str):
        return (Message("user", item),)
    if not isinstance(item, dict):
        return ()
    role = item.get("role")
    if role is None:
        kind = item.get("type")
        if isinstance(kind, str) and kind not in ROLES and kind != "message":
            parts = Parts()  # a Responses item that is not a message: a call, its output, reasoning
            parts.add(item)
            return parts.results or (() if parts.empty else parts.messages("assistant"))
        role = kind if isinstance(kind, str) and kind in ROLES else "user"
    return _message(_role(role), item)


def _message(role: str, value: Any) -> Sequence[Message]:
    """Read a turn: its content (a string, parts, or an object that holds them) and its calls."""
    parts = Parts()
    if not isinstance(value, dict):
        parts.add_all(value)
        return parts.messages(role)
    content = first(value, "content", "parts", "text")
    if role == "tool":
        parts.add_all(content)
        call_id = text(first(value, "tool_call_id", "tool_use_id", "call_id", "id")) or ""
        return parts.results or (parts.result(content, call_id, failed=says_failed(value, content)),)
    parts.add_all(content)
    parts.add_calls(value)
    return parts.messages(role)


_add_plain: Callable[[list[Message], Sequence[object], int], int]
_turns: Callable[[str, object], list[Message] | None]
written_turns: Callable[[str], list[Message] | None]
"""Returns the messages of a JSON array of turns of texts alone; None for any other text, and without compiled code."""
try:
    from llm_audit.sources.records import _fields
except ImportError:  # built only where a C compiler is available; each turn is read in Python then
    _add_plain = lambda _found, _items, place: place  # noqa: E731
    _turns, written_turns = lambda _role, _content: None, lambda _text: None
else:
    _fields.prepare_turns(Message, ROLES, TEXT_FIELDS, canonical)
    _add_plain, _turns, written_turns = _fields.add_plain, _fields.turns, _fields.written_turns
