"""The ledger of all fixtures, and of a log of plain lines with odd ones between, with and without compiled code."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import FIXTURES

from llm_audit.ledger.manifest import MANIFEST_FILE, REQUESTS_FILE

INGEST = """
import sys
from pathlib import Path
if sys.argv[3] == "without":
    for name in ("classify._kernel", "classify._words", "engines._rows", "engines._texts"):
        sys.modules[f"llm_audit.{name}"] = None
    sys.modules["llm_audit.sources.formats.plain.flat._object"] = None
    sys.modules["llm_audit.sources.records._fields"] = None
from llm_audit.engines import IngestOptions, ingest
from llm_audit.ledger.store import write_ledger
write_ledger(ingest([sys.argv[1]], options=IngestOptions(jobs=1, cache=False)), Path(sys.argv[2]))
"""
WORDS = [
    "word",
    "Question:",
    "\n",
    "\n\n",
    "```",
    "<context>",
    "> ",
    "é",
    "🙂",
    "title",
    "chat",
    "\t",
    "1999",
    "\\",
    '"',
    "yes",
]
ODD = (b'{"model": "m", "messages": [{"role": "user"', b"\xff", b"[]", b'{"model": "\\ud800"}', b"{} {}")


def plain_lines() -> bytes:
    chance = random.Random(5)

    def text() -> str:
        return " ".join(chance.choice(WORDS) for _ in range(chance.randrange(80)))

    lines = []
    for number in range(600):
        turns = chance.randrange(1, 4)
        roles = [*chance.choice([["system"], []]), *["user", "assistant"] * turns][: 2 * turns]
        record = {
            "timestamp": f"2026-09-01T00:{number // 60:02d}:{number % 60:02d}Z",
            "model": chance.choice(["m", "gpt-4o", 7, None, " "]),
            "messages": [{"role": role, "content": text()} for role in roles],
            "usage": chance.choice([None, {"prompt_tokens": number, "completion_tokens": 2}, {"prompt_tokens": -1}]),
            "metadata": chance.choice([{"team": "a"}, {"team": text()}, None, "x", {"deep": [{}]}]),
            "response": chance.choice([text(), [{"role": "assistant", "content": text()}], None]),
            "status": chance.choice([200, "500", True, None, 1.5]),
        }
        lines.append(json.dumps(record, ensure_ascii=chance.random() < 0.5).encode())
        lines += [chance.choice(ODD)] if chance.random() < 0.05 else []
    return b"\n".join(lines)


@pytest.mark.parametrize("log", ["fixtures", "lines"])
def test_the_ledger_is_the_same_to_the_byte_without_compiled_code(log: str, tmp_path: Path) -> None:
    path = FIXTURES
    if log == "lines":
        path = tmp_path / "log.jsonl"
        path.write_bytes(plain_lines())
    for how in ("with", "without"):
        command = [sys.executable, "-c", INGEST, str(path), str(tmp_path / how), how]
        subprocess.run(command, check=True, capture_output=True)
    for name in (REQUESTS_FILE, MANIFEST_FILE):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
