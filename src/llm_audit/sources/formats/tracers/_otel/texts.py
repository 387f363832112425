"""The prompts and replies of OpenTelemetry GenAI spans, from wherever an instrumentation puts them."""

from __future__ import annotations

import re
from typing import Any

from llm_audit.sources.entry import Request
from llm_audit.sources.records.attributes import Names, indexed, names_of
from llm_audit.sources.records.fields import Json, first, firsts, listing, mapping, objects, parsed, text
from llm_audit.sources.records.messages import is_redacted, offer_tools, read_messages, set_reply, written_turns
from llm_audit.sources.records.tracing import Span

_MESSAGE_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_FIELDS = (
    ("gen_ai.system_instructions",),
    ("gen_ai.input.messages", "gen_ai.prompt"),
    ("gen_ai.output.messages", "gen_ai.completion"),
    ("gen_ai.tool.definitions",),
)
_TURN = re.compile(r"^(system|developer|user|assistant|tool): ", re.MULTILINE)


def set_texts(request: Request, span: Span, names: Names) -> None:
    """Set a request's prompt, tools and reply from a span's attributes, whose names are known, and its events."""
    fields = span.attributes
    if span.events:  # some carry the attributes that a span itself may carry
        carried = [attributes for name, attributes in span.events if name not in _MESSAGE_EVENTS and name != _CHOICE]
        fields = {name: value for attributes in (*carried, fields) for name, value in attributes.items()}
        names = names_of(fields)
    numbered = bool(names.numbered)
    system, prompt, reply, tools = firsts(fields, _FIELDS)
    turns = written_turns(prompt) if type(prompt) is str and prompt[:1] == "[" and system is None else None
    if turns is None:
        turns = read_messages(_prompt(prompt, fields, numbered=numbered) or _from_events(span), parsed(system))
    request.messages = turns
    request.redacted = is_redacted(request.messages)
    if tools is not None or numbered:
        offer_tools(request, _tools(tools, fields, numbered=numbered))
    if reply is not None or numbered or span.events:
        set_reply(request, _reply(reply, fields, span, numbered=numbered))


def _prompt(written: object, fields: Json, *, numbered: bool) -> Any:
    given = parsed(written)
    if type(given) is list:
        return given
    if isinstance(given, str) and _TURN.match(given):
        return _turns(given)
    if given is not None:
        body = mapping(given)
        return first(body, "messages", "contents", "prompt") or given
    found = (indexed(fields, "gen_ai.prompt") or indexed(fields, "llm.prompts")) if numbered else []
    return [_numbered(item) for item in found]


def _turns(written: str) -> list[Json]:
    """Split a prompt that OpenLIT wrote as lines of ``role: text`` into its turns."""
    starts = [*_TURN.finditer(written)]
    ends = [*(turn.start() for turn in starts[1:]), len(written)]
    return [
        {"role": turn[1], "content": written[turn.end() : end].strip()} for turn, end in zip(starts, ends, strict=True)
    ]


def _reply(written: object, fields: Json, span: Span, *, numbered: bool) -> Any:
    given = parsed(written)
    if given is not None:
        return given
    found = (indexed(fields, "gen_ai.completion") or indexed(fields, "llm.completions")) if numbered else []
    choices = [parsed(event.get("message")) or _body(event) for name, event in span.events if name == _CHOICE]
    return [_numbered(item) for item in found] or [{"role": "assistant", **mapping(choice)} for choice in choices]


def _numbered(item: Json) -> Json:
    """Read one numbered message, whose content may be JSON parts and whose tool calls are numbered in turn."""
    calls = [
        {"id": call.get("id"), "function": {"name": call.get("name"), "arguments": call.get("arguments")}}
        for call in indexed(item, "tool_calls")
    ]
    content = item.get("content")
    return {**item, "content": listing(content) or content, "tool_calls": calls}


def _from_events(span: Span) -> list[Json]:
    return [
        {"role": role, **_body(attributes)}
        for name, attributes in span.events
        if (role := _MESSAGE_EVENTS.get(name)) is not None
    ]


def _body(attributes: Json) -> Json:
    """Read a message event, whose fields are attributes or JSON in one of them."""
    found = mapping(first(attributes, "gen_ai.event.content", "body")) or attributes
    inner = mapping(found.get("message")) or found
    known = {key: parsed(inner[key]) for key in ("content", "tool_calls") if key in inner}
    call_id = text(first(inner, "id", "tool_call_id"))
    return known if call_id is None else {**known, "tool_call_id": call_id}


def _tools(written: object, fields: Json, *, numbered: bool) -> list[Any]:
    declared = [parsed(tool) for tool in listing(written)]
    return declared or (list(objects(indexed(fields, "llm.request.functions"))) if numbered else [])
