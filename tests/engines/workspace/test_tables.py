"""Ledgers of databases that are kept up to date: equal to one fresh reading, and only what is new is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from llm_audit.engines import (
    IngestOptions,
    Part,
    UpdateOptions,
    compact_ledger,
    damage_of_ledger,
    ingest,
    ingest_shard,
    ledger_size,
    merge_workspace,
    open_executor,
    update_ledger,
)
from llm_audit.engines.workspace import plan
from llm_audit.errors import AuditWarning, UsageError
from llm_audit.ledger import Ledger
from llm_audit.sources.databases import Table, TableReader, parse, ranges
from llm_audit.sources.files.find import Found
from llm_audit.sources.files.storage import Source

HERE = IngestOptions(jobs=1, cache=False)
START_S = 1_756_684_800  # 2025-09-01
NEW_API = """
CREATE TABLE logs (id INTEGER PRIMARY KEY, created_at INTEGER, type INTEGER, model_name TEXT, token_name TEXT,
quota INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER, username TEXT, other TEXT)
"""
INSERT = """
INSERT INTO logs
(id, created_at, type, model_name, token_name, quota, prompt_tokens, completion_tokens, username, other)
VALUES (?, ?, 2, 'gpt-4o-mini', 't', 500, ?, 7, 'ann', '{}')
"""
HOUR_ROWS = 60
"""Rows are a minute apart, so that six hours before the newest are 361 rows with it."""


class Logs:
    """A new-api database, and the rows that were read of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read: list[int] = []
        self.execute(NEW_API)

    def execute(self, sql: str, *parameters: Any) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute(sql, parameters)

    def add(self, start: int, end: int) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.executemany(INSERT, [(n, START_S + 60 * n, n) for n in range(start, end)])

    def read_since(self) -> list[int]:
        found, self.read = sorted(self.read), []
        return found


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    made = Logs(tmp_path / "new-api.db")
    rows_of = TableReader.__iter__

    def counting(reader: TableReader) -> Iterator[Any]:
        for line, row in rows_of(reader):
            made.read.append(row["id"])
            yield line, row

    monkeypatch.setattr(TableReader, "__iter__", counting)
    return made


def updated(folder: Path, *logs: Path | str, **options: Any) -> Ledger:
    with open_executor("local", jobs=1) as executor:
        return update_ledger(folder, logs, config=HERE.config(), executor=executor, options=UpdateOptions(**options))


def fresh(*logs: Path | str) -> Ledger:
    return ingest(logs, options=HERE)


def same(ledger: Ledger, other: Ledger) -> bool:
    return ledger.frame.equals(other.frame) and ledger.manifest == other.manifest


def test_each_night_costs_its_rows_and_the_window(logs: Logs, tmp_path: Path) -> None:
    before = 0
    for end in (1440, 2880, 2880, 4320):
        logs.add(before, end)
        kept = updated(tmp_path / "led", logs.path)
        window = max(0, before - 1 - 6 * HOUR_ROWS)
        assert logs.read_since() == list(range(window, end))
        assert same(kept, fresh(logs.path))
        logs.read_since()
        before = end
    assert damage_of_ledger(tmp_path / "led") == []


def test_changes_within_the_window_take_the_place_of_what_was_read(logs: Logs, tmp_path: Path) -> None:
    logs.add(0, 2000)
    updated(tmp_path / "led", logs.path)
    logs.execute("UPDATE logs SET prompt_tokens = 123456 WHERE id = 1990")
    logs.execute("DELETE FROM logs WHERE id = 1991")
    kept = updated(tmp_path / "led", logs.path)
    assert same(kept, fresh(logs.path))
    assert 123456 in kept.frame["input_tokens"]
    assert kept.manifest.rows == 1999


