"""Write the requests of a log in other formats: shapes.py FORMAT REQUESTS FILE [SEED].

The prompts, replies and counts are those of ``make_log``; only what is written around them differs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import make_log

Record = dict[str, Any]
PIECE_CHARS = 40  # of a reply in one event of a stream
REPLY_CHARS = 300


def flat(record: Record) -> Iterator[Record]:
    """Yield a record as it is."""
    yield record


def sse_pair(record: Record) -> Iterator[Record]:
    """Yield a request with the events of its streamed reply, as a proxy writes both."""
    head = {"id": record["request_id"], "object": "chat.completion.chunk", "model": record["model"]}
    reply = _reply(record)
    deltas = [{"content": reply[at : at + PIECE_CHARS]} for at in range(0, len(reply), PIECE_CHARS)]
    chunks = [{**head, "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({**head, "choices": [], "usage": record["usage"]})
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    yield {
        "timestamp": record["timestamp"],
        "request": {
            "method": "POST",
            "url": "https://api.openai.com/v1/chat/completions",
            "body": {"model": record["model"], "messages": record["messages"], "stream": True},
        },
        "response": {"status": 200, "headers": {"content-type": "text/event-stream"}, "body": body},
    }


def claude_code(record: Record) -> Iterator[Record]:
    """Yield the rows of one turn of a session: the user's and the model's."""
    row = {
        "sessionId": record["trace_id"],
        "timestamp": record["timestamp"],
        "cwd": "/home/dev/shop",
        "version": "2.0.1",
    }
    name = record["request_id"]
    ask = record["messages"][-1]["content"]
    yield {**row, "type": "user", "uuid": f"{name}-u", "message": {"role": "user", "content": ask}}
    usage = record["usage"]
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    yield {
        **row,
        "type": "assistant",
        "uuid": f"{name}-a",
        "requestId": name,
        "message": {
            "id": f"msg_{name}",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5-20250929",
            "content": [{"type": "text", "text": _reply(record)}],
            "usage": {
                "input_tokens": usage["prompt_tokens"] - cached,
                "cache_read_input_tokens": cached,
                "cache_creation_input_tokens": 0,
                "output_tokens": usage["completion_tokens"],
            },
        },
    }


def otlp(record: Record) -> Iterator[Record]:
    """Yield an export of one span of OpenTelemetry's conventions for generative AI."""
    start_ns = int(datetime.fromisoformat(record["timestamp"]).timestamp() * 1000) * 1_000_000
    messages = [
        {"role": message["role"], "parts": [{"type": "text", "content": message["content"]}]}
        for message in record["messages"]
    ]
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": record["model"],
        "gen_ai.response.id": record["request_id"],
        "gen_ai.usage.input_tokens": record["usage"]["prompt_tokens"],
        "gen_ai.usage.output_tokens": record["usage"]["completion_tokens"],
        "gen_ai.input.messages": json.dumps(messages),
    }
    span = {
        "traceId": record["trace_id"],
        "spanId": record["trace_id"][-8:] + record["request_id"][-8:],
        "name": "chat",
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + record["latency_ms"] * 1_000_000),
        "attributes": [{"key": key, "value": _any_value(value)} for key, value in values.items()],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": record["metadata"]["team"]}}]}
    yield {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "openai"}, "spans": [span]}]}]}


SHAPES: dict[str, Callable[[Record], Iterator[Record]]] = {
    "flat": flat,
    "sse_pair": sse_pair,
    "claude_code": claude_code,
    "otlp": otlp,
}


def write(shape: str, requests: int, path: Path, *, seed: int = 1) -> None:
    """Write a log of a number of requests in one of ``SHAPES``."""
    rows = SHAPES[shape]
    with path.open("w", encoding="utf-8") as file:
        for record in make_log.records(requests, seed=seed):
            for row in rows(record):
                file.write(json.dumps(row, ensure_ascii=False))
                file.write("\n")


def _reply(record: Record) -> str:
    """Return a text for the reply: the first of the ask's characters, since the log holds no replies."""
    return str(record["messages"][-1]["content"][:REPLY_CHARS])


def _any_value(value: object) -> Record:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), seed=int(sys.argv[4]) if len(sys.argv) > 4 else 1)
