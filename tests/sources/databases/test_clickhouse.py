"""ClickHouse's engine, which the tests start behind a little of its HTTP interface."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.sources.databases import servers
from tests.sources.databases.rows import rows_of
from tests.sources.databases.servers import PASSWORD

import llm_audit
from llm_audit.errors import UsageError
from llm_audit.sources.databases import parse, ranges, reader, tables

OBSERVATIONS = """
CREATE TABLE observations (`id` String, `trace_id` String, `project_id` String, `type` LowCardinality(String),
`parent_observation_id` Nullable(String), `start_time` DateTime64(3), `end_time` Nullable(DateTime64(3)),
        `name` String,
`metadata` Map(LowCardinality(String), String), `level` LowCardinality(String), `status_message` Nullable(String),
`version` Nullable(String), `input` Nullable(String), `output` Nullable(String),
        `provided_model_name` Nullable(String),
`internal_model_id` Nullable(String), `model_parameters` Nullable(String),
`provided_usage_details` Map(LowCardinality(String), UInt64), `usage_details` Map(LowCardinality(String), UInt64),
`cost_details` Map(LowCardinality(String), Decimal64(12)), `total_cost` Nullable(Decimal64(12)),
`created_at` DateTime64(3) DEFAULT now(), `updated_at` DateTime64(3) DEFAULT now(), event_ts DateTime64(3),
        is_deleted UInt8
) ENGINE = ReplacingMergeTree(event_ts, is_deleted) PARTITION BY toYYYYMM(start_time)
PRIMARY KEY (project_id, `type`, toDate(start_time)) ORDER BY (project_id, `type`, toDate(start_time), id)
"""
TRACES = """
CREATE TABLE traces (`id` String, `timestamp` DateTime64(3), `name` String, `user_id` Nullable(String),
`metadata` Map(LowCardinality(String), String), `project_id` String, `public` Bool, `tags` Array(String),
`input` Nullable(String), `output` Nullable(String), `session_id` Nullable(String), `event_ts` DateTime64(3),
`is_deleted` UInt8) ENGINE = ReplacingMergeTree(event_ts, is_deleted) PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (project_id, toDate(timestamp)) ORDER BY (project_id, toDate(timestamp), id)
"""
CALLS = """
INSERT INTO observations (id, trace_id, project_id, type, start_time, end_time, name, level, input, output,
provided_model_name, usage_details, total_cost, event_ts, is_deleted)
SELECT concat('o', leftPad(toString(number), 5, '0')), 't1', 'p', 'GENERATION',
toDateTime64('2026-09-01 00:00:00', 3, 'UTC') + toIntervalSecond(number * 60),
toDateTime64('2026-09-01 00:00:01', 3, 'UTC') + toIntervalSecond(number * 60), 'chat', 'DEFAULT',
concat('[{"role": "user", "content": "What is 2 + ', toString(number), '?"}]'), '{"role": "assistant",
        "content": "4"}',