def test_rows_that_come_late_are_found_however_late(logs: Logs, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(ranges, "ROWS_PER_RANGE", 500)
    logs.add(1, 800)
    logs.add(810, 3000)
    updated(tmp_path / "led", logs.path)
    logs.read_since()
    logs.add(800, 803)
    logs.add(3000, 3100)
    kept = updated(tmp_path / "led", logs.path)
    assert logs.read_since() == [*range(500, 803), *range(810, 1000), *range(2639, 3100)]
    assert same(kept, fresh(logs.path))


def test_a_wider_window_finds_older_changes(logs: Logs, tmp_path: Path) -> None:
    for end in (1440, 2880):
        logs.add(end - 1440, end)
        updated(tmp_path / "led", logs.path)
    logs.execute("UPDATE logs SET prompt_tokens = 123456 WHERE id = 1200")
    assert not same(updated(tmp_path / "led", logs.path), fresh(logs.path))
    logs.read_since()
    assert same(updated(tmp_path / "led", logs.path, overlap_hours=48), fresh(logs.path))


def test_rows_that_are_gone_stay_until_they_are_dropped(logs: Logs, tmp_path: Path) -> None:
    logs.add(0, 2000)
    whole = updated(tmp_path / "led", logs.path)
    logs.execute("DELETE FROM logs WHERE id < 300")
    kept = updated(tmp_path / "led", logs.path)
    assert kept.frame.equals(whole.frame)
    assert kept.manifest.notes == [f"300 rows are no longer in sqlite://{logs.path}#logs, and stay here"]
    assert same(updated(tmp_path / "led", logs.path, drop_missing=True), fresh(logs.path))


def test_rows_that_cannot_be_read_again_are_not_lost(logs: Logs, tmp_path: Path) -> None:
    logs.add(0, 2000)
    updated(tmp_path / "led", logs.path)
    logs.execute("DELETE FROM logs WHERE id < 300")
    logs.execute("ALTER TABLE logs ADD COLUMN use_time INTEGER")
    with pytest.raises(UsageError, match=r"has 1,700 rows, and the ledger holds 2,000 .*--drop-missing"):
        updated(tmp_path / "led", logs.path)
    logs.add(0, 300)
    assert same(updated(tmp_path / "led", logs.path), fresh(logs.path))


def test_a_table_with_another_column_is_read_anew(logs: Logs, tmp_path: Path) -> None:
    logs.add(0, 2000)
    updated(tmp_path / "led", logs.path)
    logs.execute("ALTER TABLE logs ADD COLUMN use_time INTEGER")
    logs.execute("UPDATE logs SET use_time = 3")
    assert same(updated(tmp_path / "led", logs.path), fresh(logs.path))


def test_a_time_that_is_yet_to_come_does_not_move_the_window(logs: Logs, tmp_path: Path) -> None:
    logs.add(0, 1000)
    logs.execute("INSERT INTO logs VALUES (1000, 99999999999, 2, 'gpt-4o-mini', 't', 5, 1, 1, 'ann', '{}')")
    updated(tmp_path / "led", logs.path)
    logs.read_since()
    logs.add(1001, 1100)
    kept = updated(tmp_path / "led", logs.path)
    assert logs.read_since() == list(range(639, 1100))
    assert same(kept, fresh(logs.path))


def test_a_table_without_a_growing_number_is_read_anew_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE calls (id TEXT PRIMARY KEY, timestamp TEXT, model TEXT, input_tokens INTEGER)")
        database.execute("INSERT INTO calls VALUES ('a', '2025-09-01T00:00:00Z', 'gpt-4o', 10)")
    place = f"sqlite://{path}#calls"
    updated(tmp_path / "led", place)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO calls VALUES ('A', '2025-09-02T00:00:00Z', 'gpt-4o', 20)")
    with pytest.warns(AuditWarning, match=r"#calls has no time or growing number .* it is read anew"):
        kept = updated(tmp_path / "led", place)
    assert same(kept, fresh(place))
    assert sorted(kept.frame["input_tokens"]) == [10, 20]


def test_a_table_of_any_columns_is_followed_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE calls (id INTEGER PRIMARY KEY, timestamp TEXT, model TEXT, input_tokens INTEGER)"
        )
        database.execute("INSERT INTO calls VALUES (1, '2025-09-01T00:00:00Z', 'gpt-4o', 10)")
        database.execute("INSERT INTO calls VALUES (50000, '2025-09-01T00:00:00Z', 'gpt-4o', 11)")
    place = f"sqlite://{path}#calls"
    updated(tmp_path / "led", place)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE calls SET input_tokens = 99")  # the first row is beyond the window
        database.execute("INSERT INTO calls VALUES (50001, '2025-09-02T00:00:00Z', 'gpt-4o', 20)")
    assert sorted(updated(tmp_path / "led", place).frame["input_tokens"]) == [10, 20, 99]


