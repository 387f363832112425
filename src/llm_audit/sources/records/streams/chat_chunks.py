"""Chunks of a streamed chat completion that holds text alone, as most do, decoded into structs.

A stream with anything else in it (tool calls, several kinds of events, fields that few providers send) is left to
``assemble``, which reads it to the same result.
"""

from __future__ import annotations

from typing import Any

import msgspec

from llm_audit.sources.records.fields import Json


class _Delta(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    role: str | None = None
    content: str | None = None
    refusal: None = None


class _Choice(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    index: int | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None
    logprobs: None = None


class _Chunk(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    id: str | None = None
    object: str | None = None
    created: int | None = None
    model: str | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    choices: list[_Choice] | None = None
    usage: dict[str, Any] | None = None
    obfuscation: str | None = None


_decode_lines = msgspec.json.Decoder(_Chunk).decode_lines
_FIELDS = tuple(name for name in _Chunk.__struct_fields__ if name not in {"object", "choices"})


def chat_body(lines: str | bytes, count: int) -> Json | None:
    """Return the body that the chunks of a chat completion add up to; None where any is not as most are.

    Args:
        lines: The chunks, each an object in one line.
        count: How many they are.
    """
    try:
        chunks = _decode_lines(lines)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(chunks) != count or chunks[0].choices is None:
        return None
    body: dict[str, Any] = {}
    choices = [choice for chunk in chunks if chunk.choices for choice in chunk.choices]
    texts = [choice.delta.content for choice in choices if choice.delta is not None and choice.delta.content]
    for name in _FIELDS:
        for chunk in reversed(chunks):
            value = getattr(chunk, name)
            if value is not None:
                body[name] = value
                break
    message = {"role": "assistant", "content": "".join(texts), "tool_calls": []}
    return {**body, "object": "chat.completion", "choices": [{"message": message}]}
