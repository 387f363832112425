"""The first records of a file, as its format would see them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_audit.sources.container import items, sniff
from llm_audit.sources.find import find
from llm_audit.sources.formats.interface import Record
from llm_audit.sources.limits import SNIFF_RECORDS
from llm_audit.sources.unwrap import unwrap


def sample(path: str | Path, *, records: int = SNIFF_RECORDS) -> list[Record]:
    """Read the first records of a file.

    Raises:
        UsageError: The path does not exist or cannot be read.
    """
    with TemporaryDirectory() as spool:
        found = (
            record
            for source in find([path], spool=Path(spool)).sources
            for _, item in items(source, sniff(source))
            if isinstance(item, dict)
            for record in unwrap(item)
        )
        return list(islice(found, records))