def test_a_table_beside_files_that_leaves_and_comes_back(logs: Logs, tmp_path: Path) -> None:
    logs.add(0, 500)
    file = tmp_path / "a.jsonl"
    file.write_text('{"model": "gpt-4o", "timestamp": 1756684800, "input_tokens": 5, "output_tokens": 1}\n')
    both = updated(tmp_path / "led", logs.path, file)
    assert same(both, fresh(logs.path, file))
    alone = updated(tmp_path / "led", file)
    assert alone.frame.equals(both.frame)
    assert "1 input is no longer among the logs" in alone.manifest.notes[0]
    assert same(updated(tmp_path / "led", logs.path, file), both)
    assert same(updated(tmp_path / "led", file, drop_missing=True), fresh(file))


def test_an_empty_table_fills(logs: Logs, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"model": "gpt-4o", "timestamp": 1756684800, "input_tokens": 5, "output_tokens": 1}\n')
    updated(tmp_path / "led", logs.path, file)
    logs.add(0, 50)
    assert same(updated(tmp_path / "led", logs.path, file), fresh(logs.path, file))


def test_many_parts_are_joined_and_go_on(logs: Logs, tmp_path: Path) -> None:
    for end in range(500, 3000, 500):
        logs.add(end - 500, end)
        updated(tmp_path / "led", logs.path)
    size = ledger_size(tmp_path / "led")
    assert (size.new_inputs, size.new_bytes) == (None, None)
    assert compact_ledger(tmp_path / "led") == (size.parts, 1)
    logs.add(2500, 2600)
    logs.read_since()
    kept = updated(tmp_path / "led", logs.path)
    assert logs.read_since() == list(range(2139, 2600))
    assert same(kept, fresh(logs.path))


def test_a_lost_part_is_read_again(logs: Logs, tmp_path: Path) -> None:
    for end in (1000, 2000):
        logs.add(end - 1000, end)
        updated(tmp_path / "led", logs.path)
    for part in (tmp_path / "led" / "parts").glob("*.json"):
        part.write_bytes(b"")
    assert same(updated(tmp_path / "led", logs.path), fresh(logs.path))


def test_a_query_is_read_anew_each_time(logs: Logs, tmp_path: Path) -> None:
    place = f"sqlite://{logs.path}"
    query = "SELECT model_name AS model, prompt_tokens AS input_tokens, 1 AS output_tokens, id FROM logs"
    logs.add(0, 10)
    updated(tmp_path / "led", place, query=query)
    logs.add(10, 20)
    with pytest.warns(AuditWarning, match="#query has no time"):
        kept = updated(tmp_path / "led", place, query=query)
    assert kept.manifest.rows == 20


def test_shares_of_a_table_are_read_apart_while_it_grows(
    logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "ROWS_PER_RANGE", 300)
    logs.add(1, 1000)
    whole = fresh(logs.path)
    logs.read_since()
    read: list[int] = []
    with open_executor("local", jobs=1) as executor:
        for number in (3, 1, 2):
            share = Part(number, 3)
            ingest_shard(str(tmp_path / "run"), [logs.path], config=HERE.config(), executor=executor, shard=share)
            read += logs.read_since()
            logs.add(1000 * number, 1000 * number + 50)
        merged = merge_workspace(str(tmp_path / "run"), executor=executor)
    assert sorted(read) == list(range(1, 1000))
    assert same(merged, whole)


def test_a_run_that_was_interrupted_goes_on_in_a_table(
    logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "ROWS_PER_RANGE", 300)
    logs.add(1, 1000)
    with open_executor("local", jobs=1) as executor:
        ingest_shard(str(tmp_path / "run"), [logs.path], config=HERE.config(), executor=executor, shard=Part(1, 2))
    logs.read_since()
    ledger = ingest([logs.path], options=IngestOptions(jobs=1, workspace=str(tmp_path / "run")))
    assert logs.read_since() == [*range(250, 500), *range(749, 1000)]
    assert ledger.manifest.rows == 999


def test_no_password_is_sent_to_other_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(address=parse("postgresql://ann:secret@db/app"), name="logs")
    source = Source(name=table.shown, path="", size_bytes=0, modified_ns=0, identity="", database=True, table=table)
    monkeypatch.setattr(plan, "find", lambda *_, **__: Found((source,), ()))
    with pytest.raises(UsageError, match=r"postgresql://ann@db/app#logs is read by tasks .*PGPASSWORD") as caught:
        ingest(["postgresql://ann:secret@db/app"], options=IngestOptions(jobs=1, workspace=str(tmp_path / "run")))
    assert "secret" not in str(caught.value)
