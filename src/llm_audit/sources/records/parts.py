"""The parts of a message, under the names that any provider gives them.

Reasoning and signatures are left out, since they are not sent back as they came. A tool's result becomes a message of
its own, whichever message it came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_audit.sources.entry import Message
from llm_audit.sources.records.fields import Json, canonical, first, mapping, objects, parsed, text

_IMAGES = frozenset({"image", "image_url", "input_image", "video", "video_url", "input_video", "document_url"})
_FILES = frozenset({"document", "file", "input_file", "container_upload"})
_AUDIO = frozenset({"audio", "input_audio", "audio_url"})
_CALLS = frozenset({"tool_use", "function_call", "custom_tool_call", "tool_call"})
_RESULTS = frozenset({"tool_result", "function_call_output", "custom_tool_call_output", "tool_call_response"})
_REASONING = frozenset({"thinking", "redacted_thinking", "reasoning", "compaction", "item_reference"})
_PROVIDERS_OWN = frozenset({"server_tool_use", "mcp_tool_use"})  # run by the provider: the caller returns no result
TEXT_FIELDS = frozenset({"type", "text", "content", "cache_control", "citations", "annotations", "logprobs"})
"""The fields of a part that holds a text and nothing else."""
_FAILURES = frozenset({"error", "failed", "failure", "error-text", "error-json"})
_CODEX_RESULT = '{"output":'  # a shell's output, with the exit code in its metadata
_TEXT_FORMATS = frozenset({"txt", "md", "csv", "html"})  # Bedrock's names of documents that any model reads
_DEEPEST = 4  # a tool's result holds parts, which may hold parts; nothing real goes deeper


def text_of(content: object) -> str | None:
    """Return the text of content that is nothing but texts, as ``Parts`` joins them; None where it is anything else."""
    if type(content) is str:
        return content
    if type(content) is not list:
        return None
    texts = []
    for part in content:
        written = _plain_text(part)
        if written is None:
            return None
        texts.append(written)
    return texts[0] if len(texts) == 1 else "\n".join(texts)


def _plain_text(part: object) -> str | None:
    """Return the text of a part that holds one and nothing else; None for any other part."""
    if type(part) is str:
        return part
    if type(part) is not dict or part.get("type") != "text" or not (len(part) == 2 or part.keys() <= TEXT_FIELDS):
        return None
    written = part.get("text")
    if written is None or written == "":
        written = part.get("content")
    return written if type(written) is str and written else None


class Parts:
    """Collects the parts of one message."""

    __slots__ = ("_audio", "_call_id", "_calls", "_depth", "_images", "_texts", "results")

    def __init__(self, depth: int = 0) -> None:
        self._texts: list[str] = []
        self._calls: list[str] = []
        self._call_id = ""
        self._images = 0
        self._audio = 0
        self.results: list[Message] = []  # of tools, each a message of its own
        self._depth = depth

    @property
    def empty(self) -> bool:
        """Return whether there is nothing besides results."""
        return not (self._texts or self._calls or self._images or self._audio)

    def messages(self, role: str) -> Sequence[Message]:
        """Return the results of tools, then what else there is as one message of this role.

        Inside a model's own turn only the provider's tools return results, which are not messages to the model.
        """
        results = self.results if role != "assistant" else []
        if results and self.empty:
            return results
        joined = "\n".join(self._texts)
        return [*results, Message(role, joined, "\n".join(self._calls), self._call_id, self._images, self._audio)]

    def add_all(self, content: Any) -> None:
        """Add content: a string, a part, or a list of either."""
        if isinstance(content, list | tuple):
            for part in content:
                self.add(part)
        else:
            self.add(content)

    def add(self, part: Any) -> None:
        """Add one part; anything else is ignored."""
        if isinstance(part, str):
            self._texts.append(part)
        if not isinstance(part, dict) or self._depth > _DEEPEST:
            return
        written = _plain_text(part)
        if written is not None:
            self._texts.append(written)
            return
        kind = part.get("type")
        kind = kind if isinstance(kind, str) else ""
        if kind in _REASONING or kind in _PROVIDERS_OWN or part.get("thought") is True or "reasoningContent" in part:
            return
        if not (self._add_tool(kind, part) or self._add_media(kind, part)):
            self._add_text(part)

    def add_calls(self, message: Json) -> None:
        """Add the calls an OpenAI assistant message holds next to its content."""
        for call in objects(message.get("tool_calls")):
            self._call(mapping(call.get("function")) or mapping(call.get("custom")) or call, text(call.get("id")))
        if legacy := mapping(message.get("function_call")):
            self._call(legacy, None)

    def result(self, content: Any, call_id: str, *, failed: bool) -> Message:
        """Read a tool's result: parts, a string, or any JSON."""
        if type(content) is str:
            return Message("tool", content, "", call_id, 0, 0, failed)
        inner = Parts(self._depth + 1)
        inner.add_all(content)
        joined = "\n".join(inner._texts) if not inner.empty or not content else canonical(content)
        return Message("tool", joined, "", call_id, inner._images, inner._audio, failed)

    def _add_tool(self, kind: str, part: Json) -> bool:
        if kind in _CALLS:
            self._call(mapping(part.get("function")) or part, text(first(part, "call_id", "id")))
        elif called := mapping(first(part, "functionCall", "function_call", "toolUse")):
            self._call(called, text(first(called, "toolUseId", "id")))
        elif kind in _RESULTS or kind.endswith("_tool_result"):
            call_id = text(first(part, "tool_use_id", "call_id", "id")) or ""
            content = first(part, "content", "output", "response", "result")
            self.results.append(self.result(content, call_id, failed=says_failed(part, content)))
        elif returned := mapping(first(part, "functionResponse", "function_response", "toolResult")):
            call_id = text(first(returned, "toolUseId", "id")) or ""
            content = first(returned, "content", "response")
            self.results.append(self.result(content, call_id, failed=says_failed(returned, content)))
        else:
            return False
        return True

    def _call(self, call: Json, call_id: str | None) -> None:
        arguments = canonical(first(call, "arguments", "input", "args"))
        self._calls.append(f"{text(call.get('name')) or ''}({arguments})")
        self._call_id = self._call_id or call_id or ""

    def _add_media(self, kind: str, part: Json) -> bool:
        data = mapping(first(part, "inlineData", "inline_data", "fileData", "file_data"))
        if data:
            media = text(first(data, "mimeType", "mime_type")) or ""
            self._audio += media.startswith("audio/")
            self._images += not media.startswith(("audio/", "text/"))
        elif kind in _IMAGES or isinstance(part.get("image"), dict) or isinstance(part.get("video"), dict):
            self._images += 1
        elif kind in _AUDIO:
            self._audio += 1
        elif kind in _FILES or isinstance(part.get("document"), dict):
            self._add_document(mapping(part.get("document")) or part)
        else:
            return False
        return True

    def _add_document(self, document: Json) -> None:
        source = mapping(document.get("source"))
        if source.get("type") == "text" and isinstance(source.get("data"), str):
            self._texts.append(source["data"])
        elif source.get("type") == "content" and self._depth <= _DEEPEST:
            self._depth += 1
            self.add_all(source.get("content"))
            self._depth -= 1
        elif text(document.get("format")) not in _TEXT_FORMATS:
            self._images += 1  # a PDF is read by eye

    def _add_text(self, part: Json) -> None:
        value = first(part, "text", "content", "refusal", "input_text", "output_text")
        value = value.get("value") if isinstance(value, dict) else value
        if isinstance(value, str):
            self._texts.append(value)
        elif "json" in part:
            self._texts.append(canonical(part["json"]))


def says_failed(result: Json, content: object) -> bool:
    """Return whether a tool's result says that the call failed, by a field of its own and not in words.

    Anthropic and MCP have a flag, Bedrock, LangChain and Gemini a status or an error in place of a response, Vercel's
    SDK a type, and Codex an exit code.
    """
    if result.get("is_error") is True or result.get("isError") is True or text(result.get("status")) in _FAILURES:
        return True
    if isinstance(content, str) and content.startswith(_CODEX_RESULT):
        content = parsed(content)
    if not isinstance(content, dict):
        return False
    if "exit_code" in (metadata := mapping(content.get("metadata"))):
        return bool(metadata["exit_code"] != 0)
    return bool(first(content, "error")) and first(content, "output", "result") is None
