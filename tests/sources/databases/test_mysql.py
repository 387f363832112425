"""MySQL's protocol and SQL, on a MariaDB server that the tests start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.databases.rows import rows_of
from tests.sources.databases.servers import PASSWORD, CuttingProxy

import llm_audit
from llm_audit.errors import UsageError
from llm_audit.sources.databases import reader

LOGS = """
CREATE TABLE logs (id bigint AUTO_INCREMENT PRIMARY KEY, user_id bigint, created_at bigint, type bigint,
content longtext, username varchar(191) DEFAULT '',
token_name varchar(191) DEFAULT '', model_name varchar(191) DEFAULT '',
quota bigint DEFAULT 0, prompt_tokens bigint DEFAULT 0, completion_tokens bigint DEFAULT 0, use_time bigint DEFAULT 0,
is_stream tinyint(1), channel_id bigint, token_id bigint DEFAULT 0, `group` varchar(191), ip varchar(191) DEFAULT '',
other longtext, KEY idx_created_at_type (created_at, type))
"""
INSERT = """
INSERT INTO logs (created_at, type, username, token_name, model_name, quota, prompt_tokens, completion_tokens, use_time,
is_stream, `group`, other) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
START = 1_788_220_800  # 2026-09-01


def call(number: int, **changes: Any) -> tuple[Any, ...]:
    row = {"at": START + 60 * number, "type": 2, "user": "ann", "token": "shop", "model": "gpt-4o-mini", "quota": 5,
           "prompt": 1000, "completion": 100, "seconds": 3, "stream": 1, "group": "core",
           "other": json.dumps({"cache_tokens": 400})}  # fmt: skip
    return tuple((row | changes).values())


@pytest.fixture
def new_api(mariadb):
    mariadb.execute(LOGS)
    mariadb.many(INSERT, [call(number) for number in range(1000)])
    return mariadb


def test_new_api_is_audited_to_the_cent(new_api) -> None:
    new_api.many(INSERT, [call(0, type=1, model=""), call(0, type=5), call(0, model=""), call(0, prompt=-1)])
    audit = llm_audit.analyze(new_api.uri())
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.not_provider_calls, counts.rejected) == (1004, 1001, 1, 2)
    assert audit.document.cost.actual == "0.18018"  # 1,001 * (600 * 0.15 + 400 * 0.075 + 100 * 0.60) / 1,000,000
    assert audit.document.inputs[0].path == f"mysql://auditor@127.0.0.1:{new_api.port}/audited#logs"
    assert set(audit.requests["team"]) == {"core"}
    assert any("in the row id 1003" in note for note in audit.document.notes)


def test_the_period_is_asked_of_the_server(new_api) -> None:
    document = llm_audit.analyze(new_api.uri(), since="2026-09-01T01:00", until="2026-09-01T02:00").document
    assert (document.requests.read, document.requests.audited) == (61, 60)


@pytest.mark.parametrize("after_bytes", [30_000, 77_777])
def test_a_cut_connection_costs_no_row_and_repeats_none(
    new_api, monkeypatch: pytest.MonkeyPatch, after_bytes: int
) -> None:
    monkeypatch.setattr(reader, "MOST_ROWS", 100)
    monkeypatch.setattr(reader, "FIRST_ROWS", 100)
    with CuttingProxy(new_api.port, cuts=3, after_bytes=after_bytes) as proxy:
        found = rows_of(new_api.uri(port=proxy.port))
        assert proxy.cuts_left <= 2
    assert [row["id"] for row in found] == list(range(1, 1001))


def test_refusals_say_what_to_do_and_show_no_password(new_api) -> None:
    with pytest.raises(UsageError, match=r"refused the login: .*password in MYSQL_PWD or ~/\.my\.cnf") as caught:
        llm_audit.analyze(new_api.uri(password="wr:ong"))
    assert "wr:ong" not in str(caught.value)
    with pytest.raises(UsageError, match="Cannot connect to .*Check the host and the port"):
        llm_audit.analyze(new_api.uri(port=1))
    with pytest.raises(UsageError, match="cannot be read: Unknown database 'elsewhere'.*Check the names"):
        llm_audit.analyze(new_api.uri().replace("/audited", "/elsewhere"))
    new_api.execute("DROP USER IF EXISTS guest@'%'")
    new_api.execute(f"CREATE USER guest@'%' IDENTIFIED BY '{PASSWORD}'")
    new_api.execute("GRANT SELECT (id) ON audited.logs TO guest@'%'")
    with pytest.raises(UsageError, match="logs has no column"):
        llm_audit.analyze(new_api.uri(user="guest"))
    with pytest.raises(UsageError, match="may not be read: .*GRANT SELECT"):
        llm_audit.analyze(new_api.uri(user="guest"), query="SELECT created_at FROM logs")


@pytest.mark.parametrize("place", ["variable", "file"])
def test_the_password_is_taken_from_where_the_client_looks(
    new_api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    if place == "variable":
        monkeypatch.setenv("MYSQL_PWD", PASSWORD)
    else:
        (tmp_path / ".my.cnf").write_text(f"[client]\npassword = {PASSWORD}\n")
    assert len(rows_of(new_api.uri(password=None))) == 1000


def test_nothing_can_be_written(new_api) -> None:
    with pytest.raises(UsageError, match="error in your SQL syntax"):
        llm_audit.analyze(new_api.uri(), query="DELETE FROM logs")
    new_api.execute("CREATE FUNCTION erase() RETURNS int BEGIN DELETE FROM logs; RETURN 1; END")
    with pytest.raises(UsageError, match="READ ONLY"):
        llm_audit.analyze(new_api.uri(), query="SELECT erase() AS model")
    assert len(rows_of(new_api.uri())) == 1000


def test_a_query_is_audited(new_api) -> None:
    query = """SELECT from_unixtime(created_at) AS time, model_name AS model, prompt_tokens AS input_tokens,
               completion_tokens AS output_tokens FROM logs WHERE username LIKE 'an%' LIMIT 10"""
    document = llm_audit.analyze(new_api.uri(), query=query).document
    assert (document.requests.audited, document.cost.actual) == (10, "0.0021")
    assert str(document.period.start).startswith("2026-09-01T00:00")
