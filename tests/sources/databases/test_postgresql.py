"""PostgreSQL, on a server that the tests start."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.sources.databases.rows import rows_of
from tests.sources.databases.servers import PASSWORD, CuttingProxy

import llm_audit
from llm_audit.config import Config
from llm_audit.errors import IncompleteError, UsageError
from llm_audit.sources.databases import parse, reader, tables
from llm_audit.sources.entry import Rejected

SPEND_LOGS = """
CREATE TABLE "LiteLLM_SpendLogs" (
    "request_id" TEXT NOT NULL, "call_type" TEXT NOT NULL, "api_key" TEXT NOT NULL DEFAULT '',
    "spend" DOUBLE PRECISION NOT NULL DEFAULT 0.0, "total_tokens" INTEGER NOT NULL DEFAULT 0,
    "prompt_tokens" INTEGER NOT NULL DEFAULT 0, "completion_tokens" INTEGER NOT NULL DEFAULT 0,
    "startTime" TIMESTAMP(3) NOT NULL, "endTime" TIMESTAMP(3) NOT NULL, "completionStartTime" TIMESTAMP(3),
    "model" TEXT NOT NULL DEFAULT '', "model_id" TEXT DEFAULT '', "model_group" TEXT DEFAULT '',
    "custom_llm_provider" TEXT DEFAULT '', "api_base" TEXT DEFAULT '', "user" TEXT DEFAULT '',
    "metadata" JSONB DEFAULT '{}', "cache_hit" TEXT DEFAULT '', "cache_key" TEXT DEFAULT '',
    "request_tags" JSONB DEFAULT '[]', "team_id" TEXT, "end_user" TEXT, "requester_ip_address" TEXT,
    "messages" JSONB DEFAULT '{}', "response" JSONB DEFAULT '{}', "session_id" TEXT, "status" TEXT,
    "proxy_server_request" JSONB DEFAULT '{}', CONSTRAINT "LiteLLM_SpendLogs_pkey" PRIMARY KEY ("request_id"))
