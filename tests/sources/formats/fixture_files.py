"""Reads a fixture as the program reads a log: container, detection, adapter."""

import sys
import tempfile
from pathlib import Path

from llm_audit.sources.entry import Entry, NotACall, Record, Rejected, Request
from llm_audit.sources.files.container import items, sniff
from llm_audit.sources.files.find import find
from llm_audit.sources.first_records import sample
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats

FIXTURES = Path(__file__).parents[2] / "fixtures"


def read(path: str | Path) -> list[tuple[str, Entry]]:
    """Format and entry, in order, of a file under the fixtures (or anywhere)."""
    with tempfile.TemporaryDirectory() as spool:
        (source,) = find([FIXTURES / path], spool=Path(spool)).sources
        detector = FormatDetector(all_formats(), path=source.name)
        return [found for line, item in items(source, sniff(source)) for found in detector.entries(line, item)]


def records(path: str | Path) -> list[Record]:
    """The records in a file, each taken out of what wraps it."""
    return sample(FIXTURES / path, records=sys.maxsize)


def entries(path: str | Path) -> list[Entry]:
    return [entry for _, entry in read(path)]


def requests(path: str | Path) -> list[Request]:
    return [entry for entry in entries(path) if isinstance(entry, Request)]


def not_calls(path: str | Path) -> list[str]:
    return [entry.reason.value for entry in entries(path) if isinstance(entry, NotACall)]


def rejections(path: str | Path) -> list[tuple[str, str]]:
    return [(entry.reason.value, entry.field) for entry in entries(path) if isinstance(entry, Rejected)]


def tokens(request: Request) -> tuple[int | None, ...]:
    """Disjoint counts: input, cache read, cache write 5 minutes, cache write 1 hour, output."""
    return (
        request.usage.input_tokens,
        request.usage.cache_read_tokens,
        request.usage.cache_write_5m_tokens,
        request.usage.cache_write_1h_tokens,
        request.usage.output_tokens,
    )


def once(found: list[Request]) -> list[Request]:
    """Requests after repeats are merged: of an equal key the one with most output tokens, the first among equals."""
    kept: dict[str, Request] = {}
    for number, request in enumerate(found):
        key = request.merge_key or f"row {number}"
        if key not in kept or (request.usage.output_tokens or 0) > (kept[key].usage.output_tokens or 0):
            kept[key] = request
    return list(kept.values())
