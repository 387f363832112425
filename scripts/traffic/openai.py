"""OpenAI chat completions as a logging proxy writes them: a request, its response, plain or as an event stream."""

from __future__ import annotations

import json
import random
from typing import Any

from traffic.clock import SECOND, http_date, iso
from traffic.text import identifier
from traffic.usage import Usage

URI = "https://api.openai.com/v1/chat/completions"
_ERRORS = {
    429: ("rate_limit_exceeded", "Rate limit reached for requests. Please try again in 1.2s."),
    500: ("server_error", "The server had an error while processing your request."),
    400: ("context_length_exceeded", "This model's maximum context length is 128000 tokens."),
}
_SNAPSHOTS = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "gpt-4-turbo": "gpt-4-turbo-2024-04-09",
}


def served(model: str) -> str:
    """Return the dated model that answers for an undated name."""
    return _SNAPSHOTS.get(model, model)


def completion(rand: random.Random, model: str, message: dict[str, Any], usage: Usage, at: int) -> dict[str, Any]:
    """Return the body of a response."""
    return {
        "id": identifier(rand, "chatcmpl-", 29),
        "object": "chat.completion",
        "created": at // SECOND,
        "model": served(model),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "refusal": None, "annotations": [], **message},
                "logprobs": None,
                "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
            }
        ],
        "usage": usage.openai(),
        "service_tier": "default",
        "system_fingerprint": "fp_" + f"{rand.getrandbits(40):010x}",
    }


def pair(request: dict[str, Any], status: int, body: Any, at: int, latency_ms: int) -> dict[str, Any]:
    """Return request and response as one record."""
    streamed = isinstance(body, str)
    headers = {
        "date": [http_date(at)],
        "content-type": ["text/event-stream; charset=utf-8" if streamed else "application/json"],
        "openai-processing-ms": [str(latency_ms)],
        "openai-version": ["2020-10-01"],
    }
    return {
        "timestamp": iso(at),
        "latency_ms": latency_ms,
        "request": {"method": "POST", "uri": URI, "body": request},
        "response": {"status": status, "headers": headers, "body": body},
    }


def error(status: int) -> dict[str, Any]:
    """Return the body of a failed call."""
    code, message = _ERRORS[status]
    return {"error": {"message": message, "type": code, "param": None, "code": code}}


def stream(body: dict[str, Any]) -> str:
    """Return the body as the events a stream would have sent, its usage in the last one."""
    head = {key: body[key] for key in ("id", "created", "model", "service_tier", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"
    words = body["choices"][0]["message"]["content"].split(" ")
    pieces = [" " * bool(start) + " ".join(words[start : start + 12]) for start in range(0, len(words), 12)]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
    chunks = [{**head, "choices": [_choice(delta, None)], "usage": None} for delta in deltas]
    chunks.append({**head, "choices": [_choice({}, "stop")], "usage": None})
    chunks.append({**head, "choices": [], "usage": body["usage"]})
    return "".join(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


def _choice(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}
