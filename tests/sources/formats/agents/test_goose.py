import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.sources.formats.fixture_files import not_calls, records, rejections, requests, tokens

import llm_audit

PATH = "goose/sessions.jsonl"
TABLES = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, working_dir TEXT NOT NULL, session_type TEXT, created_at TIMESTAMP,
    updated_at TIMESTAMP, total_tokens INTEGER, accumulated_total_tokens INTEGER, accumulated_input_tokens INTEGER,
    accumulated_output_tokens INTEGER, accumulated_cost REAL, provider_name TEXT, model_config_json TEXT);
CREATE TABLE messages (id INTEGER PRIMARY KEY, session_id TEXT, role TEXT, content_json TEXT);
"""
CALLS = """
CREATE TABLE usage_ledger (id INTEGER PRIMARY KEY, session_id TEXT, created_timestamp INTEGER, model TEXT,
    input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER, cache_read_tokens INTEGER,
    cache_write_tokens INTEGER, cost REAL, cost_source TEXT, is_compaction INTEGER DEFAULT 0)
"""


def test_rows_of_the_ledger_are_the_calls() -> None:
    first, compaction, carried = requests(PATH)[:3]
    assert tokens(first) == (100, 600, 300, None, 40)  # of an input of 1000
    assert (first.provider, first.app, first.stated_cost_pico) == ("anthropic", "shop", 250_000_000_000)
    assert (compaction.model, tokens(compaction)) == ("claude-haiku-4-5", (1200, None, None, None, 100))
    assert (compaction.time_us, compaction.tags) == (1_788_256_900_000_000, ("compaction",))
    assert (carried.model, carried.tags) == ("claude-sonnet-4-5", ("aggregated",))
    assert first.conversation == compaction.conversation == "20260901_1"


def test_the_sums_of_an_exported_session_are_shared_out_among_its_replies() -> None:
    first, second = requests(PATH)[3:]
    assert (tokens(first), tokens(second)) == ((501, None, None, None, 50), (500, None, None, None, 50))
    assert first.stated_cost_pico == second.stated_cost_pico == 1_500_000_000
    assert first.tags == ("agent=scheduled", "aggregated")


def test_a_session_without_tokens_is_no_call_and_one_without_a_model_is_rejected() -> None:
    assert not_calls(PATH) == ["metadata"]
    assert rejections(PATH) == [("no_model", "model")]


def write(path: Path, *, ledger: bool) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(TABLES)
        new, old, *_ = records(PATH)
        for session in (new, old):
            config = session.get("model_config_json") or json.dumps(session["model_config"])
            names = ("id", "working_dir", "session_type", "created_at", "updated_at", "total_tokens")
            sums = ("total_tokens", "input_tokens", "output_tokens", "cost")
            row = [*map(session.get, names), *(session[f"accumulated_{name}"] for name in sums)]
            database.execute(
                f"INSERT INTO sessions VALUES ({','.join('?' * 12)})", [*row, session["provider_name"], config]
            )
        database.executemany(
            "INSERT INTO messages (session_id, role) VALUES (?, ?)",
            [("20260301_2", "user"), ("20260301_2", "assistant")],
        )
        if ledger:
            database.execute(CALLS)
            for call in [{"session_id": new["id"], **row} for row in new["usage_ledger"]]:
                database.execute(
                    f"INSERT INTO usage_ledger ({','.join(call)}) VALUES ({','.join('?' * len(call))})",
                    [*call.values()],
                )
        database.commit()


def test_its_database_is_read_by_its_path(tmp_path: Path) -> None:
    write(tmp_path / "sessions.db", ledger=True)
    audit = llm_audit.analyze(tmp_path / "sessions.db")
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.rejected) == (4, 4, 0)
    rows = audit.requests.sort("time").select("model", "input_tokens", "cache_read_tokens", "output_tokens").rows()
    assert rows == [
        ("gpt-4o", 1001, None, 100),  # a session from before the ledger, with one reply
        ("claude-sonnet-4-5", 100, 600, 40),
        ("claude-haiku-4-5", 1200, None, 100),
        ("claude-sonnet-4-5", 800, None, 100),
    ]


def test_a_database_from_before_the_ledger_holds_sums(tmp_path: Path) -> None:
    write(tmp_path / "sessions.db", ledger=False)
    audit = llm_audit.analyze(tmp_path / "sessions.db")
    assert audit.requests.sort("time").select("model", "input_tokens", "output_tokens").rows() == [
        ("gpt-4o", 1001, 100),
        ("claude-sonnet-4-5", 3000, 240),
    ]
