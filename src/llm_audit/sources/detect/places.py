"""What a place in an object store holds, by its listing and the beginnings of a few objects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from llm_audit.sources.detect.files import DetectedFormat, explain_source, unreadable
from llm_audit.sources.files.container import Container
from llm_audit.sources.files.on_disk import head_on_disk
from llm_audit.sources.files.storage import Source, UnreadableError
from llm_audit.sources.files.stores.address import Kind, parse
from llm_audit.sources.files.stores.costs import requests_cost, requests_to_read, transfer_cost
from llm_audit.sources.files.stores.find import objects
from llm_audit.sources.files.stores.key_dates import KeyDates
from llm_audit.sources.files.stream import Compression
from llm_audit.sources.formats.interface import Format

_HEADS = 3  # of each group, the first, the middle and the last by name
_MAX_GROUPS = 50  # else objects are grouped by the ends of their names
_VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|[0-9]+")
_SUFFIX = re.compile(r"(?:\.[A-Za-z][A-Za-z0-9]{0,7})+$")
_REQUESTS_AT_ONCE = 8


class Group(msgspec.Struct, kw_only=True, frozen=True):
    """Objects whose names differ in numbers alone."""

    path: str
    objects: int
    size_bytes: int
    formats: tuple[str, ...]  # of the objects looked at
    container: str
    compression: str
    first_day: str | None  # by the names
    last_day: str | None
    looked_at: int
    requests: int  # to read all of them
    reason: str


class Place(msgspec.Struct, kw_only=True, frozen=True):
    """What is behind an address."""

    address: str
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
    requests: int
    requests_cost_usd: Decimal
    internet_cost_usd: Decimal  # of sending all of it out of the store's region

    @property
    def objects(self) -> int:
        """Return how many objects there are."""
        return sum(group.objects for group in self.groups)

    @property
    def size_bytes(self) -> int:
        """Return how large they are together."""
        return sum(group.size_bytes for group in self.groups)


def survey(address: str, *, key_date: str | None = None, formats: Sequence[Format] | None = None) -> Place:
    """Return what a place holds. Of a few objects of each group the beginning is read, and nothing else.

    Raises:
        UsageError: The address cannot be listed, or there is nothing behind it.
    """
    dates = KeyDates.of(key_date)
    notes: list[str] = []
    kind = parse(address).store.kind
    found = _grouped(list(objects(address, notes, dates)))
    with TemporaryDirectory() as folder, ThreadPoolExecutor(_REQUESTS_AT_ONCE) as threads:
        looked = {
            name: [threads.submit(_look, source, formats, Path(folder)) for source in _some(sources)]
            for name, sources in found.items()
        }
        groups = [
            _group(name, sources, [answer.result() for answer in looked[name]], kind, dates)
            for name, sources in found.items()
        ]
    size_bytes = sum(group.size_bytes for group in groups)
    reads = sum(group.requests for group in groups)
    return Place(
        address=address,
        groups=tuple(groups),
        notes=tuple(notes),
        requests=reads,
        requests_cost_usd=requests_cost(kind, listings=0, reads=reads),
        internet_cost_usd=transfer_cost(kind, size_bytes),
    )


def _grouped(sources: Sequence[Source]) -> dict[str, list[Source]]:
    groups: dict[str, list[Source]] = {}
    for source in sorted(sources, key=lambda source: source.name):
        scheme, mark, rest = source.name.partition("://")
        groups.setdefault(scheme + mark + _VARYING.sub("#", rest), []).append(source)
    if len(groups) <= _MAX_GROUPS:
        return {(group[0].name if len(group) == 1 else name): group for name, group in groups.items()}
    by_suffix: dict[str, list[Source]] = {}
    for source in sorted(sources, key=lambda source: source.name):
        suffix = _SUFFIX.search(source.name)
        by_suffix.setdefault(f"*{suffix[0] if suffix else ''}", []).append(source)
    return by_suffix


def _some(sources: Sequence[Source]) -> list[Source]:
    places = sorted({0, len(sources) // 2, len(sources) - 1})
    return [sources[place] for place in places[:_HEADS]]


def _look(source: Source, formats: Sequence[Format] | None, folder: Path) -> DetectedFormat:
    try:
        if source.name.lower().endswith(".parquet"):  # whose description is at its end
            return explain_source(source, formats)
        with head_on_disk(source, folder) as beginning:
            return explain_source(beginning, formats)
    except UnreadableError as error:
        return unreadable(source, error)


def _group(
    name: str, sources: Sequence[Source], looked: Sequence[DetectedFormat], kind: Kind, dates: KeyDates
) -> Group:
    known = Counter(item.detection.format.info.name for item in looked if item.detection.format is not None)
    containers = sorted({item.container for item in looked})
    packings = sorted({item.compression for item in looked})
    by_ranges = containers == [Container.LINES.value] and packings == [Compression.NONE.value]
    spans = [span for source in sources if (span := dates.span(source.name)) is not None]
    return Group(
        path=name,
        objects=len(sources),
        size_bytes=sum(source.size_bytes for source in sources),
        formats=tuple(form for form, _ in known.most_common()),
        container=", ".join(containers),
        compression=", ".join(packings),
        first_day=min(span[0] for span in spans).date().isoformat() if spans else None,
        last_day=max(span[0] for span in spans).date().isoformat() if spans else None,
        looked_at=len(looked),
        requests=sum(requests_to_read(kind, source.size_bytes, by_ranges=by_ranges) for source in sources),
        reason="; ".join(sorted({item.reason for item in looked})),
    )
