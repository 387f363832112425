"""On which terms a call is billed is read from the provider's own bodies, whoever keeps them."""

import json
from typing import Any

import pytest

from llm_audit.sources.entry import Request
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.records.bodies import place_of, tier_of

USAGE = {"input_tokens": 10, "output_tokens": 5, "service_tier": "batch", "inference_geo": "us"}
SENT = {"model": "claude-sonnet-4-6", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}
TEXT = [{"type": "text", "text": "Yo"}]
RECEIVED = {"id": "msg_1", "type": "message", "model": SENT["model"], "role": "assistant", "content": TEXT}
RECEIVED |= {"usage": USAGE}
TIMES = {"start_time": "2026-09-01T10:00:00Z", "end_time": "2026-09-01T10:00:01Z"}
ORDER = "20260901T100000000000Z0b6f3c1e-0000-4000-8000-000000000000"
LANGCHAIN = {"kwargs": {"content": "Yo", "response_metadata": {"usage": USAGE, "model_name": SENT["model"]}}}

KEPT: dict[str, dict[str, Any]] = {
    "helicone": {
        "request_created_at": TIMES["start_time"],
        "request_id": "h",
        "response_id": "r",
        "response_status": 200,
        "request_body": SENT,
        "response_body": RECEIVED,
        "request_properties": {},
        "provider": "ANTHROPIC",
    },
    "portkey": {
        "id": "p",
        "created_at": TIMES["start_time"],
        "ai_org": "anthropic",
        "ai_model": SENT["model"],
        "req_units": 10,
        "res_units": 5,
        "cache_status": "MISS",
        "request": SENT,
        "response": RECEIVED,
    },
    "litellm": {
        "id": "x",
        "call_type": "acompletion",
        "response_cost": 0.1,
        "startTime": 1788256800.0,
        "endTime": 1788256801.0,
        "litellm_call_id": "c",
        "model": SENT["model"],
        "model_parameters": {},
        "hidden_params": {},
        "messages": SENT["messages"],
        "response": RECEIVED,
        "status": "success",
        "metadata": {},
    },
    "langsmith": {
        "id": "r",
        "run_type": "llm",
        "trace_id": "t",
        "dotted_order": ORDER,
        **TIMES,
        "inputs": SENT,
        "outputs": {"generations": [[{"message": LANGCHAIN}]]},
        "extra": {"metadata": {"ls_provider": "anthropic"}},
    },
    "langfuse": {
        "id": "o",
        "traceId": "t",
        "type": "GENERATION",
        "startTime": TIMES["start_time"],
        "model": SENT["model"],
        "endTime": TIMES["end_time"],
        "input": SENT["messages"],
        "output": RECEIVED,
        "modelParameters": {},
        "parentObservationId": None,
        "usageDetails": {},
    },
    "weave": {
        "id": "w",
        "op_name": "weave:///a/b/op/anthropic.Messages.create:1",
        "trace_id": "t",
        "parent_id": None,
        "project_id": "a/b",
        "started_at": TIMES["start_time"],
        "ended_at": TIMES["end_time"],
        "inputs": SENT,
        "output": RECEIVED,
        "summary": {},
        "attributes": {},
    },
    "flat": {"timestamp": TIMES["start_time"], "model": SENT["model"], "usage": USAGE},
}


@pytest.mark.parametrize("name", KEPT)
def test_an_anthropic_usage_names_the_tier_and_the_place(name: str) -> None:
    found = list(FormatDetector(all_formats(), path="log.jsonl").entries(1, json.loads(json.dumps(KEPT[name]))))
    ((named, request),) = found
    assert isinstance(request, Request)
    assert (named, request.service_tier, request.region, request.usage.input_tokens) == (name, "batch", "us", 10)


@pytest.mark.parametrize(
    ("bodies", "tier"),
    [
        (({"service_tier": "flex"},), "flex"),
        (({"usage": {"service_tier": "priority"}},), "priority"),
        (({"usageMetadata": {"trafficType": "ON_DEMAND_PRIORITY"}},), "priority"),
        (({"serviceTier": {"type": "flex"}},), "flex"),  # Bedrock's
        (({"usage": {"service_tier": "standard", "speed": "fast"}},), "fast"),
        (({"usage": {"service_tier": "standard"}}, {"service_tier": "flex"}), "standard"),  # asked for in vain
        (({}, {"service_tier": "flex"}), "flex"),
        (({"service_tier": "auto"}, {"service_tier": "priority"}), "priority"),
        (({"speed": 1.25, "service_tier": 3},), "standard"),
        (({"speed": "fast", "city": "Bonn"},), "standard"),  # what a model answered
        (({"usage": {}}, {"speed": "fast", "max_tokens": 9}), "fast"),
        (({"usage": {"speed": "standard"}}, {"speed": "fast", "max_tokens": 9}), "standard"),
        ((), "standard"),
    ],
)
def test_the_response_decides_before_the_request(bodies: tuple[dict[str, Any], ...], tier: str) -> None:
    assert tier_of(*bodies) == tier


def test_a_place_that_is_anywhere_is_none() -> None:
    assert place_of({"usage": {"inference_geo": "global"}}, {}) is None
    assert place_of({}, {"usage": {"inference_geo": "us"}}) == "us"


def test_columns_of_a_custom_log_come_before_its_usage() -> None:
    record = {**KEPT["flat"], "service_tier": "standard", "region": "eu"}
    ((_, request),) = FormatDetector(all_formats(), path="log.jsonl").entries(1, record)
    assert isinstance(request, Request)
    assert (request.service_tier, request.region) == ("standard", "eu")


@pytest.mark.parametrize(
    ("beside", "tier"),
    [
        ({"speed": 85.5}, "batch"),  # tokens a second
        ({"speed": "standard"}, "batch"),
        ({"speed": "fast"}, "fast"),
        ({"service_tier": "auto"}, "batch"),  # asked for
        ({"batch": 17}, "batch"),
        ({"service_tier": "flex"}, "flex"),
    ],
)
def test_a_column_that_names_no_tier_leaves_that_of_the_usage(beside: dict[str, Any], tier: str) -> None:
    ((_, request),) = FormatDetector(all_formats(), path="log.jsonl").entries(1, {**KEPT["flat"], **beside})
    assert isinstance(request, Request)
    assert request.service_tier == tier
