"""Detection of a format from the first records of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from llm_audit.sources.entry import Record
from llm_audit.sources.files.container import Container, items
from llm_audit.sources.files.limits import SNIFF_RECORDS
from llm_audit.sources.files.storage import Source
from llm_audit.sources.first_records import records_of
from llm_audit.sources.formats.interface import Context, Format
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.formats.signatures import Signatures


class Detection(msgspec.Struct, frozen=True):
    """The formats found among the first records of a file."""

    format: Format | None  # the most frequent; the earlier in the registry among equals
    matched: dict[str, int]  # records by format, most first
    unknown: int  # records that carry no known signature
    unreadable: int  # lines or values that are not records

    @property
    def examined(self) -> int:
        """The number of records and unreadable lines examined."""
        return sum(self.matched.values()) + self.unknown + self.unreadable


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
