"""The first records of a file, taken out of their wrappers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_audit.sources.entry import Record
from llm_audit.sources.files.container import items, sniff
from llm_audit.sources.files.find import find
from llm_audit.sources.files.limits import SNIFF_RECORDS
from llm_audit.sources.files.on_disk import on_disk
from llm_audit.sources.files.storage import Source
from llm_audit.sources.unwrap import unwrap


def sample(path: str | Path, *, records: int = SNIFF_RECORDS) -> list[Record]:
    """Read the first records of a file.

    Raises:
        UsageError: The path does not exist or cannot be read.
    """
    with TemporaryDirectory() as spool:
        return list(islice(records_of(_items(find([path], spool=Path(spool)).sources, Path(spool))), records))


def _items(sources: Iterable[Source], spool: Path) -> Iterator[object]:
    for source in sources:
        with on_disk(source, spool) as local:
            for _, item in items(local, sniff(local)):
                yield item


def records_of(found: Iterable[object]) -> Iterator[Record]:
    """Yield the records among a file's items, each taken out of its wrapper."""
    for item in found:
        if isinstance(item, dict):
            yield from unwrap(item)
