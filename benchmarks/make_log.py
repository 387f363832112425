"""Write a synthetic log of flat records: make_log.py REQUESTS FILE [SEED].

One JSON object a request, about 3.5 kB each: log-normal prompts with a long tail, thirty system prompts of which few
are frequent, one ask in twenty repeated, one request in five going on with a conversation. The text is cut from the
standard library's own documentation and sources, so nothing has to be fetched.
"""

from __future__ import annotations

import json
import random
import sys
import sysconfig
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pydoc_data import topics
from typing import Any

TASKS = (
    "Summarise what follows in three points.\n\n",
    "Translate into French:\n\n",
    "Which of these statements is wrong, and why?\n\n",
    "Extract every name and date below as JSON.\n\n",
    "Find the fault in this code and correct it:\n\n```python\n",
    "Write tests for this module:\n\n```python\n",
    "Answer from the context alone.\n\nContext:\n",
    "Is the tone of this message friendly, neutral or angry?\n\n",
)
MODELS = {
    "gpt-4o": 30, "gpt-4o-mini": 25, "gpt-4.1": 12, "gpt-4.1-mini": 10, "claude-3-5-sonnet-20241022": 10,
    "claude-3-5-haiku-20241022": 5, "o3-mini": 5, "gemini-1.5-pro": 3,
}  # fmt: skip
TEAMS = ("search", "support", "platform", "growth", "billing", "docs")
FEATURES = ("chat", "summaries", "retrieval", "classification", "code", "extraction", "translation")
START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 30
CODE_CHARS = 6_000_000


def write(requests: int, path: Path, *, seed: int = 1) -> None:
    """Write a log of a number of requests."""
    with path.open("w", encoding="utf-8") as file:
        for record in records(requests, seed=seed):
            file.write(json.dumps(record, ensure_ascii=False))
            file.write("\n")


def records(requests: int, *, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the records of a log, the same ones for the same seed."""
    source = random.Random(seed)
    prose, code = "".join(topics.topics.values()), _code()
    systems = [f"You help the {TEAMS[n % len(TEAMS)]} team. {_cut(source, prose, 200 + 80 * n)}" for n in range(30)]
    popularity = [1 / rank for rank in range(1, 31)]
    asks: list[str] = []
    threads: list[tuple[str, list[dict[str, str]]]] = []
    for number in range(requests):
        if asks and source.random() < 0.05:
            ask = source.choice(asks)
        else:
            task = source.choice(TASKS)
            length = min(50_000, max(60, int(source.lognormvariate(7.1, 0.95))))
            ask = task + _cut(source, code if "python" in task else prose, length)
            asks = [*asks[-499:], ask]
        if threads and source.random() < 0.2:
            trace, before = threads.pop(source.randrange(len(threads)))
            messages = [*before, {"role": "assistant", "content": _cut(source, prose, 300)}, _user(ask)]
        else:
            trace = f"{seed:04x}{number:028x}"
            system = source.choices(systems, popularity)[0]
            messages = [{"role": "system", "content": system}] * (source.random() < 0.6) + [_user(ask)]
        if len(messages) < 8:
            threads = [*threads[-199:], (trace, messages)]
        yield _record(source, number, requests, messages, trace)


def _record(
    source: random.Random, number: int, requests: int, messages: list[dict[str, str]], trace: str
) -> dict[str, Any]:
    tokens = 4 + sum(len(message["content"]) for message in messages) // 4
    cached = tokens // 2 // 128 * 128 if len(messages) > 2 else 0
    time = START + timedelta(days=DAYS) * number / requests
    return {
        "timestamp": time.isoformat().replace("+00:00", "Z"),
        "request_id": f"req_{trace[:4]}_{number:09d}",
        "model": source.choices(list(MODELS), list(MODELS.values()))[0],
        "messages": messages,
        "stream": source.random() < 0.4,
        "usage": {
            "prompt_tokens": tokens,
            "completion_tokens": int(source.lognormvariate(5.2, 0.8)),
            "prompt_tokens_details": {"cached_tokens": cached},
        },
        "metadata": {"team": source.choice(TEAMS), "feature": source.choice(FEATURES)},
        "trace_id": trace,
        "latency_ms": int(source.lognormvariate(7, 0.6)),
        "status": 200,
    }


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _cut(source: random.Random, text: str, length: int) -> str:
    start = source.randrange(max(1, len(text) - length))
    return text[start : start + length]


def _code() -> str:
    found: list[str] = []
    size = 0
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*/*.py")):
        if "site-packages" not in path.parts and size < CODE_CHARS:
            found.append(path.read_text(encoding="utf-8", errors="ignore"))
            size += len(found[-1])
    return "".join(found)


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]), seed=int(sys.argv[3]) if len(sys.argv) > 3 else 1)
