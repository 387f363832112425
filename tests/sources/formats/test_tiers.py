"""Service tiers, on which the price depends, in records of applications and tracers."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.sources.formats.fixture_files import records

from llm_audit.sources.entry import Request
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.records.fields import mapping

Record = dict[str, Any]


def n8n_runs(record: Record) -> list[Record]:
    of_nodes = record["data"]["resultData"]["runData"].values()
    return [run for runs in of_nodes for run in runs if "ai_languageModel" in run.get("data", {})]


def in_agno(record: Record, tier: Record) -> None:
    details = record["metrics"].get("details", {})
    for found in [one for models in details.values() for one in models] or [record["metrics"]]:
        found["provider_metrics"] = tier


def in_n8n_options(record: Record, tier: Record) -> None:
    for run in n8n_runs(record):
        run["inputOverride"]["ai_languageModel"][0][0]["json"]["options"].update(tier)


def in_posthog_usage(record: Record, tier: Record) -> None:
    usage = {"input_tokens": 10, "output_tokens": 5, **tier}
    record["properties"] = {**mapping(record["properties"]), "$ai_usage": usage}


def in_posthog_parameters(record: Record, tier: Record) -> None:
    record["properties"] = {**mapping(record["properties"]), "$ai_model_parameters": tier}


def in_lunary(record: Record, tier: Record) -> None:
    record["params"] = tier


def in_datadog(record: Record, tier: Record) -> None:
    span = record.get("data", record).get("attributes", record)
    span["metadata"] = {**(span.get("metadata") or {}), **tier}


def calls(record: Record) -> list[Request]:
    found = FormatDetector(all_formats(), path="x").entries(1, record)
    return [entry for _, entry in found if isinstance(entry, Request)]


@pytest.mark.parametrize(
    ("fixture", "name_in"),
    [
        ("agno/runs.jsonl", in_agno),
        ("n8n/executions.jsonl", in_n8n_options),
        ("posthog/events.jsonl", in_posthog_usage),
        ("posthog/events.jsonl", in_posthog_parameters),
        ("lunary/runs.jsonl", in_lunary),
        ("datadog/export.jsonl", in_datadog),
    ],
)
@pytest.mark.parametrize(
    ("given", "tier"), [("batch", "batch"), ("flex", "flex"), ("priority", "priority"), ("auto", "standard")]
)
def test_a_tier_is_read(fixture: str, name_in: Callable[[Record, Record], None], given: str, tier: str) -> None:
    record = next(record for record in records(fixture) if calls(record))
    assert {call.service_tier for call in calls(record)} == {"standard"}
    named = copy.deepcopy(record)
    name_in(named, {"service_tier": given})
    assert {call.service_tier for call in calls(named)} == {tier}


@pytest.mark.parametrize(
    ("fixture", "name_in"), [("agno/runs.jsonl", in_agno), ("posthog/events.jsonl", in_posthog_usage)]
)
def test_the_place_of_a_usage_is_read(fixture: str, name_in: Callable[[Record, Record], None]) -> None:
    record = copy.deepcopy(next(record for record in records(fixture) if calls(record)))
    name_in(record, {"inference_geo": "us"})
    assert {call.region for call in calls(record)} == {"us"}


@pytest.mark.parametrize(("models", "tier"), [(1, "priority"), (2, "standard")])
def test_the_tier_of_a_run_is_not_that_of_each_of_several_models(models: int, tier: str) -> None:
    counts = {"provider": "OpenAI", "input_tokens": 10, "output_tokens": 5}
    record = {
        **next(record for record in records("agno/runs.jsonl") if calls(record)),
        "metrics": {
            "provider_metrics": {"service_tier": "priority"},
            "details": {"model": [{"id": f"gpt-5-{number}", **counts} for number in range(models)]},
        },
    }
    assert [call.service_tier for call in calls(record)] == [tier] * models
