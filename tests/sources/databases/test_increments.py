"""What an update reads of a table, on servers: the window and what is new, and the audit is that of a fresh reading."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.sources.databases.servers import PASSWORD
from tests.sources.databases.test_mysql import LOGS as NEW_API
from tests.sources.databases.test_postgresql import DAILY, INSERT, SPEND_LOGS, call

import llm_audit
from llm_audit.cli import run
from llm_audit.sources.databases import Slice, increment, parse, tables
from llm_audit.sources.databases.driver import Page
from llm_audit.sources.databases.ranges import FIRST, LAST, WHOLE, number_of

START = datetime(2025, 9, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def calls(start: int, end: int) -> list[tuple[Any, ...]]:
    """Calls a minute apart."""
    return [call(n, start=(START + timedelta(minutes=n)).replace(tzinfo=None)) for n in range(start, end)]


@pytest.fixture
def litellm(postgres):
    postgres.execute(SPEND_LOGS)
    postgres.many(INSERT, calls(0, 600))
    return postgres


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the calls that the server sends."""
    from llm_audit.sources.databases.drivers import postgresql

    found: list[str] = []
    page = postgresql._Connection.page

    def counting(connection: Any, sql: str, parameters: Any = ()) -> Page:
        answer = page(connection, sql, parameters)
        if "request_id" in answer.names:
            found.extend(row[answer.names.index("request_id")] for row in answer.rows)
        return answer

    monkeypatch.setattr(postgresql._Connection, "page", counting)
    return found


