"""What a wrapper says of the record in it, for what the record itself leaves open: time, host and labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from llm_audit.sources.entry import BadRecordError, Entry, Record, Request
from llm_audit.sources.records.fields import Json, attribution_of, first, listing, mapping, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tracing import set_place

_TIMES = (
    "timestamp", "@timestamp", "time", "_time", "ts", "Timestamp", "eventTime", "publishTime", "publish_time",
    "TimeGenerated", "date", "ApproximateCreationDateTime", "approximateArrivalTimestamp", "receiveTimestamp",
    "ingestionTime", "kafka_timestamp",
)  # fmt: skip
_LABELS = ("labels", "stream", "kubernetes", "resource", "attributes", "tags", "ddtags", "fields")
_HOSTS = ("host", "hostname", "pod_name", "instance")
_LONGEST_HOST = 100  # characters


def fill(entries: Iterable[Entry], around: Sequence[Record], own: Sequence[Record]) -> None:
    """Set the time, the attribution and the host that requests lack by the objects around their record.

    The nearest object comes first. Only those of their ``own``, around no other record, hold an id of one call.
    """
    requests = [entry for entry in entries if isinstance(entry, Request)]
    if not requests:
        return
    time_us = next(filter(None, map(_time_us, around)), None)
    labels: dict[str, Any] = {}
    for holder in reversed(around):
        for place in _places(holder):
            labels |= {name: value for name, value in place.items() if isinstance(value, str)}
    given = attribution_of(labels)
    host = text(first(labels, *_HOSTS))
    for request in requests:
        request.time_us = time_us if request.time_us is None else request.time_us
        if request.wraps_calls and request.span is None and len(requests) == 1:
            set_place(request, own)
        request.team = request.team or given.team
        request.app = request.app or given.app
        request.environment = request.environment or given.environment
        if not request.tags and host is not None and len(host) <= _LONGEST_HOST:
            request.tags = (f"host={host}",)


def _time_us(holder: Json) -> int | None:
    for name in _TIMES:
        try:
            found = micros(holder.get(name), name)
        except BadRecordError:
            continue
        if found is not None:
            return found
    return None


def _places(holder: Json) -> Iterator[Json]:
    """Yield the objects that may hold labels: those of the usual names, what these hold, and the wrapper itself."""
    for name in _LABELS:
        value = holder.get(name)
        inner = mapping(value) or _pairs(value)
        yield mapping(inner.get("labels"))
        yield inner
    yield holder


def _pairs(value: object) -> Json:
    """Read tags written as ``name:value``, in a list or separated by commas, as Datadog does."""
    items = value.split(",") if isinstance(value, str) else listing(value)
    pairs = (item.split(":", 1) for item in items if isinstance(item, str) and ":" in item)
    return {name.strip(): label.strip() for name, label in pairs}
