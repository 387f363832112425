"""Rows of usage and cost APIs: sums over many requests, in pages of buckets of time."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Reason, Record, Rejected
from llm_audit.sources.records.fields import Json, objects


def rows(record: Record) -> Iterator[Json]:
    """Yield the rows of a page, of a bucket, or the record where it is a row."""
    for name in ("data", "results"):
        if isinstance(record.get(name), list):
            for item in objects(record[name]):
                yield from rows(item)
            return
    yield record


def refused(record: Record, *, field: str) -> Iterator[Entry]:
    """Yield a rejection for each row: a sum of requests is never read as one request."""
    found = list(rows(record))
    yield from (Rejected(Reason.BAD_SHAPE, field) for _ in found)
    if not found:
        yield NotACall(NotCallReason.METADATA)
