"""The first records of a file, taken out of their wrappers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_audit.sources.entry import Record
from llm_audit.sources.files.container import items, sniff
from llm_audit.sources.files.find import find
from llm_audit.sources.files.limits import SNIFF_RECORDS
from llm_audit.sources.files.on_disk import on_disk
from llm_audit.sources.files.storage import Source
from llm_audit.sources.formats.interface import Context, Format
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.formats.signatures import Signatures
from llm_audit.sources.packed_text import plain
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


def records_of(found: Iterable[object], *, formats: Sequence[Format] | None = None) -> Iterator[Record]:
    """Yield the records among a file's items, each taken out of its wrapper."""
    signatures, context = Signatures(all_formats() if formats is None else formats), Context("")
    for item in found:
        if isinstance(item, dict):
            yield from (inner.record for inner in unwrap(plain(item), lambda record: signatures.rank(record, context)))
