"""Assembly of streamed responses: the chunks of a stream become the body that a plain call returns.

Only the last report of usage counts: OpenAI sends null before it, Anthropic a placeholder, Gemini a running total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from llm_audit.sources.records.fields import Json, as_int, listing, mapping, objects, parsed, text
from llm_audit.sources.records.streams.events import data_of, decoded_lines, objects_of

taken_together: Callable[[str], tuple[bytes, int, bool] | None] | None = None
chat_body: Callable[[list[Any], frozenset[str] | None], Json | None] | None = None
with suppress(ImportError):  # built only where a C compiler is available; each event is decoded by itself then
    from llm_audit.sources.records.streams._alike import chat_body, taken_together


def streamed_body(body: str) -> Json:
    """Return the body that a stream of server-sent events adds up to."""
    found = _of_alike(*alike) if taken_together and (alike := taken_together(body)) else None
    if found is not None:
        return found
    written = body.splitlines()
    return assemble(objects_of(written, data_of(written)))


def _of_alike(lines: bytes, count: int, is_messages: bool) -> Json | None:  # noqa: FBT001 - as compiled code has it
    """Return the body of events taken together; None where another text than that of a reply may have been."""
    chunks = decoded_lines(lines, count)
    if chunks is None:
        return None
    if is_messages:
        return _of_anthropic(chunks) if chunks[0].get("type") == "message_start" else None
    found = chat_body(chunks, _NOT_IN_CHAT) if chat_body else None
    return found if found is None else _with_usage(found, chunks)


def assemble(chunks: Sequence[Json]) -> Json:
    """Return the body that a provider's chunks add up to; an empty one where they are of no known kind."""
    kinds = {kind for chunk in chunks if isinstance(kind := chunk.get("type"), str)}
    if "message_start" in kinds or "message_delta" in kinds:
        return _of_anthropic(chunks)
    if any(kind.startswith("response.") for kind in kinds):
        return _of_responses(chunks)
    fields = set().union(*chunks)
    for names, reader in _READERS:
        if not names.isdisjoint(fields):
            return reader(chunks)
    return next((chunk for chunk in chunks if "error" in chunk or "usage" in chunk), {})


def is_chunk(item: Json) -> bool:
    """Return whether an object is the first chunk of a stream, rather than a message or a whole response."""
    kind = item.get("type")
    if isinstance(kind, str):
        return kind == "message_start" or kind.startswith("response.")
    if "choices" in item:
        return item.get("object") == "chat.completion.chunk" or "delta" in next(objects(item["choices"]), {})
    return not _CHUNKS.isdisjoint(item)


def _of_chat(chunks: Sequence[Json]) -> Json:
    if chat_body is not None and type(chunks) is list and (found := chat_body(chunks, None)):
        return _with_usage(found, chunks)
    texts: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in objects(chunk.get("choices")):
            delta = choice.get("delta")
            if type(delta) is not dict or not delta:
                delta = mapping(delta) or choice
            texts += [part for part in (delta.get("content"), delta.get("text")) if type(part) is str]
            if given := delta.get("tool_calls"):
                _add_calls(calls, given)
    message = {
        "role": "assistant",
        "content": "".join(texts),
        "tool_calls": [
            {"id": held["id"], "function": {"name": held["name"], "arguments": "".join(held["arguments"])}}
            for _, held in sorted(calls.items())
        ],
    }
    body = {**_last_of(chunks), "object": "chat.completion", "choices": [{"message": message}]}
    return _with_usage(body, chunks)


def _with_usage(body: Json, chunks: Sequence[Json]) -> Json:
    """Return a body with the usage that its stream's last choice holds, where no chunk does: Moonshot puts it there."""
    if body.get("usage") or "x_groq" in body:
        return body
    held = (choice.get("usage") for chunk in chunks[-_LAST:] for choice in objects(chunk.get("choices")))
    usage = next(filter(None, map(mapping, held)), None)
    return {**body, "usage": usage} if usage else body


def _add_calls(calls: dict[int, dict[str, Any]], given: object) -> None:
    """Add the pieces of tool calls that a chunk holds."""
    for call in objects(given):
        function = mapping(call.get("function"))
        held = calls.setdefault(as_int(call.get("index")) or 0, {"id": None, "name": "", "arguments": []})
        held["id"] = held["id"] or call.get("id")
        held["name"] = held["name"] or text(function.get("name")) or ""
        held["arguments"].append(text(function.get("arguments")) or "")


def _of_responses(chunks: Sequence[Json]) -> Json:
    states = [mapping(chunk.get("response")) for chunk in chunks if chunk.get("response")]
    done = [state for state in states if state.get("usage")]
    body = (done or states or [{}])[-1]
    if body.get("output") or not states:
        return body
    items: list[Any] = [chunk.get("item") for chunk in chunks if chunk.get("type") == "response.output_item.done"]
    if not items:  # of a stream that was cut, as far as it went
        deltas = [chunk.get("delta") for chunk in chunks if chunk.get("type") == "response.output_text.delta"]
        said = "".join(delta for delta in deltas if isinstance(delta, str))
        items = [{"type": "message", "role": "assistant", "content": said}] if said else []
    return {**body, "output": items}


def _of_interaction(chunks: Sequence[Json]) -> Json:
    """Return the interaction of Gemini's as its last event has it, with its usage once it is done."""
    states = [mapping(chunk.get("interaction")) for chunk in chunks if chunk.get("interaction")]
    return next((state for state in reversed(states) if "usage" in state), (states or [{}])[-1])


