"""DuckDB's and SQLite's files, with their own engines."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.sources.databases.rows import rows_of

import llm_audit
from llm_audit.errors import UsageError
from llm_audit.sources.databases import reader

ROWS = """
CREATE TABLE calls AS SELECT i::BIGINT AS id, TIMESTAMP '2026-09-01' + i * INTERVAL 1 MINUTE AS time,
'gpt-4o-mini' AS model, 1000::HUGEINT AS input_tokens, 100 AS output_tokens, 0.00021::DECIMAL(12, 6) AS cost,
{'team': 'core'} AS labels, uuid() AS request_id FROM range(1000) r(i)
"""
CALL = '{"model": "gpt-4o", "input_tokens": 1, "output_tokens": 1, "time": 1788220800}'


@pytest.fixture
def duck(tmp_path: Path) -> Path:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    path = tmp_path / "calls of a day.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute(ROWS)
        database.execute("ALTER TABLE calls ADD PRIMARY KEY (id)")
    return path


def test_a_duckdb_file_is_read_by_its_path(duck: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"no table of a known schema; it has calls\. Name a table after #"):
        llm_audit.analyze(duck)
    monkeypatch.setattr(reader, "FIRST_ROWS", 64)
    monkeypatch.setattr(reader, "MOST_ROWS", 64)
    audit = llm_audit.analyze(f"duckdb://{duck}#calls")
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.rejected) == (1000, 1000, 0)
    assert audit.document.cost.actual == "0.21"
    assert audit.document.inputs[0].path.endswith("calls%20of%20a%20day.duckdb#calls")


def test_a_query_of_duckdb_is_audited_and_can_read_no_other_file(duck: Path, tmp_path: Path) -> None:
    query = "SELECT * FROM calls WHERE id % 2 = 0"
    assert llm_audit.analyze(str(duck).join(["duckdb://", ""]), query=query).document.requests.audited == 500
    (tmp_path / "secret.csv").write_text("model,input_tokens\ngpt-4o,1\n")
    with pytest.raises(UsageError, match="cannot be read"):
        llm_audit.analyze(f"duckdb://{duck}", query=f"SELECT * FROM '{tmp_path}/secret.csv'")
    with pytest.raises(UsageError, match="cannot be read"):
        llm_audit.analyze(f"duckdb://{duck}", query="DELETE FROM calls")


def test_a_file_that_is_none_is_said(duck: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        llm_audit.analyze(f"duckdb://{tmp_path}/none.duckdb")
    duck.write_bytes(duck.read_bytes()[:4096])
    with pytest.raises(UsageError, match="cannot be read"):
        llm_audit.analyze(duck)
    with pytest.raises(UsageError, match="unable to open database file"):
        llm_audit.analyze(f"sqlite://{tmp_path}/none.db")


@pytest.fixture
def webui(tmp_path: Path) -> Path:
    path = tmp_path / "webui.db"
    reply = {"id": "m", "role": "assistant", "content": "4", "model": "gpt-4o-mini", "timestamp": 1788220801,
             "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}  # fmt: skip
    chat = json.dumps({"history": {"messages": {"m": reply}}})
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE chat (id TEXT PRIMARY KEY, user_id TEXT, chat JSON, created_at INT, updated_at)")
        database.execute("INSERT INTO chat VALUES ('c', 'ada', ?, 1788220800, 1788220801)", [chat])
        database.execute("INSERT INTO chat VALUES ('d', 'ada', x'ff00', 1788220800, 1788220801)")
        database.commit()
    return path


def test_a_sqlite_file_of_a_known_schema_is_read_by_its_path(webui: Path) -> None:
    before = webui.read_bytes()
    document = llm_audit.analyze(webui).document
    counts = document.requests
    assert (counts.read, counts.audited, counts.not_provider_calls) == (2, 1, 1)
    assert document.cost.actual == "0.00021"
    assert webui.read_bytes() == before


def test_a_sqlite_database_that_is_locked_is_waited_for_and_then_said(
    webui: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llm_audit.sources.databases.drivers import sqlite

    monkeypatch.setattr(sqlite, "_LOCK_SECONDS", 0.01)
    with closing(sqlite3.connect(webui)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UsageError, match="database is locked.*Run again"):
            llm_audit.analyze(f"sqlite://{webui}")
    assert len(rows_of(f"sqlite://{webui}")) == 2


@pytest.mark.parametrize(("scheme", "extra"), [("postgresql", "postgres"), ("mysql", "mysql"), ("duckdb", "duckdb")])
def test_a_missing_library_is_named_with_its_command(scheme: str, extra: str) -> None:
    """In a process of its own, where the libraries cannot be imported."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['psycopg', 'pymysql', 'duckdb'])); import llm_audit.cli as cli; "
        f"sys.exit(cli.run(['analyze', '{scheme}://ada:geheim@127.0.0.1/x']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"pip install 'llm-audit[{extra}]'" in done.stderr
    assert "geheim" not in done.stderr


