import json
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.report import build
from tests.report.golden import assert_golden

from llm_audit.report.registry import render


def points() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    (resource,) = json.loads(render(build.rich(), "otlp"))["resourceMetrics"]
    for metric in resource["scopeMetrics"][0]["metrics"]:
        for point in metric["gauge"]["dataPoints"]:
            labels = frozenset((pair["key"], pair["value"]["stringValue"]) for pair in point["attributes"])
            found[metric["name"], labels] = value(point)
    return found


def value(point: dict[str, Any]) -> float:
    return int(point["asInt"]) if "asInt" in point else point["asDouble"]


def test_is_as_last_looked_at() -> None:
    assert_golden("otlp.json", render(build.rich(), "otlp"))


def test_has_the_samples_of_openmetrics() -> None:
    text = render(build.rich(), "openmetrics").decode()
    expected = {
        (family.name.replace("llm_audit_", "llm_audit.", 1), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert points() == expected


def test_times_are_those_of_the_last_request() -> None:
    document = build.rich()
    assert document.period.end is not None
    (resource,) = json.loads(render(document, "otlp"))["resourceMetrics"]
    metrics = resource["scopeMetrics"][0]["metrics"]
    times = {point["timeUnixNano"] for metric in metrics for point in metric["gauge"]["dataPoints"]}
    (end,) = (metric for metric in metrics if metric["name"] == "llm_audit.period_end_timestamp_seconds")
    assert times == {f"{int(end['gauge']['dataPoints'][0]['asDouble'])}{'0' * 9}"}
