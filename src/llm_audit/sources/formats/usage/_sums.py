"""Rows of usage and cost APIs: sums over many requests, in pages of buckets of time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from llm_audit.sources.entry import (
    BadRecordError,
    Entry,
    NotACall,
    NotCallReason,
    Reason,
    Record,
    Rejected,
    Request,
)
from llm_audit.sources.records.billing.aggregates import shared_out
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.fields import Json, as_int, objects
from llm_audit.sources.records.times import micros

_MAX_SUM = 10**15  # tokens of a bucket: more is a mistake
_BUCKET_TIMES = ("start_time", "starting_at", "end_time", "ending_at")
BY_MODEL = "usage is not grouped by model, so that it has no price: ask the API for group_by=model"
COSTS_ONLY = "costs without tokens are not audited: hold them against an audit with llm-audit reconcile"


def rows(record: Record) -> Iterator[Json]:
    """Yield the rows of a page, of a bucket, or the record where it is a row, each with its bucket's times."""
    for name in ("data", "results"):
        if isinstance(record.get(name), list):
            times = {time: record[time] for time in _BUCKET_TIMES if time in record}
            for item in objects(record[name]):
                yield from rows({**times, **item})
            return
    yield record


def read_rows(record: Record, read: Callable[[Json], Iterator[Entry]]) -> Iterator[Entry]:
    """Yield what ``read`` yields for each row; a row that cannot be right is rejected, and the others are read."""
    found = False
    for row in rows(record):
        found = True
        try:
            yield from read(row)
        except BadRecordError as bad:
            yield Rejected(bad.reason, bad.field_name)
    if not found:
        yield NotACall(NotCallReason.METADATA)


def sum_of(row: Json, name: str) -> int | None:
    """Return a sum that a row gives; None where it gives none.

    Raises:
        BadRecordError: It is negative, not whole, or absurd.
    """
    value = row.get(name)
    if value is None:
        return None
    found = as_int(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    if found is None or not 0 <= found <= _MAX_SUM:
        raise BadRecordError(Reason.BAD_TOKENS, name)
    return found


def start_us(row: Json) -> int | None:
    """Return the start of a row's bucket, by which its requests are priced."""
    name = next((name for name in _BUCKET_TIMES[:2] if row.get(name) is not None), None)
    return None if name is None else micros(row[name], name)


def spread(request: Request, row: Json, *, count: int) -> Iterator[Entry]:
    """Yield the requests of a row. Rows of the same bucket and group, as overlapping exports hold them, are one."""
    if count == 0:
        yield NotACall(NotCallReason.METADATA)
        return
    groups = ",".join(f"{name}={value}" for name, value in sorted(row.items()) if _names_a_group(name, value))
    if request.time_us is not None:
        request.merge_key = merge_key(groups, model=request.model)
    yield from shared_out(request, count)


def fewest_requests(tokens: int, *, window: int) -> int:
    """Return the smallest number of requests that so many input tokens can be."""
    return max(1, math.ceil(tokens / window))


def _names_a_group(name: str, value: object) -> bool:
    return name in _BUCKET_TIMES or isinstance(value, str | bool)
