"""The provider API of a pair of request and response, by its URL, else its response, else its request."""

from __future__ import annotations

from enum import StrEnum

from llm_audit.sources.entry import BadRecordError, Reason, Record
from llm_audit.sources.formats.interface import Context, KindIs
from llm_audit.sources.records.fields import mapping, objects, text
from llm_audit.sources.records.pair import Pair, is_event, read_pair
from llm_audit.sources.remembered import remembered


class Dialect(StrEnum):
    """A provider API whose pairs are a format."""

    CHAT = "chat"  # OpenAI chat completions and all that copy them; embeddings and other calls of that API
    RESPONSES = "responses"
    ANTHROPIC = "anthropic"
    BEDROCK = "bedrock"
    GEMINI = "gemini"
    OLLAMA = "ollama"
    OPENROUTER = "openrouter"


_CHAT_PATHS = ("/completions", "/embeddings", "/images/", "/audio/", "/moderations", "/rerank", "/chat")


def speaks(dialect: Dialect) -> KindIs:
    """Return the signature of a format whose records are pairs, or bare responses, of this API."""
    return KindIs(_dialect_in, dialect)


def _dialect_in(record: Record, context: Context) -> Dialect | None:
    return context.once(_read, record)[1]


def _read(record: Record) -> tuple[Pair | None, Dialect | None]:
    """Return the pair that a record holds, and its API."""
    pair = read_pair(record)
    return pair, None if pair is None else dialect_of(pair)


def pair_of(record: Record, context: Context) -> Pair:
    """Return the pair that a record holds.

    Raises:
        BadRecordError: It holds none.
    """
    found, _ = context.once(_read, record)
    if found is None:
        raise BadRecordError(Reason.BAD_SHAPE, "request")
    return found


def dialect_of(pair: Pair) -> Dialect | None:
    """Return the API of a pair; None where nothing identifies it."""
    by_url = _by_url(f"{pair.host}\n{pair.path}") if pair.path or pair.host else None
    return by_url or _by_response(pair) or _by_request(pair)


@remembered
def _by_url(host_and_path: str) -> Dialect | None:  # noqa: PLR0911 - one rule a line
    host, _, path = host_and_path.partition("\n")
    path = path.lower()
    if host.endswith(".amazonaws.com") or path.endswith(("/converse", "/converse-stream")):
        return Dialect.BEDROCK
    if "generatecontent" in path or "embedcontent" in path or path.endswith(("counttokens", ":predict")):
        return Dialect.GEMINI
    if path.endswith("/interactions") and (host.endswith(".googleapis.com") or "/v1beta" in path):
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


def _by_response(pair: Pair) -> Dialect | None:  # noqa: PLR0911 - one rule a line
    body = pair.response_body
    kind = text(body.get("object"))
    if kind == "response" or is_event(body):
        return Dialect.RESPONSES
    if body.get("type") == "message" and "usage" in body:
        return Dialect.ANTHROPIC
    if kind == "interaction" or "usageMetadata" in body or "usage_metadata" in body or "candidates" in body:
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


def _by_request(pair: Pair) -> Dialect | None:
    """Return the API by the request, where the call failed or its response was not logged."""
    body = pair.request_body
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
