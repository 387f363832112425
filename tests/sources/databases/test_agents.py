"""Databases of coding agents: beside their older files, and of those that are not read."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from llm_audit.cli import run

TOKENS = {"input": 10, "output": 200, "reasoning": 0, "cache": {"read": 100, "write": 0}}
MESSAGE = {
    "role": "assistant",
    "parentID": "msg_u",
    "modelID": "claude-sonnet-4-5",
    "providerID": "anthropic",
    "time": {"created": 1_788_256_800_000, "completed": 1_788_256_805_000},
    "cost": 0.03,
    "tokens": TOKENS,
}


def audited(path: Path, target: Path) -> dict:
    assert run(["analyze", str(path), "-q", "-o", str(target)]) in {0, 3}
    return json.loads(target.read_bytes())


def test_a_message_of_opencode_in_its_database_and_in_a_file_is_one(tmp_path: Path) -> None:
    home = tmp_path / "opencode"
    (home / "storage").mkdir(parents=True)
    with closing(sqlite3.connect(home / "opencode.db")) as database, database:
        columns = "session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT"
        database.execute(f"CREATE TABLE message (id TEXT PRIMARY KEY, {columns})")
        database.execute(f"CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, {columns})")
        times = (1_788_256_800_000, 1_788_256_805_000)
        database.execute("INSERT INTO message VALUES ('msg_a', 'ses_1', ?, ?, ?)", (*times, json.dumps(MESSAGE)))
        for number, output in enumerate((150, 200)):
            step = {"type": "step-finish", "cost": 0.01, "tokens": TOKENS | {"output": output}}
            row = (f"prt_{number}", "msg_a", "ses_1", *times, json.dumps(step))
            database.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", row)
    file = home / "storage/msg_a.json"
    file.write_text(json.dumps(MESSAGE | {"id": "msg_a", "sessionID": "ses_1"}))
    alone = audited(home / "opencode.db", tmp_path / "alone.json")
    beside = audited(home, tmp_path / "beside.json")
    assert (alone["requests"]["audited"], alone["tokens"]["output"]) == (2, 350)
    assert (beside["requests"]["audited"], beside["requests"]["duplicates"]) == (2, 1)
    assert (beside["cost"]["actual"], beside["tokens"]) == (alone["cost"]["actual"], alone["tokens"])


def test_a_database_of_zed_is_named_and_not_passed_over_in_silence(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    with closing(sqlite3.connect(logs / "threads.db")) as database, database:
        database.execute("CREATE TABLE threads (id TEXT, summary TEXT, updated_at TEXT, data_type TEXT, data BLOB)")
    call = {"model": "gpt-4o", "time": "2026-09-01T10:00:00Z", "input_tokens": 5, "output_tokens": 6}
    (logs / "log.jsonl").write_text(json.dumps(call))
    found = audited(logs, tmp_path / "audit.json")
    assert (found["requests"]["audited"], found["requests"]["rejected"]) == (1, 1)
    assert any("threads.db:1: it holds Zed's threads" in note for note in found["notes"])
