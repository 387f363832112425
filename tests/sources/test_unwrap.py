import base64
import gzip
import json

import pytest

from llm_audit.sources.decode import decode
from llm_audit.sources.entry import Request
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.formats.signatures import Signatures
from llm_audit.sources.unwrap import unwrap

TIME = "2026-11-02T10:00:01Z"
TIME_US = 1_793_613_601_000_000
FLAT = {"model": "gpt-4o", "prompt_tokens": 1000, "completion_tokens": 100, "request_id": "r-1"}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o",
    "choices": [],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 600}},
}
CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [],
    "usage": {"input_tokens": 1000, "output_tokens": 100, "cache_read_input_tokens": 2000},
}
GEMINI = {"modelVersion": "gemini-2.5-pro", "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 100}}
SPAN = {
    "name": "chat",
    "attributes": {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
    },
}
RECORDS = {"flat": FLAT, "openai-chat": CHAT, "anthropic-messages": CLAUDE, "gemini": GEMINI, "otel": SPAN}


dump = json.dumps


def packed(record) -> str:
    return base64.b64encode(json.dumps(record).encode()).decode()


def zipped(record) -> str:
    return base64.b64encode(gzip.compress(json.dumps(record).encode())).decode()


def dynamodb(value):
    if isinstance(value, dict):
        return {"M": {name: dynamodb(item) for name, item in value.items()}}
    if isinstance(value, list):
        return {"L": [dynamodb(item) for item in value]}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def mongo(value):
    if isinstance(value, dict):
        return {name: mongo(item) for name, item in value.items()}
    return {"$numberLong": str(value)} if isinstance(value, int) else value


WRAPPERS = {
    "loki query": lambda r: {
        "status": "success",
        "data": {
            "resultType": "streams",
            "result": [{"stream": {"app": "shop"}, "values": [["1793613601000000000", dump(r)]]}],
        },
    },
    "logcli": lambda r: {"labels": {"app": "shop"}, "line": dump(r), "timestamp": TIME},
    "splunk export": lambda r: {
        "preview": False,
        "result": {"_raw": dump(r), "_time": "2026-11-02 10:00:01.000 UTC", "app": "shop"},
    },
    "splunk hec": lambda r: {"time": 1793613601.0, "host": "h", "event": r, "fields": {"app": "shop"}},
    "datadog": lambda r: {
        "id": "AAA",
        "type": "log",
        "attributes": {"service": "shop", "message": "llm call", "timestamp": TIME, "attributes": {"call": r}},
    },
    "cloudwatch events": lambda r: {
        "logGroup": "g",
        "service": "shop",
        "logEvents": [{"id": "1", "message": dump(r), "timestamp": 1793613601000}],
    },
    "cloudwatch insights": lambda r: {
        "@timestamp": "2026-11-02 10:00:01.000",
        "@message": dump(r),
        "app": "shop",
    },
    "cloudwatch subscription": lambda r: {
        "awslogs": {"data": zipped({"app": "shop", "logEvents": [{"message": dump(r), "timestamp": 1793613601000}]})}
    },
    "gcp entry": lambda r: {
        "insertId": "i",
        "jsonPayload": r,
        "labels": {"app": "shop"},
        "resource": {"type": "k8s_container"},
        "timestamp": TIME,
    },
    "docker": lambda r: {"log": dump(r) + "\n", "stream": "stdout", "time": TIME, "service": "shop"},
    "fluent bit": lambda r: {
        "date": 1793613601.0,
        "kubernetes": {"pod_name": "p", "labels": {"app": "shop"}},
        "log_processed": r,
        "log": dump(r),
    },
    "kcat": lambda r: {"topic": "t", "ts": 1793613601000, "app": "shop", "payload": dump(r)},
    "dynamodb export": lambda r: {"Item": {"at": {"S": TIME}, "call": dynamodb(r)}, "time": TIME, "app": "shop"},
    "dynamodb stream": lambda r: {
        "app": "shop",
        "dynamodb": {
            "ApproximateCreationDateTime": 1793613601,
            "NewImage": dynamodb(r)["M"],
            "OldImage": dynamodb({**r, "model": "other"})["M"],
        },
    },
    "mongoexport": lambda r: {"_id": {"$oid": "65f0"}, "doc": mongo(r), "ts": {"$date": TIME}, "app": "shop"},
    "eventbridge": lambda r: {
        "version": "0",
        "id": "e",
        "detail-type": "LLM",
        "time": TIME,
        "app": "shop",
        "detail": r,
    },
    "cloudevents": lambda r: {"specversion": "1.0", "id": "c", "type": "t", "time": TIME, "app": "shop", "data": r},
    "cloudevents binary": lambda r: {"specversion": "1.0", "time": TIME, "app": "shop", "data_base64": packed(r)},
    "pubsub push": lambda r: {
        "message": {"data": packed(r), "publishTime": TIME, "attributes": {"app": "shop"}},
        "subscription": "s",
    },
    "pubsub table": lambda r: {"publish_time": TIME, "data": dump(r), "attributes": '{"app": "shop"}'},
    "snowflake": lambda r: {"RECORD_METADATA": "{}", "RECORD_CONTENT": dump(r), "time": TIME, "app": "shop"},
    "python logging": lambda r: {"timestamp": TIME, "level": "INFO", "service": "shop", "message": dump(r)},
    "text before it": lambda r: {"time": TIME, "app": "shop", "message": f"INFO llm.usage {dump(r)}"},
    "encoded twice": lambda r: {"time": TIME, "app": "shop", "value": json.dumps(dump(r))},
    "elastic": lambda r: {"_index": "i", "_source": {"@timestamp": TIME, "service": "shop", "call": r}},
    "two deep": lambda r: {"app": "shop", "log": json.dumps({"time": TIME, "message": json.dumps({"detail": r})})},
}


def read(record) -> list[Request]:
    detector = FormatDetector(all_formats(), path="log")
    (item,) = decode(record if isinstance(record, bytes) else json.dumps(record).encode())
    return [entry for _, entry in detector.entries(1, item)]


def inside(record):
    signatures = Signatures(all_formats())
    return [found.record for found in unwrap(record, lambda inner: signatures.rank(inner, Context("x")))]


@pytest.mark.parametrize("inner", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_a_wrapped_record_reads_as_if_it_stood_alone(wrap, inner) -> None:
    (alone,), (found,) = read(inner), read(wrap(inner))
    assert alone.usage.input_tokens is not None
    assert (found.model, found.usage, found.merge_key) == (alone.model, alone.usage, alone.merge_key)
    assert (found.time_us, found.app) == (TIME_US, "shop")


@pytest.mark.parametrize("prefix", [f"{TIME} stdout F ", "2026-11-02 10:00:01,000 INFO llm.usage "])
def test_a_record_behind_a_prefix_has_its_time(prefix) -> None:
    (found,) = read(f"{prefix}{json.dumps(FLAT)}".encode())
    assert (found.usage.input_tokens, found.usage.output_tokens, found.time_us) == (1000, 100, TIME_US)


def test_what_the_record_says_itself_comes_first() -> None:
    own = {**FLAT, "timestamp": "2026-11-01T00:00:00Z", "app": "own", "tags": ["a"]}
    (found,) = read({"time": TIME, "app": "shop", "host": "h", "payload": own})
    assert (found.time_us, found.app, found.tags) == (1_793_491_200_000_000, "own", ("a",))
    (found,) = read({"time": TIME, "host": "h", "payload": FLAT})
    assert found.tags == ("host=h",)


def test_every_record_of_an_array_counts_also_those_of_no_format() -> None:
    assert inside({"records": [FLAT, {"a": 1}, FLAT]}) == [FLAT, {"a": 1}, FLAT]
    assert inside({"records": [{"a": 1}, {"b": 2}]}) == [{"a": 1}, {"b": 2}]
    assert inside([{"message": json.dumps(FLAT)}][0]) == [FLAT]


def test_a_record_in_a_prompt_is_no_call() -> None:
    for record in (
        {"time": TIME, "prompt": json.dumps(FLAT)},
        {"time": TIME, "content": [{"text": json.dumps(FLAT)}]},
        {"time": TIME, "messages": [FLAT]},
    ):
        assert inside(record) == [record]


def test_what_is_no_wrapper_is_left_as_it_is() -> None:
    for record in (
        {"object": "list", "data": [{"embedding": [1]}], "model": "m"},
        {"message": "INFO started", "timestamp": 1},
        {"message": {"role": "user"}, "type": "user"},
        {"records": []},
        {"records": [1, 2]},
        {"data": "eyJhIjox", "log": "H4sIAAAA"},
        {"log": "{cut"},
    ):
        assert inside(record) == [record]


def test_what_unpacks_to_more_than_any_record_is_left_alone(monkeypatch) -> None:
    monkeypatch.setattr("llm_audit.sources.packed_text.MAX_RECORD_BYTES", 50)
    record = {"data": zipped(FLAT)}
    assert inside(record) == [record]


GEN_AI = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100}
IDS = {"trace_id": "1" * 32, "span_id": "2" * 16}


@pytest.mark.parametrize(
    "wrapper",
    [
        pytest.param({**IDS, "time": TIME, "call": GEN_AI}, id="a line written in a span"),
        pytest.param({"trace_id": "1" * 32, "id": "log-1", "parent_id": "x", "call": GEN_AI}, id="an id of anything"),
        pytest.param({**IDS, "parent_span_id": "3" * 16, "calls": [GEN_AI, GEN_AI]}, id="a span around several"),
    ],
)
def test_ids_around_calls_do_not_join_them(wrapper) -> None:
    assert [entry.merge_key for entry in found(wrapper)] == [None] * len(wrapper.get("calls", [0]))


def test_the_span_around_its_attributes_is_a_call() -> None:
    (call,) = found({**IDS, "parent_span_id": "3" * 16, "call": GEN_AI})
    assert call.merge_key is not None
    assert (call.trace, call.span, call.parent_span) == (*IDS.values(), "3" * 16)


def found(record) -> list[Request]:
    entries = FormatDetector(all_formats(), path="x").entries(1, record)
    return [entry for _, entry in entries if isinstance(entry, Request)]
