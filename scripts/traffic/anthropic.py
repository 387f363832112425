"""Anthropic Messages as a logging proxy writes them: a request, its response, plain or as an event stream."""

from __future__ import annotations

import json
import random
from typing import Any

from traffic.clock import http_date, iso
from traffic.text import identifier
from traffic.usage import Usage

URI = "https://api.anthropic.com/v1/messages"
_ERRORS = {
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}
_SNAPSHOTS = {
    "claude-opus-4-1": "claude-opus-4-1-20250805",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
}
TOKENS_TO_O200K = 1.16  # published for Claude against GPT-4o on English text


def served(model: str) -> str:
    """Return the dated model that answers for an undated name."""
    return _SNAPSHOTS[model]


def message(
    rand: random.Random, model: str, content: list[dict[str, Any]], usage: Usage, *, tier: str = "standard"
) -> dict[str, Any]:
    """Return the body of a response."""
    return {
        "model": served(model),
        "id": identifier(rand, "msg_01"),
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": "tool_use" if any(part["type"] == "tool_use" for part in content) else "end_turn",
        "stop_sequence": None,
        "usage": usage.anthropic(tier=tier),
    }


def pair(
    request: dict[str, Any], status: int, body: Any, *, at: int, latency_ms: int, metadata: dict[str, str]
) -> dict[str, Any]:
    """Return request and response as one record, with the proxy's own labels."""
    streamed = isinstance(body, str)
    headers = {
        "date": [http_date(at)],
        "content-type": ["text/event-stream; charset=utf-8" if streamed else "application/json"],
        "x-envoy-upstream-service-time": [str(latency_ms)],
    }
    return {
        "timestamp": iso(at),
        "latency_ms": latency_ms,
        "metadata": metadata,
        "request": {"method": "POST", "uri": URI, "body": request},
        "response": {"status": status, "headers": headers, "body": body},
    }


def error(status: int) -> dict[str, Any]:
    """Return the body of a failed call."""
    kind, text = _ERRORS[status]
    return {"type": "error", "error": {"type": kind, "message": text}}


def stream(body: dict[str, Any]) -> str:
    """Return the body as the events a stream would have sent: the first output count is a placeholder."""
    start = {**body, "content": [], "stop_reason": None, "usage": {**body["usage"], "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, part in enumerate(body["content"]):
        is_text = part["type"] == "text"
        empty = {**part, "text": ""} if is_text else {**part, "input": {}}
        said = {"type": "text_delta", "text": part["text"]} if is_text else None
        delta = said or {"type": "input_json_delta", "partial_json": json.dumps(part["input"], ensure_ascii=False)}
        events += [
            {"type": "content_block_start", "index": index, "content_block": empty},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    ending = {"stop_reason": body["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": body["usage"]["output_tokens"]}
    events += [{"type": "message_delta", "delta": ending, "usage": usage}, {"type": "message_stop"}]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e, ensure_ascii=False)}\n\n" for e in events)
