"""The ledger of all fixtures, and of a log of plain lines with odd ones between, with and without compiled code."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import FIXTURES

from llm_audit.cli.version import EXTENSIONS
from llm_audit.engines import IngestOptions, ingest
from llm_audit.ledger import write_ledger
from llm_audit.ledger.manifest import MANIFEST_FILE, REQUESTS_FILE

WITHOUT = f"""
import sys
from pathlib import Path
for name in {EXTENSIONS}:
    sys.modules[name] = None
from llm_audit.engines import IngestOptions, ingest
from llm_audit.ledger import write_ledger
for path, target in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    write_ledger(ingest([path], options=IngestOptions(jobs=1, cache=False)), Path(target))
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


def test_the_ledger_is_the_same_to_the_byte_without_compiled_code(tmp_path: Path) -> None:
    for name in EXTENSIONS:
        pytest.importorskip(name, reason="the extensions were not compiled")
    lines = tmp_path / "log.jsonl"
    lines.write_bytes(plain_lines())
    logs = {"fixtures": FIXTURES, "lines": lines}
    arguments = [str(word) for log, path in logs.items() for word in (path, tmp_path / "without" / log)]
    subprocess.run([sys.executable, "-c", WITHOUT, *arguments], check=True, capture_output=True)
    for log, path in logs.items():
        write_ledger(ingest([path], options=IngestOptions(jobs=1, cache=False)), tmp_path / "with" / log)
        for name in (REQUESTS_FILE, MANIFEST_FILE):
            made, plain = (tmp_path / how / log / name for how in ("with", "without"))
            assert made.read_bytes() == plain.read_bytes(), log