def audited(*arguments: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["analyze", *arguments, "-f", "json", "--jobs", "1"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_night_fetches_the_window_and_what_is_new_and_the_audit_is_that_of_a_fresh_reading(
    litellm, tmp_path: Path, fetched: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = str(tmp_path / "led")
    options = [litellm.uri(), "--ledger", ledger, "--update", "--overlap-hours", "1"]
    assert audited(*options, capsys=capsys)["requests"]["audited"] == 600
    litellm.many(INSERT, calls(600, 700))
    litellm.execute("UPDATE \"LiteLLM_SpendLogs\" SET prompt_tokens = 2000 WHERE request_id = 'chatcmpl-00590'")
    fetched.clear()
    kept = audited(*options, capsys=capsys)
    assert sorted(fetched) == [f"chatcmpl-{n:05}" for n in range(539, 700)]
    fresh = audited(litellm.uri(), capsys=capsys)
    assert kept.pop("command") == f"llm-audit analyze {ledger}"
    shown = fresh.pop("command").removeprefix("llm-audit analyze ")
    assert json.dumps(kept).replace(f"llm-audit sample {ledger} ", f"llm-audit sample {shown} ") == json.dumps(fresh)
    assert kept["cost"]["actual"] == "0.14715"  # 699 * 0.00021 and one of 2,000 tokens in, 0.00036
    for file in (tmp_path / "led").rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes()
        assert not file.is_file() or b"cor%3Arect" not in file.read_bytes()


def test_rows_that_commit_late_are_neither_lost_nor_counted_twice(litellm, tmp_path: Path) -> None:
    def kept() -> llm_audit.Audit:
        return llm_audit.audit_ledger(llm_audit.update_ledger([litellm.uri()], tmp_path / "led"))

    kept()
    litellm.many(INSERT, [call(9000 + n, start=START.replace(tzinfo=None)) for n in range(5)])
    litellm.many(INSERT, calls(600, 650))
    counts = kept().document.requests
    assert (counts.read, counts.audited, counts.duplicates) == (655, 655, 0)


def test_new_api_on_mariadb_is_followed_by_its_number(mariadb, tmp_path: Path) -> None:
    mariadb.execute(NEW_API)
    insert = (
        "INSERT INTO logs (id, created_at, type, model_name, token_name, username, quota, prompt_tokens, "
        "completion_tokens) VALUES (%s, %s, 2, 'gpt-4o-mini', 't', 'ann', 105, 1000, 100)"
    )
    first = int(START.timestamp())
    mariadb.many(insert, [(n, first + 60 * n) for n in range(1, 601)])
    llm_audit.update_ledger([mariadb.uri()], tmp_path / "led")
    mariadb.many(insert, [(n, first + 60 * n) for n in range(601, 701)])
    kept = llm_audit.update_ledger([mariadb.uri()], tmp_path / "led")
    fresh = llm_audit.open_ledger([mariadb.uri()])
    assert kept.manifest == fresh.manifest
    assert kept.frame.equals(fresh.frame)


@pytest.mark.parametrize("hours", [0, 1, 6])
def test_the_window_reaches_back_from_the_newest_row(litellm, hours: int) -> None:
    newest = number_of(START + timedelta(minutes=599))
    [table], _ = tables(parse(litellm.uri()))
    found = increment(table, (), overlap=hours * HOUR)
    window = number_of(START + timedelta(minutes=599) - hours * HOUR)
    assert found.kept == ()
    assert found.read == ((FIRST, window), (window, newest + 10**6))


def test_only_slices_before_the_window_are_kept_and_counted(litellm) -> None:
    edges = [FIRST, *(number_of(START + timedelta(minutes=n)) for n in (100, 200, 539, 600))]
    slices = [
        Slice((start, end), rows) for start, end, rows in zip(edges, edges[1:], (100, 100, 339, 61), strict=False)
    ]
    [table], _ = tables(parse(litellm.uri()))
    found = increment(table, slices, overlap=HOUR)
    assert found.kept == tuple(one.within for one in slices[:3])
    assert found.read == ((edges[3], edges[4] - 59 * 10**6),)
    litellm.execute("DELETE FROM \"LiteLLM_SpendLogs\" WHERE request_id = 'chatcmpl-00150'")
    litellm.many(INSERT, [call(9000, start=(START + timedelta(minutes=300)).replace(tzinfo=None))])
    found = increment(table, slices, overlap=HOUR)
    assert (found.kept, found.gone) == (tuple(one.within for one in slices[:2]), 1)
    assert found.read[0] == slices[2].within
    assert increment(table, slices, overlap=HOUR, drop_missing=True).kept == (slices[0].within,)


@pytest.mark.parametrize("time", ["infinity", "9000-01-01", "20000-01-01"])
def test_a_time_that_cannot_be_right_does_not_move_the_window(litellm, time: str) -> None:
    litellm.many(INSERT, [call(9000, start=time)])
    [table], _ = tables(parse(litellm.uri()))
    window = number_of(START + timedelta(minutes=539))
    first, last = increment(table, (), overlap=HOUR).read
    assert first == (FIRST, window)
    assert last[0] == window
    assert (last[1] == LAST) == (time != "9000-01-01")


def test_an_empty_table_is_read_as_a_whole(postgres) -> None:
    postgres.execute(SPEND_LOGS)
    [table], _ = tables(parse(postgres.uri()))
    assert increment(table, (), overlap=HOUR).read == (WHOLE,)
    assert increment(table, [Slice(WHOLE, 0)], overlap=HOUR).read == (WHOLE,)


def test_daily_sums_do_not_stay_beside_the_calls_that_they_sum_up(postgres, tmp_path: Path) -> None:
    postgres.execute(DAILY)
    postgres.execute(SPEND_LOGS)
    postgres.execute(
        'INSERT INTO "LiteLLM_DailyUserSpend" (id, date, api_key, model, prompt_tokens, completion_tokens, spend, '
        "api_requests, successful_requests) VALUES ('d', '2025-09-01', 'k', 'gpt-4o-mini', 1000, 100, 0.00021, 1, 1)"
    )
    assert llm_audit.update_ledger([postgres.uri()], tmp_path / "led").manifest.rows == 1
    postgres.many(INSERT, calls(0, 3))
    kept = llm_audit.update_ledger([postgres.uri()], tmp_path / "led")
    assert kept.manifest == llm_audit.open_ledger([postgres.uri()]).manifest
    assert kept.manifest.rows == 3


def test_a_table_of_duckdb_is_followed_by_its_number(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "app.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute(
            "CREATE TABLE calls (id BIGINT PRIMARY KEY, timestamp TIMESTAMP, model TEXT, input_tokens INT)"
        )
        database.execute("INSERT INTO calls SELECT 100 * n, '2025-09-01', 'gpt-4o', n + 1 FROM range(300) t(n)")
    place = f"duckdb://{path}#calls"
    llm_audit.update_ledger([place], tmp_path / "led")
    with duckdb.connect(str(path)) as database:
        database.execute("UPDATE calls SET input_tokens = 7 WHERE id IN (100, 25000)")  # the first one unnoticed
        database.execute("INSERT INTO calls SELECT 100 * n, '2025-09-02', 'gpt-4o', n + 1 FROM range(300, 310) t(n)")
    tokens = llm_audit.update_ledger([place], tmp_path / "led").frame["input_tokens"]
    assert (len(tokens), sum(tokens)) == (310, sum(range(1, 311)) - 251 + 7)
