"""Gemini CLI's and Qwen Code's telemetry file: OpenTelemetry's log records, spans and metrics, one after another.

The same events arrive as OTLP where a collector receives them.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.tracers._agent_events import gemini_cli
from llm_audit.sources.records.attributes import flatten
from llm_audit.sources.records.fields import listing, mapping
from llm_audit.sources.records.tracing import Span


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    pairs = [pair for pair in listing(mapping(record.get("resource")).get("_rawAttributes")) if isinstance(pair, list)]
    resource = {str(pair[0]): pair[1] for pair in pairs if len(pair) > 1}
    yield gemini_cli.read(Span(attributes=flatten(mapping(record.get("attributes"))), resource=resource))


def _matches(record: Record, _context: Context) -> bool:
    scope = mapping(record.get("instrumentationScope")).get("name")
    return "hrTime" in record and gemini_cli.is_event(mapping(record.get("attributes")), program=scope)


FORMAT = Format(
    info=FormatInfo(
        name="gemini-cli-telemetry",
        title="Gemini CLI telemetry file",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive, thoughts apart",
        tells=("time", "cache", "latency"),
        notes="Events as in Gemini CLI's source (August 2026); Qwen Code writes the same under its own name. Prompts "
        "are not read. The provider is not logged.",
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"hrTime"}),
)
