"""Rows that stand for many requests, such as the buckets of usage APIs and the lines of dashboards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from llm_audit.sources.entry import BadRecordError, Reason, Request
from llm_audit.sources.records.fields import as_int

AGGREGATED = "aggregated"
"""A tag of requests whose counts are a share of a row's."""

UNCOUNTED = "request-count-unknown"
"""A tag of requests of which it is not known how many they stand for."""

MAX_REQUESTS = 1_000_000
"""More requests than one row can stand for."""


def count_of(value: object, field: str) -> int | None:
    """Return the number of requests that a row stands for; None where it does not say.

    Raises:
        BadRecordError: It is below zero, or more than a row can stand for.
    """
    count = as_int(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    if count is None:
        return None
    if not 0 <= count <= MAX_REQUESTS:
        raise BadRecordError(Reason.BAD_SHAPE, field)
    return count


def shared_out(request: Request, count: int) -> Iterator[Request]:
    """Yield the requests that a row stands for, each with its share of the row's counts and no text.

    Shares are whole and add up to the row's counts to the last token, so that the cost is exact wherever the price does
    not depend on the size of a request.
    """
    usage = request.usage
    whole = {name: value for name in usage.__struct_fields__ if isinstance(value := getattr(usage, name), int)}
    for number in range(count):
        yield replace(
            request,
            usage=replace(usage, **{name: _share(value, number, count) for name, value in whole.items()}),
            stated_cost_pico=None
            if request.stated_cost_pico is None
            else _share(request.stated_cost_pico, number, count),
            merge_key=request.merge_key and f"{request.merge_key}|{number}",
            tags=tuple(sorted({*request.tags, AGGREGATED})),
            messages=None,
            completion=None,
            latency_ms=None,
        )


def _share(whole: Any, number: int, count: int) -> int:
    each, rest = divmod(whole, count)
    return int(each + (number < rest))