def test_a_database_of_no_known_table_in_a_folder_is_rejected_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "calls.jsonl").write_text(CALL)
    with closing(sqlite3.connect(tmp_path / "cookies.db")) as database:
        database.execute("CREATE TABLE message (id TEXT PRIMARY KEY, body TEXT)")  # of another product
    document = llm_audit.analyze(tmp_path).document
    assert [(rejected.reason, rejected.count) for rejected in document.rejected] == [("unknown_format", 1)]
    assert any("sqlite://PATH#TABLE" in note for note in document.notes)


def test_a_damaged_database_in_a_folder_is_rejected_as_such(tmp_path: Path, webui: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "webui.db").write_bytes(webui.read_bytes()[:5000])
    (tmp_path / "logs" / "calls.jsonl").write_text(CALL)
    with closing(sqlite3.connect(tmp_path / "logs" / "other.db")) as database:
        database.execute("CREATE TABLE message (id TEXT PRIMARY KEY, body TEXT)")
    document = llm_audit.analyze(tmp_path / "logs").document
    assert {rejected.reason for rejected in document.rejected} == {"truncated", "unknown_format"}
    assert any("webui.db:1: the database is damaged" in note for note in document.notes)
    assert any("message has no column session_id" in note for note in document.notes)  # as OpenCode's has


def test_databases_in_a_folder_are_read_beside_logs(webui: Path) -> None:
    (webui.parent / "calls.jsonl").write_text(CALL)
    document = llm_audit.analyze(webui.parent).document
    assert (document.requests.audited, document.requests.rejected) == (2, 0)


def test_a_database_given_twice_or_linked_to_is_read_once(webui: Path) -> None:
    (webui.parent / "link.db").symlink_to(webui)
    document = llm_audit.analyze(webui.parent, Path(os.path.relpath(webui))).document
    assert (document.requests.read, len(document.inputs)) == (llm_audit.analyze(webui).document.requests.read, 1)


def test_a_row_of_zcode_is_a_request_whose_input_includes_what_was_cached(tmp_path: Path) -> None:
    columns = (
        "id text PRIMARY KEY, session_id text, model_id text, status text, started_at integer, completed_at integer, "
        "input_tokens integer, output_tokens integer, reasoning_tokens integer, cache_creation_input_tokens integer, "
        "cache_read_input_tokens integer, computed_total_tokens integer"
    )
    row = ("u", "s", "glm-4.6", "completed", 1_788_256_800_000, 1_788_256_805_000, 70_443, 680, 100, 0, 70_144, 71_123)
    with closing(sqlite3.connect(tmp_path / "db.sqlite")) as database:
        database.execute(f"CREATE TABLE model_usage ({columns})")
        database.execute(f"INSERT INTO model_usage VALUES ({', '.join('?' * len(row))})", row)
        database.commit()
    document = llm_audit.analyze(tmp_path / "db.sqlite").document
    assert (document.tokens.input, document.tokens.cache_read, document.tokens.output) == (299, 70_144, 680)
    assert (document.requests.audited, document.period.start) == (1, "2026-09-01T10:00:00+00:00")
