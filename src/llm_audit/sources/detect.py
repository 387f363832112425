"""Detection of a file's format from its first records, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_audit.sources.entry import Record
from llm_audit.sources.files.container import Container, items, sniff
from llm_audit.sources.files.find import find
from llm_audit.sources.files.limits import SNIFF_RECORDS
from llm_audit.sources.files.on_disk import on_disk
from llm_audit.sources.files.storage import Source, UnreadableError, open_binary
from llm_audit.sources.files.stream import MAGIC_BYTES, Compression, compression
from llm_audit.sources.first_records import records_of
from llm_audit.sources.formats.interface import Context, Format
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.formats.signatures import Signatures


@dataclass(frozen=True, slots=True)
class Detection:
    """The formats found among the first records of a file."""

    format: Format | None  # the most frequent; the earlier in the registry among equals
    matched: dict[str, int]  # records by format, most first
    unknown: int  # records that carry no known signature
    unreadable: int  # lines or values that are not records

    @property
    def examined(self) -> int:
        """The number of records and unreadable lines examined."""
        return sum(self.matched.values()) + self.unknown + self.unreadable


@dataclass(frozen=True, slots=True)
class DetectedFormat:
    """The format of a file and the reason, for ``llm-audit formats detect``."""

    path: str
    container: str
    compression: str
    detection: Detection
    reason: str


def detect(records: Iterable[Record], *, formats: Sequence[Format] | None = None, unreadable: int = 0) -> Detection:
    """Return the formats of some records, and the one that most of them have."""
    formats = all_formats() if formats is None else formats
    signatures, context = Signatures(formats), Context("")
    matched: Counter[str] = Counter()
    unknown = 0
    for record in records:
        try:
            found = signatures.first(record, context)
        except Exception:  # noqa: BLE001 - the reader rejects this record, and says why
            found = None
        if found is None:
            unknown += 1
        else:
            matched[found.info.name] += 1
    order = {known.info.name: place for place, known in enumerate(formats)}
    ranked = sorted(matched, key=lambda name: (-matched[name], order[name]))
    best = formats[order[ranked[0]]] if ranked else None
    return Detection(
        format=best, matched={name: matched[name] for name in ranked}, unknown=unknown, unreadable=unreadable
    )


def detect_source(source: Source, container: Container, *, formats: Sequence[Format] | None = None) -> Detection:
    """Return the formats of a file's first records."""
    first = [item for _, item in islice(items(source, container), SNIFF_RECORDS)]
    records = list(islice(records_of(first, formats=formats), SNIFF_RECORDS))
    return detect(records, formats=formats, unreadable=sum(not isinstance(item, dict) for item in first))


def explain(paths: Sequence[str | Path], *, formats: Sequence[Format] | None = None) -> list[DetectedFormat]:
    """Return the format of each file and the reason.

    Raises:
        UsageError: A path does not exist or cannot be read.
    """
    with TemporaryDirectory() as spool:
        found = find(paths, spool=Path(spool))
        return [_explain_on_disk(source, formats, Path(spool)) for source in found.sources]


def _explain_on_disk(source: Source, formats: Sequence[Format] | None, spool: Path) -> DetectedFormat:
    try:
        with on_disk(source, spool) as local:
            return _explain(local, formats)
    except UnreadableError as error:
        return DetectedFormat(
            path=source.name,
            container="unreadable",
            compression=Compression.NONE.value,
            detection=Detection(format=None, matched={}, unknown=0, unreadable=0),
            reason=str(error),
        )


def _explain(source: Source, formats: Sequence[Format] | None) -> DetectedFormat:
    container = sniff(source)
    packing = Compression.NONE
    if container not in (Container.PARQUET, Container.SQLITE, Container.TABLE):
        with open_binary(source) as file:
            packing = compression(file.read(MAGIC_BYTES))
    detection = detect_source(source, container, formats=formats)
    return DetectedFormat(
        path=source.name,
        container=container.value,
        compression=packing.value,
        detection=detection,
        reason=_reason(container, detection),
    )


def _reason(container: Container, detection: Detection) -> str:
    if container is Container.EMPTY:
        return "the file is empty"
    if container is Container.ARCHIVE:
        return "the file is an archive that is not opened"
    if container is Container.BINARY:
        return "the file is binary and its container is not known"
    counts = {f"of the format {name}": count for name, count in detection.matched.items()}
    counts |= {"of no known format": detection.unknown, "unreadable": detection.unreadable}
    found = {what: count for what, count in counts.items() if count}
    if not found:
        return "the file holds no records"
    if detection.examined == 1:
        return f"the first record is {next(iter(found))}"
    parts = (f"{count} {'is' if count == 1 else 'are'} {what}" for what, count in found.items())
    return f"of the first {detection.examined} records, {', '.join(parts)}"
