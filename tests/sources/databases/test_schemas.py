"""Known schemas besides LiteLLM's, on a PostgreSQL server: rows become the records that an export would hold."""

from __future__ import annotations

import json

from tests.sources.databases.rows import rows_of

import llm_audit

OBSERVATIONS = """
CREATE TYPE "ObservationType" AS ENUM ('SPAN', 'EVENT', 'GENERATION');
CREATE TYPE "ObservationLevel" AS ENUM ('DEBUG', 'DEFAULT', 'WARNING', 'ERROR');
CREATE TABLE observations (id text PRIMARY KEY, trace_id text, project_id text NOT NULL,
type "ObservationType" NOT NULL, start_time timestamp(3) NOT NULL, end_time timestamp(3), name text,
        metadata jsonb, parent_observation_id text,
level "ObservationLevel" NOT NULL DEFAULT 'DEFAULT', status_message text, version text, created_at timestamp(3),
model text, internal_model text, "modelParameters" jsonb, input jsonb, output jsonb,
prompt_tokens int NOT NULL DEFAULT 0, completion_tokens int NOT NULL DEFAULT 0,
        total_tokens int NOT NULL DEFAULT 0, unit text, input_cost decimal(65,30),
output_cost decimal(65,30), total_cost decimal(65,30), calculated_total_cost decimal(65,30));
CREATE TABLE traces (id text PRIMARY KEY, external_id text, timestamp timestamp(3), name text, project_id text,
metadata jsonb, user_id text, release text, version text, public boolean, bookmarked boolean, tags text[],
        input jsonb,
output jsonb, session_id text)
"""


def test_langfuse_2(postgres) -> None:
    postgres.execute(OBSERVATIONS)
    postgres.execute("""INSERT INTO traces (id, name, project_id, metadata, user_id, tags, session_id) VALUES
        ('t1', 'support', 'p', '{"team": "core"}', 'ada', '{eu,beta}', 's1'),
        ('t2', 'other', 'q', '{}', 'eve', '{}', NULL)
    """)
    postgres.execute("""INSERT INTO observations (id, trace_id, project_id, type, start_time, end_time, model, input,
        output,        prompt_tokens, completion_tokens, total_tokens, unit, calculated_total_cost, level) VALUES
        ('o1', 't1', 'p', 'GENERATION', '2026-09-01 10:00', '2026-09-01 10:00:01.5', 'gpt-4o-mini',
         '[{"role": "user", "content": "What is 2 + 2?"}]', '{"role": "assistant", "content": "4"}', 1000, 100, 1100,
         'TOKENS', 0.00021, 'DEFAULT'),
        ('o2', 't2', 'p', 'GENERATION', '2026-09-01 10:00', NULL, 'gpt-4o-mini', NULL, NULL, 0, 0, 0, NULL, NULL,
         'ERROR'),
        ('o3', 't1', 'p', 'SPAN', '2026-09-01 10:00', NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, 'DEFAULT')""")
    audit = llm_audit.analyze(postgres.uri())
    assert (audit.document.requests.read, audit.document.requests.audited) == (2, 2)
    good, bad = audit.requests.sort("status").to_dicts()
    assert (good["team"], good["user"], good["app"], good["tags"]) == ("core", "ada", "support", "beta,eu")
    assert (good["input_tokens"], good["output_tokens"], good["latency_ms"]) == (1000, 100, 1500)
    assert good["stated_cost_pico"] == 210_000_000
    assert (bad["status"], bad["user"], bad["usage_source"]) == ("error", None, "none")  # t2 is of another project


def test_open_webui(postgres) -> None:
    postgres.execute("""CREATE TABLE chat (id text PRIMARY KEY, user_id text, title text, chat json,
        created_at bigint,
        updated_at bigint, share_id text, archived boolean, pinned boolean, meta json, folder_id text)""")
    messages = {
        "m1": {"id": "m1", "role": "user", "content": "What is 2 + 2?", "timestamp": 1788220800},
        "m2": {"id": "m2", "parentId": "m1", "role": "assistant", "content": "4", "model": "gpt-4o-mini",
               "timestamp": 1788220801, "usage": {"prompt_tokens": 1000, "completion_tokens": 100}},
    }  # fmt: skip
    chat = json.dumps({"history": {"messages": messages, "currentId": "m2"}})
    postgres.many(
        "INSERT INTO chat (id, user_id, title, chat, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s)",
        [("c1", "ada", "Sum", chat, 1788220800, 1788220801), ("c2", "ada", "Old", chat, 1750000000, 1750000001)],
    )
    audit = llm_audit.analyze(postgres.uri(), since="2026-09-01")
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.not_provider_calls) == (2, 1, 1)
    assert audit.document.cost.actual == "0.00021"
    assert audit.requests["user"].to_list() == ["ada"]


