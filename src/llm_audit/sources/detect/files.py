"""Detection of a file's format from its first records, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from llm_audit.sources.detect.records import Detection, detect_source
from llm_audit.sources.files.container import Container, sniff
from llm_audit.sources.files.find import find
from llm_audit.sources.files.on_disk import on_disk
from llm_audit.sources.files.storage import Source, UnreadableError
from llm_audit.sources.files.stream import Compression, compression, magic_of
from llm_audit.sources.formats.interface import Format


class DetectedFormat(msgspec.Struct, frozen=True):
    """The format of a file and the reason, for ``llm-audit formats detect``."""

    path: str
    container: str
    compression: str
    detection: Detection
    reason: str


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
            return explain_source(local, formats)
    except UnreadableError as error:
        return unreadable(source, error)


def unreadable(source: Source, error: UnreadableError) -> DetectedFormat:
    """Return what is known of a file that cannot be read."""
    return DetectedFormat(
        path=source.name,
        container="unreadable",
        compression=Compression.NONE.value,
        detection=Detection(format=None, matched={}, unknown=0, unreadable=0),
        reason=str(error),
    )


def explain_source(source: Source, formats: Sequence[Format] | None = None) -> DetectedFormat:
    """Return the format of a file that is at hand, and the reason."""
    container = sniff(source)
    packing = Compression.NONE
    if container not in (Container.PARQUET, Container.SQLITE, Container.TABLE):
        packing = compression(magic_of(source))
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