'gpt-4o-mini', map('input', 600, 'input_cached_tokens', 400, 'output', 100, 'total', 1100), 0.00018, now64(3), 0
FROM numbers(1000)
"""


class ClickHouse:
    def __init__(self, port: int) -> None:
        from clickhouse_connect.driver import create_client

        self.port = port
        self.admin = create_client(
            host="127.0.0.1",
            port=port,
            username="default",
            password=PASSWORD,
            send_receive_timeout=servers.LIMIT_SECONDS,
        )
        self.execute("DROP DATABASE IF EXISTS lf")
        self.execute("CREATE DATABASE lf")

    def uri(self, *, port: int | None = None, password: str | None = PASSWORD) -> str:
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"clickhouse://default{secret}@127.0.0.1:{port or self.port}/lf"

    def execute(self, sql: str) -> None:
        self.admin.raw_query(sql, settings={"database": "lf"} if "DATABASE" not in sql else None)


@pytest.fixture(scope="module")
def clickhouse_port() -> Iterator[int]:
    for library in ("chdb", "clickhouse_connect"):
        if find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    port = servers.free_port()
    with servers.folder(None) as place:
        command = [sys.executable, str(Path(__file__).with_name("clickhouse_server.py")), str(port), PASSWORD]
        with servers.running(command, port, None, place / "log"):
            yield port


@pytest.fixture
def clickhouse(clickhouse_port: int) -> Iterator[ClickHouse]:
    made = ClickHouse(clickhouse_port)
    yield made
    made.admin.close()


@pytest.fixture
def langfuse(clickhouse: ClickHouse) -> ClickHouse:
    for sql in (OBSERVATIONS, TRACES, CALLS):
        clickhouse.execute(sql)
    clickhouse.execute("""INSERT INTO traces (id, timestamp, name, user_id, metadata, project_id, tags, event_ts,
        is_deleted)
        VALUES ('t1', '2026-09-01', 'old', 'ada', {}, 'p', [], '2026-09-01', 0),
        ('t1', '2026-09-01', 'support', 'ada', {'team': 'core'}, 'p', ['eu'], '2026-09-02', 0),
        ('t1', '2026-09-01', 'other', 'eve', {}, 'q', [], '2026-09-02', 0)""")
    return clickhouse


def test_langfuse_is_audited_to_the_cent(langfuse: ClickHouse) -> None:
    audit = llm_audit.analyze(langfuse.uri())
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.rejected) == (1000, 1000, 0)
    assert audit.document.cost.actual == "0.18"  # 1,000 * (600 * 0.15 + 400 * 0.075 + 100 * 0.60) / 1,000,000
    assert audit.document.inputs[0].path == f"clickhouse://default@127.0.0.1:{langfuse.port}/lf#observations"
    row = audit.requests.row(0, named=True)
    assert (row["team"], row["app"], row["user"], row["tags"]) == ("core", "support", "ada", "eu")
    assert (row["latency_ms"], row["stated_cost_pico"]) == (1000.0, 180_000_000)


def test_of_the_versions_of_a_row_the_newest_counts(langfuse: ClickHouse) -> None:
    """ClickHouse holds versions until it merges them: without FINAL these rows would count twice."""
    newer, deleted = CALLS.replace("now64(3), 0", "now64(3) + 1, 0"), CALLS.replace("now64(3), 0", "now64(3) + 2, 1")
    langfuse.execute(newer.replace("'output', 100", "'output', 200").replace("numbers(1000)", "numbers(10)"))
    langfuse.execute(deleted.replace("numbers(1000)", "numbers(4)"))
    plain = langfuse.admin.query("SELECT count() FROM lf.observations").result_rows[0][0]
    assert plain == 1014
    audit = llm_audit.analyze(langfuse.uri())
    assert audit.document.requests.read == 996  # four were deleted
    assert audit.requests["output_tokens"].sum() == 990 * 100 + 6 * 200


def test_spans_are_not_asked_for_and_bad_rows_are_counted(langfuse: ClickHouse) -> None:
    langfuse.execute(CALLS.replace("'GENERATION'", "'SPAN'"))
    langfuse.execute(
        CALLS.replace("'gpt-4o-mini'", "NULL").replace("numbers(1000)", "numbers(2)").replace("'o'", "'x'")
    )
    counts = llm_audit.analyze(langfuse.uri()).document.requests
    assert (counts.read, counts.audited, counts.rejected) == (1002, 1000, 2)


def test_the_period_is_asked_of_the_server(langfuse: ClickHouse) -> None:
    counts = llm_audit.analyze(langfuse.uri(), since="2026-09-01T01:00", until="2026-09-01T02:00").document.requests
    assert (counts.read, counts.audited) == (61, 60)


def test_pages_and_ranges_have_no_gap_and_no_repeat(langfuse: ClickHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "ROWS_PER_RANGE", 300)
    monkeypatch.setattr(reader, "FIRST_ROWS", 17)
    monkeypatch.setattr(reader, "MOST_ROWS", 17)
    assert len(tables(parse(langfuse.uri()))[0][0].ranges) == 4
    found = [row["observations"][0]["id"] for row in rows_of(langfuse.uri())]
    assert found == [f"o{number:05}" for number in range(1000)]


def test_a_cut_answer_costs_no_row_and_repeats_none(langfuse: ClickHouse) -> None:
    langfuse.execute("-- cut 3")
    found = [row["observations"][0]["id"] for row in rows_of(langfuse.uri())]
    assert found == [f"o{number:05}" for number in range(1000)]


def test_refusals_say_what_to_do_and_show_no_password(langfuse: ClickHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="refused the login: .*password in CLICKHOUSE_PASSWORD") as caught:
        llm_audit.analyze(langfuse.uri(password="wr:ong"))
    assert "wr:ong" not in str(caught.value)
    with pytest.raises(UsageError, match="Cannot connect to"):
        llm_audit.analyze(langfuse.uri(port=1))
    with pytest.raises(UsageError, match="elsewhere.*Check the names"):
        llm_audit.analyze(langfuse.uri().replace("/lf", "/elsewhere"))
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", PASSWORD)
    assert len(rows_of(langfuse.uri(password=None))) == 1000


def test_a_missing_column_is_said(langfuse: ClickHouse) -> None:
    langfuse.execute("ALTER TABLE observations DROP COLUMN usage_details")
    with pytest.raises(UsageError, match="observations has no column usage_details.*version"):
        llm_audit.analyze(langfuse.uri())


def test_nothing_can_be_written(langfuse: ClickHouse) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        llm_audit.analyze(langfuse.uri(), query="ALTER TABLE observations DELETE WHERE 1")
    assert len(rows_of(langfuse.uri())) == 1000


def test_a_query_is_audited(langfuse: ClickHouse) -> None:
    query = """SELECT start_time AS time, provided_model_name AS model, usage_details['input'] AS input_tokens,
        usage_details['output'] AS output_tokens FROM observations FINAL WHERE provided_model_name LIKE 'gpt%'
        LIMIT 10"""
    document = llm_audit.analyze(langfuse.uri(), query=query).document
    assert (document.requests.audited, document.cost.actual) == (10, "0.0015")
    assert str(document.period.start).startswith("2026-09-01T00:")


def test_helicone(clickhouse: ClickHouse) -> None:
    clickhouse.execute("""CREATE TABLE request_response_rmt (response_id Nullable(UUID),
        response_created_at Nullable(DateTime64(3)), latency Nullable(Int64), status Int64,
        completion_tokens Nullable(Int64),
        prompt_tokens Nullable(Int64), model LowCardinality(String), request_id UUID,
        request_created_at DateTime64(3),
        user_id LowCardinality(String), organization_id UUID, provider LowCardinality(String),
        target_url Nullable(String),
        properties Map(LowCardinality(String), String), request_body String DEFAULT '',
        response_body String DEFAULT '',
        cost UInt64 DEFAULT 0, prompt_cache_read_tokens Nullable(Int64), updated_at DateTime64(3,
        'UTC') DEFAULT now())
        ENGINE = ReplacingMergeTree(updated_at) PARTITION BY toYYYYMM(request_created_at)
        PRIMARY KEY (organization_id, provider, model, user_id, request_created_at, request_id)
        ORDER BY (organization_id, provider, model, user_id, request_created_at, request_id)""")
    insert = """INSERT INTO request_response_rmt SELECT generateUUIDv4(), NULL, 900, 200, 100, 600, 'gpt-4o-mini',
        toUUID('00000000-0000-0000-0000-00000000000{}'), toDateTime64('2026-09-01 10:00:00', 3, 'UTC'), 'ada',
        toUUID('00000000-0000-0000-0000-0000000000aa'), 'OPENAI', NULL, map('Helicone-Session-Id', 's', 'team',
        'core'), '',
        '', 180000, 400, now64(3, 'UTC')"""
    for number in (1, 2, 2):
        clickhouse.execute(insert.format(number))
    audit = llm_audit.analyze(clickhouse.uri())
    assert (audit.document.requests.read, audit.document.requests.audited) == (2, 2)
    assert audit.document.cost.actual == "0.00036"
    row = audit.requests.row(0, named=True)
    assert (row["team"], row["user"], row["latency_ms"], row["stated_cost_pico"]) == ("core", "ada", 900.0, 180_000_000)


def test_a_kept_ledger_has_the_requests_of_a_fresh_reading(clickhouse: ClickHouse, tmp_path: Path) -> None:
    calls = CALLS.replace("2026-09-01", "2025-09-01")
    for sql in (OBSERVATIONS, TRACES, calls):
        clickhouse.execute(sql)
    llm_audit.update_ledger([clickhouse.uri()], tmp_path / "led")
    clickhouse.execute(calls.replace("numbers(1000)", "numbers(990, 100)").replace("'output', 100", "'output', 200"))
    kept = llm_audit.update_ledger([clickhouse.uri()], tmp_path / "led")
    fresh = llm_audit.open_ledger([clickhouse.uri()])
    assert kept.manifest == fresh.manifest
    assert kept.manifest.rows == 1090
    columns = ["time", "model", "input_tokens", "output_tokens", "stated_cost_pico", "difficulty"]
    of_kept, of_fresh = (one.frame.select(columns).sort("time") for one in (kept, fresh))
    assert of_kept.equals(of_fresh)
    assert of_kept["output_tokens"].sum() == 990 * 100 + 100 * 200
