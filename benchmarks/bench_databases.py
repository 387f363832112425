"""Measure the reading of databases against their clients' bare fetch of the same columns: bench_databases.py [ROWS].

The servers are started for this on loopback, as the tests do. Bare is the client library's own ``execute`` and
``fetchall`` of all rows at once, with its connection set up as the reader's, so that no value is converted that the
reader leaves as text. Read is what the tool takes until every row is a record with its hash counted, in pages of a
key; ingest adds formats, tokens, classification and the ledger. Runs alternate, and of each kind the best counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.sources.databases import servers

from llm_audit.engines import IngestOptions, ingest
from llm_audit.sources.databases import TableReader, parse, tables
from llm_audit.sources.databases.driver import driver

RUNS = 9
SECRET = quote(servers.PASSWORD, safe="")
LITELLM = """
CREATE TABLE "LiteLLM_SpendLogs" (request_id text PRIMARY KEY, call_type text, spend float8, total_tokens int,
prompt_tokens int, completion_tokens int, "startTime" timestamp(3) NOT NULL, "endTime" timestamp(3), model text,
model_group text, custom_llm_provider text, "user" text, metadata jsonb, cache_hit text, request_tags jsonb,
team_id text, end_user text, messages jsonb, response jsonb, session_id text, status text,
proxy_server_request jsonb DEFAULT '{}');
INSERT INTO "LiteLLM_SpendLogs" SELECT 'chatcmpl-' || md5(i::text), 'acompletion', 0.001, 1200, 1000, 200,
timestamp '2026-09-01' + i * interval '13 second', timestamp '2026-09-01' + i * interval '13 second', 'gpt-4o',
'gpt-4o', 'openai', 'u' || i % 50, jsonb_build_object('user_api_key_alias', 'k', 'user_api_key_team_id', 't' || i % 5,
'usage_object', jsonb_build_object('prompt_tokens', 1000, 'completion_tokens', 200, 'total_tokens', 1200)), 'False',
'["a"]', NULL, NULL, jsonb_build_array(jsonb_build_object('role', 'user', 'content', repeat(md5(i::text), 20))),
jsonb_build_object('id', 'x' || i, 'model', 'gpt-4o', 'choices', jsonb_build_array(jsonb_build_object('message',
jsonb_build_object('role', 'assistant', 'content', repeat(md5(i::text), 10))))), NULL, 'success', '{}'
FROM generate_series(1, ROWS) i;
CREATE INDEX ON "LiteLLM_SpendLogs" ("startTime");
"""
NEW_API = """
CREATE TABLE logs (id bigint AUTO_INCREMENT PRIMARY KEY, created_at bigint, type bigint, content longtext,
username varchar(191), token_name varchar(191), model_name varchar(191), quota bigint, prompt_tokens bigint,
completion_tokens bigint, use_time bigint, is_stream tinyint(1), `group` varchar(191), other longtext)
"""


@contextmanager
def postgres(rows: int) -> Iterator[str]:
    """Yield the URI of a LiteLLM database with so many calls."""
    import psycopg

    with servers.postgres() as port:
        uri = f"postgresql://postgres:{SECRET}@127.0.0.1:{port}/postgres"
        with psycopg.connect(uri, autocommit=True) as admin:
            admin.execute(LITELLM.replace("ROWS", str(rows)))
            admin.execute("VACUUM ANALYZE")
        yield uri


@contextmanager
def mariadb(rows: int) -> Iterator[str]:
    """Yield the URI of a new-api database with so many calls."""
    import pymysql

    with servers.mariadb() as port:
        admin = pymysql.connect(host="127.0.0.1", port=port, user="auditor", password=servers.PASSWORD, autocommit=True)
        with admin.cursor() as cursor:
            cursor.execute("CREATE DATABASE logs")
            cursor.execute("USE logs")
            cursor.execute(NEW_API)
            other = json.dumps({"cache_tokens": 400, "model_ratio": 1.25, "completion_ratio": 4, "group_ratio": 1})
            cursor.execute(
                "INSERT INTO logs SELECT seq, 1788220800 + seq, 2, '', concat('u', seq %% 50), 'shop', 'gpt-4o', 5, "
                f"1000, 200, 3, 1, 'core', %s FROM seq_1_to_{rows}",
                (other,),
            )
            cursor.execute("ANALYZE TABLE logs")
        admin.close()
        yield f"mysql://auditor:{SECRET}@127.0.0.1:{port}/logs"


def main(rows: int) -> None:
    """Print the rows a second of each way of reading each database, and how they compare."""
    for name, server in (("PostgreSQL, LiteLLM", postgres), ("MariaDB, new-api", mariadb)):
        with server(rows) as uri:
            bare, read = [], []
            for _ in range(RUNS):
                bare.append(_seconds(lambda: _fetch(uri), rows))
                read.append(_seconds(lambda: _read(uri), rows))
            ingested = _seconds(lambda: _ingest(uri), rows)
        best, ours = min(bare), min(read)
        print(f"{name}: {rows:,} rows")
        print(f"  bare fetch {rows / best:>9,.0f} rows/s")
        print(f"  read       {rows / ours:>9,.0f} rows/s, {ours / best:.2f} times the bare fetch's time")
        print(f"  ingest     {rows / ingested:>9,.0f} rows/s")


def _fetch(uri: str) -> int:
    address = parse(uri)
    (table,), _ = tables(address)
    assert table.statement is not None
    columns = ", ".join(expression for _, expression in table.statement.columns)
    connection = driver(address.driver).connect(address)
    try:
        return len(connection.page(f"SELECT {columns} FROM {table.statement.source}").rows)
    finally:
        connection.close()


def _read(uri: str) -> int:
    (table,), _ = tables(parse(uri))
    return sum(1 for within in table.ranges for _ in TableReader(table, within))


def _ingest(uri: str) -> int:
    return ingest([uri], options=IngestOptions(cache=False)).manifest.read


def _seconds(work: Callable[[], int], rows: int) -> float:
    started = time.perf_counter()
    assert work() == rows
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
