"""From a provider's log to the waste that the report names: what ingest keeps is what the search reads."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from llm_audit.api import analyze

MODEL = "claude-sonnet-4-5"  # $3 a million tokens of input, $0.30 read from a cache, $3.75 written to one
SYSTEM = "You help. " * 1_000
SERVERS = {"mcp__wiki__find": 2_000, "mcp__tracker__open": 3_000, "mcp__tracker__close": 3_000}
CONVERSATIONS = 20


def tool(name: str, size: int) -> dict[str, Any]:
    """Return a definition of so many characters."""
    empty = {"name": name, "description": "", "input_schema": {"type": "object"}}
    return empty | {"description": "d" * (size - len(json.dumps(empty, separators=(",", ":"))))}


def call(number: int, minute: float, messages: list[dict[str, Any]], content: list[dict[str, Any]]) -> str:
    usage = {
        "input_tokens": 5_000,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": 0,
        "output_tokens": 50,
    }
    record = {
        "timestamp": f"2026-09-01T{10 + int(minute) // 60}:{int(minute) % 60:02}:{int(minute * 60) % 60:02}Z",
        "request": {
            "model": MODEL,
            "max_tokens": 500,
            "system": SYSTEM,
            "messages": messages,
            "tools": [tool(name, size) for name, size in SERVERS.items()],
        },
        "response": {
            "id": f"msg_{number:05}",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": content,
            "stop_reason": "end_turn",
            "usage": usage,
        },
    }
    return json.dumps(record) + "\n"


def attempts(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    use = {"type": "tool_use", "id": f"u{number}", "name": "mcp__wiki__find", "input": {"page": number}}
    failed = {"type": "tool_result", "tool_use_id": f"u{number}", "content": "No such page.", "is_error": True}
    return use, failed


def log(folder: Path) -> Path:
    """Twenty questions in turn, a minute apart, and an agent that asks for five pages that do not exist."""
    lines = []
    for number in range(CONVERSATIONS):
        asked = {"role": "user", "content": f"Question {number}, which is unlike the others?"}
        lines.append(call(number, number, [asked], [{"type": "text", "text": f"Answer {number}."}]))
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Look up a page."}]
    for number in range(6):
        use, failed = attempts(number)
        lines.append(call(100 + number, CONVERSATIONS + number / 6, messages, [use]))
        messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [failed]}]
    path = folder / "log.jsonl"
    path.write_text("".join(lines))
    return path


def test_a_log_of_messages_shows_unused_servers_uncached_prefixes_and_failing_loops(tmp_path):
    found = {row.kind: row for row in analyze(log(tmp_path)).document.waste}
    # Five steps answer a failure; the third to the fifth are a loop, at $0.015 for input and $0.00075 for output.
    loop = found["failing_tool_steps"]
    assert (loop.requests, Decimal(loop.amount)) == (3, 3 * Decimal("0.01575"))
    # The prefix has 18,000 characters and almost all of the prompt: 4,500 tokens, by the bound of one for four.
    # Of 26 requests one writes it, at a premium of $0.75 a million; of the others, 20 are left to this kind.
    prefix = found["prefix_never_cached"]
    premium = Decimal("0.75") * 40 / 1_000  # one of 25 reads, in thousandths
    assert prefix.requests == 19 + 1
    assert Decimal(prefix.amount) == prefix.requests * 4_500 * (Decimal("2.7") - premium) / 10**6
    assert "cache_never_used" in found
    # All but the first request are claimed by kinds before; its tracker has 6,000 of 8,000 characters of definitions.
    unused = found["unused_tools"]
    assert (unused.requests, Decimal(unused.amount)) == (1, 1_500 * Decimal(3) / 10**6)
    assert [(part.name, part.others) for part in unused.parts] == [("tracker (MCP server)", 0)]
