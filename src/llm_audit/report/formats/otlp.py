"""OpenTelemetry metrics as OTLP/JSON: the gauges of the OpenMetrics report, for a collector's file receiver."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from llm_audit.document.audit import Document
from llm_audit.report.formats.openmetrics import Gauge, gauges
from llm_audit.report.interface import Frames, Options

_NANOSECONDS = 10**9


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render one ``resourceMetrics`` line, as of the end of the period; a document without times is as of 1970."""
    moment = datetime.fromisoformat(document.period.end) if document.period.end else datetime.fromtimestamp(0, UTC)
    at = str(int(moment.timestamp()) * _NANOSECONDS)
    found = [_metric(gauge, at) for gauge in gauges(document, (options or Options()).max_series) if gauge.samples]
    scope = {"scope": {"name": document.tool.name, "version": document.tool.version}, "metrics": found}
    resource = {"attributes": _attributes({"service.name": document.tool.name})}
    return msgspec.json.encode({"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}) + b"\n"


def _metric(gauge: Gauge, at: str) -> dict[str, Any]:
    """Return a gauge; units are those of UCUM, with what is counted in braces."""
    unit = {"ratio": "1", "seconds": "s", "": "{count}"}.get(gauge.unit, f"{{{gauge.unit.upper()}}}")
    points = [
        {"attributes": _attributes(labels), "timeUnixNano": at, **_value(value)} for labels, value in gauge.samples
    ]
    return {
        "name": f"llm_audit.{gauge.name}",
        "description": gauge.help,
        "unit": unit,
        "gauge": {"dataPoints": points},
    }


def _value(value: float | str) -> dict[str, Any]:
    """Return a point's value: an integer as text, as the protocol writes 64 bits, anything else as a double."""
    return {"asInt": str(value)} if isinstance(value, int) else {"asDouble": float(value)}


def _attributes(labels: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in labels.items()]
