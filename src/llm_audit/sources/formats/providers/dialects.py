"""Whose request and response a pair holds, told by its URL, else by its response, else by its request."""

from __future__ import annotations

from enum import StrEnum

from llm_audit.sources.entry import Record
from llm_audit.sources.formats.providers.pair import Pair, read
from llm_audit.sources.records.fields import mapping, objects, text


class Dialect(StrEnum):
    """The API a pair speaks."""

    CHAT = "chat"  # OpenAI chat completions and all that copy them; embeddings and other calls of that API
    RESPONSES = "responses"
    ANTHROPIC = "anthropic"
    BEDROCK = "bedrock"
    GEMINI = "gemini"
    OLLAMA = "ollama"
    OPENROUTER = "openrouter"


_CHAT_PATHS = ("/completions", "/embeddings", "/images/", "/audio/", "/moderations", "/rerank", "/chat")


def speaks(record: Record, dialect: Dialect) -> bool:
    """Whether a record is a pair, or a bare response, of this API."""
    pair = read(record)
    if pair is None:
        return False
    remembered = _last[0]
    if remembered is None or remembered[0] is not pair:
        remembered = _last[0] = (pair, dialect_of(pair))
    return remembered[1] is dialect


def dialect_of(pair: Pair) -> Dialect | None:
    """Return the API a pair speaks; None where nothing tells."""
    return _by_url(pair) or _by_answer(pair) or _by_ask(pair)


def _by_url(pair: Pair) -> Dialect | None:  # noqa: PLR0911 - one rule a line
    path, host = pair.path.lower(), pair.host
    if host.endswith(".amazonaws.com") or path.endswith(("/converse", "/converse-stream")):
        return Dialect.BEDROCK
    if "generatecontent" in path or "embedcontent" in path or path.endswith(("counttokens", ":predict")):
        return Dialect.GEMINI
    if host.endswith("openrouter.ai"):
        return Dialect.RESPONSES if path.endswith("/responses") else Dialect.OPENROUTER
    if host.endswith("ollama.com") or path in {"/api/chat", "/api/generate"}:
        return Dialect.OLLAMA
    if "/messages" in path and "/threads/" not in path:
        return Dialect.ANTHROPIC
    if "/responses" in path:
        return Dialect.RESPONSES
    return Dialect.CHAT if any(part in path for part in _CHAT_PATHS) else None


def _by_answer(pair: Pair) -> Dialect | None:  # noqa: PLR0911 - one rule a line
    body = pair.answered
    kind = text(body.get("object"))
    if kind == "response":
        return Dialect.RESPONSES
    if body.get("type") == "message" and "usage" in body:
        return Dialect.ANTHROPIC
    if "usageMetadata" in body or "usage_metadata" in body or "candidates" in body:
        return Dialect.GEMINI
    if "eval_count" in body or ("done" in body and "model" in body):
        return Dialect.OLLAMA
    if "stopReason" in body or ("output" in body and "inputTokens" in mapping(body.get("usage"))):
        return Dialect.BEDROCK
    if "choices" in body or kind in {"chat.completion", "chat.completion.chunk", "text_completion", "list"}:
        if "native_finish_reason" in next(objects(body.get("choices")), {}):
            return Dialect.OPENROUTER
        return Dialect.OLLAMA if body.get("system_fingerprint") == "fp_ollama" else Dialect.CHAT
    return None


def _by_ask(pair: Pair) -> Dialect | None:
    """Tell by the request, where the call failed or its response was not logged."""
    body = pair.asked
    if "contents" in body:
        return Dialect.GEMINI
    if "inferenceConfig" in body or "toolConfig" in body:
        return Dialect.BEDROCK
    if "messages" in body:
        claude = "claude" in (text(body.get("model")) or "")
        return Dialect.ANTHROPIC if "anthropic_version" in body or (claude and "max_tokens" in body) else Dialect.CHAT
    if "model" not in body:
        return None
    return Dialect.RESPONSES if "input" in body and "instructions" in body else Dialect.CHAT


_last: list[tuple[Pair, Dialect | None] | None] = [None]  # one format after the other asks about a pair
