import json
import random
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


ASKS = ["Translate this to French: good morning", "What is the capital of Peru?", "Sort the list 3, 1, 2",
        "Name three fruits", "Is 7 a prime number?"]  # fmt: skip


def write_log(
    path: Path, *, model: str = "gpt-4o", requests: int = 60, output_tokens: int = 100, seed: int = 1
) -> Path:
    """A custom log of easy asks by one app and one team."""
    rng = random.Random(seed)
    rows: list[dict[str, Any]] = [
        {
            "timestamp": f"2026-09-{1 + number % 28:02}T10:00:{number % 60:02}Z",
            "request_id": f"r{seed}-{number}",
            "model": model,
            "messages": [{"role": "user", "content": f"{rng.choice(ASKS)} ({number})"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": output_tokens},
            "metadata": {"team": "search", "app": "helper"},
            "trace_id": f"t{number // 3}",
        }
        for number in range(requests)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