def _of_anthropic(chunks: Sequence[Json]) -> Json:
    body: dict[str, Any] = {"type": "message"}
    usage: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        kind = chunk.get("type")
        place = as_int(chunk.get("index")) or 0
        if kind == "message_start":
            body.update(mapping(chunk.get("message")))
            usage.update(mapping(body.get("usage")))
        elif kind == "message_delta":
            body.update(mapping(chunk.get("delta")))
            usage.update({name: value for name, value in mapping(chunk.get("usage")).items() if value is not None})
        elif kind == "content_block_start":
            blocks[place] = {**mapping(chunk.get("content_block")), "_texts": []}
        elif kind == "content_block_delta" and place in blocks:
            delta = mapping(chunk.get("delta"))
            blocks[place]["_texts"] += [
                part for name in ("text", "partial_json") if isinstance(part := delta.get(name), str)
            ]
        elif kind == "error":
            body["error"] = chunk.get("error") or True
        elif kind == "message_stop":
            body.update({name: value for name, value in chunk.items() if name.startswith("amazon-bedrock")})
    if "message_delta" not in [chunk.get("type") for chunk in chunks]:
        usage.pop("output_tokens", None)  # the stream was cut: the first count is a placeholder
    body["usage"] = usage
    body["content"] = [_block(block) for _, block in sorted(blocks.items())]
    return body


def _block(block: dict[str, Any]) -> Json:
    content = "".join(block.pop("_texts"))
    if not content:
        return block
    return {**block, "input": parsed(content)} if "input" in block else {**block, "text": content}


def _of_gemini(chunks: Sequence[Json]) -> Json:
    parts = [
        mapping(part)
        for chunk in chunks
        for candidate in objects(chunk.get("candidates"))
        for part in listing(mapping(candidate.get("content")).get("parts"))
    ]
    usage: dict[str, Any] = {}
    for chunk in chunks:
        usage.update(mapping(chunk.get("usageMetadata")))
    texts = [value for part in parts if isinstance(value := part.get("text"), str) and not part.get("thought")]
    others = [part for part in parts if not isinstance(part.get("text"), str)]
    whole_text = [{"text": "".join(texts)}] if texts else []
    content = {"role": "model", "parts": [*whole_text, *others]}
    return {**_last_of(chunks), "usageMetadata": usage, "candidates": [{"content": content}]}


def _of_converse(chunks: Sequence[Json]) -> Json:
    blocks: dict[int, dict[str, Any]] = {}
    body: dict[str, Any] = {}
    for chunk in chunks:
        start, delta = mapping(chunk.get("contentBlockStart")), mapping(chunk.get("contentBlockDelta"))
        place = as_int((start or delta).get("contentBlockIndex")) or 0
        held = blocks.setdefault(place, {"texts": [], "tool": {}}) if start or delta else {"texts": [], "tool": {}}
        held["tool"].update(mapping(mapping(start.get("start")).get("toolUse")))
        inner = mapping(delta.get("delta"))
        value = inner.get("text") or mapping(inner.get("toolUse")).get("input")
        held["texts"] += [value] if isinstance(value, str) else []
        body.update(mapping(chunk.get("metadata")))
        body.update(mapping(chunk.get("messageStop")))
    content: list[Json] = []
    for _, held in sorted(blocks.items()):
        joined = "".join(held["texts"])
        content.append({"toolUse": {**held["tool"], "input": parsed(joined)}} if held["tool"] else {"text": joined})
    return {**body, "output": {"message": {"role": "assistant", "content": content}}}


def _of_ollama(chunks: Sequence[Json]) -> Json:
    messages = [mapping(chunk.get("message")) for chunk in chunks]
    content = "".join(part for message in messages if isinstance(part := message.get("content"), str))
    content += "".join(part for chunk in chunks if isinstance(part := chunk.get("response"), str))
    calls = [call for message in messages for call in listing(message.get("tool_calls"))]
    return {**_last_of(chunks), "message": {"role": "assistant", "content": content, "tool_calls": calls}}


def _last_of(chunks: Iterable[Json]) -> dict[str, Any]:
    """Return the last value that is not null of every top-level field."""
    found: dict[str, Any] = {}
    for chunk in chunks:
        has_null = None in chunk.values()
        found.update({name: value for name, value in chunk.items() if value is not None} if has_null else chunk)
    return found


_LAST = 3  # chunks of which one ends a reply: after it may be one without choices, and one that says no more
_CHUNKS = frozenset({"usageMetadata", "candidates", "messageStart", "contentBlockDelta", "done"})
_READERS: tuple[tuple[frozenset[str], Callable[[Sequence[Json]], Json]], ...] = (
    (frozenset({"interaction"}), _of_interaction),
    (frozenset({"usageMetadata", "candidates"}), _of_gemini),
    (frozenset({"contentBlockDelta", "messageStop", "metadata"}), _of_converse),
    (frozenset({"choices"}), _of_chat),
    (frozenset({"done"}), _of_ollama),
)  # by the fields that identify a provider's chunks
_NOT_IN_CHAT = frozenset(
    {"type", "content", "usageMetadata", "candidates", "contentBlockDelta", "messageStop", "metadata"}
)
"""Fields of other providers' chunks, and one whose text would be taken together with those of a reply."""