"""
INSERT = """
INSERT INTO "LiteLLM_SpendLogs" (request_id, call_type, spend, prompt_tokens, completion_tokens, total_tokens,
"startTime", "endTime", model, custom_llm_provider, metadata, messages, response, cache_hit)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'openai', %s, %s, %s, %s)
"""
START = datetime(2026, 9, 1, tzinfo=UTC).replace(tzinfo=None)


def call(number: int, **changes: Any) -> tuple[Any, ...]:
    """A call of 1,000 tokens in and 100 out; gpt-4o-mini at 0.15 and 0.60 dollars a million."""
    row = {
        "request_id": f"chatcmpl-{number:05}",
        "call_type": "acompletion",
        "spend": 0.00021,
        "prompt": 1000,
        "completion": 100,
        "total": 1100,
        "start": START + timedelta(minutes=number),
        "end": START + timedelta(minutes=number, seconds=2),
        "model": "gpt-4o-mini",
        "metadata": json.dumps({"user_api_key_team_alias": f"team-{number % 2}"}),
        "messages": json.dumps([{"role": "user", "content": f"Question {number}: what is 2 + {number}?"}]),
        "response": json.dumps({"choices": [{"message": {"role": "assistant", "content": f"{2 + number}"}}]}),
        "cache_hit": "False",
    }
    return tuple((row | changes).values())


@pytest.fixture
def litellm(postgres):
    postgres.execute(SPEND_LOGS)
    postgres.execute('CREATE INDEX ON "LiteLLM_SpendLogs" ("startTime")')
    postgres.many(INSERT, [call(number) for number in range(1000)])
    postgres.execute("ANALYZE")
    return postgres


def test_litellm_is_audited_to_the_cent(litellm) -> None:
    audit = llm_audit.analyze(litellm.uri())
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.rejected, counts.duplicates) == (1000, 1000, 0, 0)
    assert audit.document.cost.actual == "0.21"  # 1,000 * (1,000 * 0.15 + 100 * 0.60) / 1,000,000
    assert audit.document.inputs[0].path == (
        f"postgresql://postgres@127.0.0.1:{litellm.port}/audited#LiteLLM_SpendLogs"
    )
    assert set(audit.requests["team"]) == {"team-0", "team-1"}


def test_a_database_is_audited_like_its_export(litellm, tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    with litellm.admin.cursor() as cursor:
        cursor.execute('SELECT to_json(t)::text FROM "LiteLLM_SpendLogs" t ORDER BY "startTime"')
        export.write_text("".join(f"{row}\n" for (row,) in cursor))
    columns = ["time", "model", "input_tokens", "output_tokens", "team", "stated_cost_pico", "latency_ms", "difficulty"]
    of_table, of_file = (llm_audit.open_ledger([path]).frame.sort("time") for path in (litellm.uri(), str(export)))
    assert of_table.select(columns).equals(of_file.select(columns))


def test_every_kind_of_row_is_accounted_for(litellm) -> None:
    litellm.many(
        INSERT,
        [
            call(2000, cache_hit="True"),
            call(2001, call_type="acreate_batch"),
            call(2002, model=""),
            call(2003, prompt=-5),
            call(2004, start="infinity"),
            call(2005, start="2750-01-01"),
        ],
    )
    document = llm_audit.analyze(litellm.uri()).document
    counts = document.requests
    assert (counts.read, counts.audited, counts.not_provider_calls, counts.rejected) == (1006, 1000, 2, 4)
    assert counts.read == counts.audited + counts.duplicates + counts.not_provider_calls + counts.rejected
    assert {entry.reason: entry.count for entry in document.rejected} == {"no_model": 1, "bad_tokens": 1, "bad_time": 2}
    notes = " ".join(document.notes)
    for number in (2002, 2003, 2004):
        assert f"request_id chatcmpl-{number:05}" in notes
    assert "#LiteLLM_SpendLogs:" in notes


def test_the_period_is_asked_of_the_server(litellm) -> None:
    day = timedelta(days=1) // timedelta(minutes=1)
    litellm.many(INSERT, [call(number) for number in range(day, day + 30)])
    document = llm_audit.analyze(litellm.uri(), since="2026-09-02", until="2026-09-02T00:10").document
    assert document.requests.audited == 10
    assert document.requests.read == 11  # the end itself is asked for and then left out
    assert document.requests.out_of_period == 1


def test_only_columns_that_are_read_are_asked_for(litellm) -> None:
    assert set(rows_of(litellm.uri())[0]) == {
        "request_id", "call_type", "spend", "startTime", "model", "endTime", "model_group", "custom_llm_provider",
        "user", "request_tags", "cache_hit", "prompt_tokens", "completion_tokens", "total_tokens", "metadata",
        "messages", "response", "proxy_server_request",
    }  # fmt: skip


def test_ranges_and_processes_do_not_change_the_ledger(litellm, monkeypatch: pytest.MonkeyPatch) -> None:
    from llm_audit.sources.databases import ranges

    whole = llm_audit.open_ledger([litellm.uri()], config=Config(jobs=1))
    monkeypatch.setattr(ranges, "ROWS_PER_RANGE", 70)
    monkeypatch.setattr("llm_audit.sources.databases.table._BYTES_PER_ROW", 1 << 20)
    assert len(tables(parse(litellm.uri()))[0][0].ranges) == 15
    cut = llm_audit.open_ledger([litellm.uri()], config=Config(jobs=2))
    assert cut.frame.equals(whole.frame)
    assert cut.manifest == whole.manifest


def test_pages_follow_each_other_without_gap_or_repeat(litellm, monkeypatch: pytest.MonkeyPatch) -> None:
    litellm.execute('UPDATE "LiteLLM_SpendLogs" SET "startTime" = \'2026-09-01\'')  # one time for all
    monkeypatch.setattr(reader, "FIRST_ROWS", 7)
    monkeypatch.setattr(reader, "MOST_ROWS", 7)
    found = [row["request_id"] for row in rows_of(litellm.uri())]
    assert found == [f"chatcmpl-{number:05}" for number in range(1000)]


@pytest.mark.parametrize("after_bytes", [40_000, 100_001, 250_000])
def test_a_cut_connection_costs_no_row_and_repeats_none(
    litellm, monkeypatch: pytest.MonkeyPatch, after_bytes: int
) -> None:
    monkeypatch.setattr(reader, "MOST_ROWS", 100)
    monkeypatch.setattr(reader, "FIRST_ROWS", 100)
    with CuttingProxy(litellm.port, cuts=3, after_bytes=after_bytes) as proxy:
        found = rows_of(litellm.uri(port=proxy.port))
        assert proxy.cuts_left <= 2
    assert [row["request_id"] for row in found] == [f"chatcmpl-{number:05}" for number in range(1000)]


def test_a_connection_that_stays_cut_ends_the_run(litellm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "FIRST_ROWS", 1000)
    with (
        CuttingProxy(litellm.port, cuts=100, after_bytes=60_000) as proxy,
        pytest.raises(UsageError, match=r"The connection to .*#LiteLLM_SpendLogs was lost.*Run again"),
    ):
        llm_audit.analyze(litellm.uri(port=proxy.port))


def test_the_password_is_shown_nowhere(litellm, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from llm_audit.cli import run

    litellm.many(INSERT, [call(2002, model="")])
    report = tmp_path / "report.json"
    assert (
        run(["analyze", litellm.uri(), "-o", str(report), "--save-ledger", str(tmp_path / "ledger"), "--details"]) == 0
    )
    assert run(["analyze", litellm.uri(user="nobody")]) == 2
    assert run(["analyze", litellm.uri() + "?sslpassword=" + PASSWORD.replace("%", "%25") + "#none"]) == 2
    assert run(["formats", "detect", litellm.uri()]) == 0
    shown = "".join(capfd.readouterr())
    assert "audited" in shown
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for written in ("cor:rect", "cor%3Arect", "h@rse", "h%40rse"):
        assert written not in shown
        assert written.encode() not in kept


@pytest.mark.parametrize("place", ["variable", "file"])
def test_the_password_is_taken_from_where_libpq_looks(
    litellm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    if place == "variable":
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
    else:
        secrets = tmp_path / ".pgpass"
        secrets.write_text(f"127.0.0.1:{litellm.port}:*:postgres:{PASSWORD.replace(':', chr(92) + ':')}\n")
        secrets.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(secrets))
    assert len(rows_of(litellm.uri(password=None))) == 1000


def test_refusals_say_what_to_do(litellm) -> None:
    with pytest.raises(UsageError, match=r"refused the login: .*password in PGPASSWORD or ~/\.pgpass"):
        llm_audit.analyze(litellm.uri(password="wrong"))
    with pytest.raises(UsageError, match=r"Cannot connect to .*Check the host and the port"):
        llm_audit.analyze(litellm.uri(port=1))
    with pytest.raises(UsageError, match=r'"elsewhere" does not exist.*Check the names'):
        llm_audit.analyze(litellm.uri().replace("/audited", "/elsewhere"))
    with pytest.raises(UsageError, match=r"has no table LiteLLM_SpendLog .*Did you mean \"LiteLLM_SpendLogs\""):
        llm_audit.analyze(litellm.uri() + "#LiteLLM_SpendLog")
    litellm.execute("DROP ROLE IF EXISTS guest")
    litellm.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
    with pytest.raises(UsageError, match=r'may not be read: .*GRANT SELECT ON "LiteLLM_SpendLogs" TO guest'):
        llm_audit.analyze(litellm.uri(user="guest"))


def test_a_schema_that_is_not_known_is_said(litellm) -> None:
    litellm.execute('ALTER TABLE "LiteLLM_SpendLogs" RENAME COLUMN "startTime" TO started_at')
    with pytest.raises(UsageError, match="LiteLLM_SpendLogs has no column startTime.*version.*--query"):
        llm_audit.analyze(litellm.uri())
    litellm.execute('DROP TABLE "LiteLLM_SpendLogs"')
    litellm.execute("CREATE TABLE orders (id int)")
    with pytest.raises(UsageError, match="has no table of a known schema; it has orders.*--query"):
        llm_audit.analyze(litellm.uri())


def test_older_versions_lack_columns_and_newer_ones_have_more(litellm) -> None:
    for column in ("session_id", "status", "proxy_server_request", "messages", "response"):
        litellm.execute(f'ALTER TABLE "LiteLLM_SpendLogs" DROP COLUMN {column}')
    litellm.execute("ALTER TABLE \"LiteLLM_SpendLogs\" ADD COLUMN agent_id TEXT DEFAULT 'a'")
    assert llm_audit.analyze(litellm.uri()).document.requests.audited == 1000


def test_a_row_too_large_stays_on_the_server(litellm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ROW_BYTES", 50_000)
    litellm.execute('ALTER TABLE "LiteLLM_SpendLogs" ALTER COLUMN messages SET STORAGE EXTERNAL')
    litellm.many(INSERT, [call(3000, messages=json.dumps("x" * 100_000))])
    rejected = [item for item in rows_of(litellm.uri()) if isinstance(item, Rejected)]
    assert [(item.reason, item.unread_bytes > 100_000) for item in rejected] == [("too_long", True)]
    document = llm_audit.analyze(litellm.uri()).document
    assert (document.requests.read, document.requests.audited, document.requests.rejected) == (1001, 1000, 1)


def test_nothing_can_be_written(litellm) -> None:
    with pytest.raises(UsageError, match="syntax error"):
        llm_audit.analyze(litellm.uri(), query='DELETE FROM "LiteLLM_SpendLogs"')
    litellm.execute("CREATE FUNCTION erase() RETURNS int LANGUAGE sql AS 'DELETE FROM \"LiteLLM_SpendLogs\"; SELECT 1'")
    with pytest.raises(UsageError, match="read-only transaction"):
        llm_audit.analyze(litellm.uri(), query="SELECT erase() AS model")
    assert len(rows_of(litellm.uri())) == 1000


def test_a_query_is_audited_with_a_mapping(litellm) -> None:
    query = """SELECT "startTime" AS at, model AS what, prompt_tokens AS "in", completion_tokens AS "out"
               FROM "LiteLLM_SpendLogs" WHERE model LIKE 'gpt%' LIMIT 600;"""
    mapping = {"timestamp": "at", "model": "what", "input_tokens": "in", "output_tokens": "out"}
    document = llm_audit.analyze(litellm.uri(), query=query, config=Config(mapping=mapping)).document
    assert (document.requests.read, document.requests.audited) == (600, 600)
    assert document.cost.actual == "0.126"
    with pytest.raises(UsageError, match="one database"):
        llm_audit.analyze(litellm.uri(), "logs.jsonl", query=query)


def test_any_table_is_read_in_the_order_of_its_primary_key(postgres) -> None:
    postgres.execute("CREATE SCHEMA app")
    postgres.execute("CREATE TABLE app.calls (tenant int, id uuid, model text, input_tokens bigint, output_tokens int,"
                     " created_at timestamptz, PRIMARY KEY (tenant, id))")  # fmt: skip
    postgres.execute("INSERT INTO app.calls SELECT i % 3, gen_random_uuid(), 'gpt-4o-mini', 1000, 100,"
                     " timestamptz '2026-09-01 02:00:00+02' FROM generate_series(1, 999) i")  # fmt: skip
    document = llm_audit.analyze(postgres.uri() + "#app.calls").document
    assert (document.requests.read, document.requests.audited) == (999, 999)
    assert document.cost.actual == "0.20979"
    assert str(document.period.start).startswith("2026-09-01")


def test_a_partitioned_table_is_one_table(postgres) -> None:
    partitioned = SPEND_LOGS.replace('PRIMARY KEY ("request_id"))', 'PRIMARY KEY ("request_id", "startTime"))')
    postgres.execute(partitioned + ' PARTITION BY RANGE ("startTime")')
    for day in (1, 2):
        postgres.execute(f'CREATE TABLE logs_{day} PARTITION OF "LiteLLM_SpendLogs" FOR VALUES '
                         f"FROM ('2026-09-0{day}') TO ('2026-09-0{day + 1}')")  # fmt: skip
    postgres.many(INSERT, [call(number) for number in (0, 1, 1500)])
    assert len(rows_of(postgres.uri())) == 3


DAILY = """
CREATE TABLE "LiteLLM_DailyUserSpend" (id TEXT PRIMARY KEY, user_id TEXT, date TEXT NOT NULL, api_key TEXT NOT NULL,
model TEXT, model_group TEXT, custom_llm_provider TEXT, mcp_namespaced_tool_name TEXT, endpoint TEXT,
prompt_tokens BIGINT DEFAULT 0, completion_tokens BIGINT DEFAULT 0, cache_read_input_tokens BIGINT DEFAULT 0,
cache_creation_input_tokens BIGINT DEFAULT 0, spend DOUBLE PRECISION DEFAULT 0, api_requests BIGINT DEFAULT 0,
successful_requests BIGINT DEFAULT 0, failed_requests BIGINT DEFAULT 0)
"""


def test_daily_sums_are_read_where_calls_are_not_logged(postgres) -> None:
    postgres.execute(SPEND_LOGS)
    postgres.execute(DAILY)
    postgres.execute("""INSERT INTO "LiteLLM_DailyUserSpend" VALUES
        ('a', 'ada', '2026-09-01', 'k', 'gpt-4o-mini', 'gpt-4o-mini', 'openai', NULL, '/chat/completions',
         1000003, 200000, 400000, 0, 0.24, 12, 10, 2),
        ('b', 'ada', '2026-09-02', 'k', '', '', '', 'files/read', '', 0, 0, 0, 0, 0, 3, 3, 0)""")
    audit = llm_audit.analyze(postgres.uri())
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.not_provider_calls) == (13, 12, 1)
    assert audit.document.cost.actual == "0.24000045"  # 600,003 * 0.15 + 400,000 * 0.075 + 200,000 * 0.60
    assert audit.requests["status"].cast(str).value_counts().sort("status").rows() == [("error", 2), ("ok", 10)]


def test_daily_sums_are_left_out_beside_the_calls(litellm) -> None:
    litellm.execute(DAILY)
    document = llm_audit.analyze(litellm.uri()).document
    assert document.requests.read == 1000
    assert any("LiteLLM_DailyUserSpend was not read" in note for note in document.notes)


def test_an_empty_table_is_nothing_to_audit(postgres) -> None:
    postgres.execute(SPEND_LOGS)
    with pytest.raises(IncompleteError, match="nothing to audit: postgresql://postgres@127") as caught:
        llm_audit.analyze(postgres.uri())
    assert "rect" not in str(caught.value)