def test_dify(postgres) -> None:
    postgres.execute("""CREATE TABLE messages (id uuid PRIMARY KEY, app_id uuid NOT NULL, model_provider varchar(255),
        model_id varchar(255), override_model_configs text, conversation_id uuid NOT NULL, inputs json,
        query text NOT NULL, message json NOT NULL, message_tokens int NOT NULL DEFAULT 0,
        message_unit_price numeric(10,4) NOT NULL DEFAULT 0, answer text NOT NULL,
        answer_tokens int NOT NULL DEFAULT 0, provider_response_latency float NOT NULL DEFAULT 0,
        total_price numeric(10,7), currency varchar(255) NOT NULL, from_source varchar(255), from_end_user_id uuid,
        from_account_id uuid, created_at timestamp NOT NULL,
        status varchar(255) NOT NULL DEFAULT 'normal', error text)""")
    postgres.execute("""INSERT INTO messages (id, app_id, model_provider, model_id, conversation_id, query, message,
        message_tokens, answer, answer_tokens, provider_response_latency, total_price, currency, from_end_user_id,
        created_at)
        SELECT gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 'langgenius/openai/openai', 'gpt-4o-mini',
        gen_random_uuid(), 'q', '[{"role": "user", "text": "What is 2 + 2?"}]', 1000, '4', 100, 1.25, 0.0002100,
        'USD',
        gen_random_uuid(), timestamp '2026-09-01' + i * interval '1 minute' FROM generate_series(1, 30) i""")
    postgres.execute("UPDATE messages SET model_id = NULL WHERE created_at = '2026-09-01 00:30'")
    audit = llm_audit.analyze(postgres.uri(), until="2026-09-02")
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.rejected) == (30, 29, 1)
    assert audit.document.cost.actual == "0.00609"  # 29 * 0.00021
    assert set(audit.requests["latency_ms"]) == {1250.0}
    assert set(audit.requests["stated_cost_pico"]) == {210_000_000}


def test_mlflow(postgres) -> None:
    postgres.execute("""CREATE TABLE trace_info (request_id varchar(50) PRIMARY KEY, experiment_id int NOT NULL,
        timestamp_ms bigint NOT NULL, execution_time_ms bigint, status varchar(50) NOT NULL);
        CREATE TABLE spans (trace_id varchar(50) NOT NULL, experiment_id int NOT NULL, span_id varchar(50) NOT NULL,
        parent_span_id varchar(50), name text, type varchar(500), status varchar(50) NOT NULL,
        start_time_unix_nano bigint NOT NULL, end_time_unix_nano bigint, content text NOT NULL,
        PRIMARY KEY (trace_id, span_id))""")
    start = 1_788_220_800_000_000_000
    spans = [
        {"trace_id": "dA==", "span_id": "YQ==", "parent_span_id": None, "name": "agent",
        "start_time_unix_nano": start,
         "end_time_unix_nano": start + 2_000_000_000, "attributes": {"mlflow.spanType": json.dumps("AGENT")}},
        {"trace_id": "dA==", "span_id": "Yg==", "parent_span_id": "YQ==", "name": "model",
         "start_time_unix_nano": start,
         "end_time_unix_nano": start + 1_000_000_000, "attributes": {
             "mlflow.spanType": json.dumps("CHAT_MODEL"), "mlflow.llm.model": json.dumps("gpt-4o-mini"),
             "mlflow.chat.tokenUsage": json.dumps({"input_tokens": 1000, "output_tokens": 100,
        "total_tokens": 1100})}},
    ]  # fmt: skip
    postgres.many("INSERT INTO trace_info VALUES (%s, 1, %s, 2000, 'OK')", [("tr-1", start // 10**6), ("tr-2", 1)])
    postgres.many(
        "INSERT INTO spans VALUES ('tr-1', 1, %s, NULL, 'x', 'x', 'OK', %s, NULL, %s)",
        [(span["span_id"], start, json.dumps(span)) for span in spans],
    )
    audit = llm_audit.analyze(postgres.uri(), since="2026-08-31")
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.not_provider_calls) == (2, 1, 1)
    assert audit.document.cost.actual == "0.00021"
    assert audit.requests["latency_ms"].to_list() == [1000.0]
    assert len(rows_of(postgres.uri())) == 2


def test_n8n(postgres) -> None:
    postgres.execute("""CREATE TABLE execution_entity (id serial PRIMARY KEY, finished boolean, mode varchar,
        status varchar, "startedAt" timestamptz(3), "stoppedAt" timestamptz(3), "workflowId" varchar(36) NOT NULL);
        CREATE TABLE execution_data ("executionId" int PRIMARY KEY, "workflowData" json, data text NOT NULL);
        CREATE TABLE workflow_entity (id varchar(36) PRIMARY KEY, name varchar(128), active boolean, nodes json)""")
    postgres.execute("INSERT INTO workflow_entity VALUES ('w', 'Support', true, '[]')")
    postgres.execute("""INSERT INTO execution_entity ("workflowId", status, "startedAt") SELECT 'w', 'success',
        '2026-09-01 00:00:00+00' FROM generate_series(1, 3)""")
    run = {
        "startTime": 1788220800000, "executionTime": 850,
        "data": {"ai_languageModel": [[{"json": {"tokenUsage": {"promptTokens": 1000, "completionTokens": 100}}}]]},
        "inputOverride": {"ai_languageModel": [[{"json": {"options": {"model": "gpt-4o-mini"}}}]]},
    }  # fmt: skip
    data = flattened({"resultData": {"runData": {"Model": [run, run]}}})
    postgres.many('INSERT INTO execution_data ("executionId", data) VALUES (%s, %s)', [(1, data), (2, "[{}]")])
    audit = llm_audit.analyze(postgres.uri())
    counts = audit.document.requests
    assert (counts.read, counts.audited, counts.not_provider_calls, counts.rejected) == (4, 2, 0, 2)
    assert audit.document.cost.actual == "0.00042"
    assert set(audit.requests["app"]) == {"Support"}


def flattened(value: object) -> str:
    """Write a value as the library flatted does."""
    found: list[object] = []

    def place(item: object) -> object:
        if not isinstance(item, str | dict | list):
            return item
        found.append(None)
        number = len(found) - 1
        if isinstance(item, dict):
            found[number] = {name: place(inner) for name, inner in item.items()}
        else:
            found[number] = [place(inner) for inner in item] if isinstance(item, list) else item
        return str(number)

    place(value)
    return json.dumps(found)
