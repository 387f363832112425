"""Anthropic Messages: a stream logged an event a line.

The first event of a stream names the message and counts its input, the last but one counts its output and names
nothing. They are one call where only one stream is open, or where the counts of the input that the later event repeats
are those of one stream alone. The first then yields what it knows, and the later one the whole, with the same id; of a
stream whose end is not in the log the input stays, as of one that was cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.anthropic_messages import messages_requests
from llm_audit.sources.records.fields import Json, as_int, mapping, text
from llm_audit.sources.records.pair import Pair
from llm_audit.sources.records.streams import assemble

_START, _END = "message_start", "message_delta"
_BLOCKS = frozenset({"content_block_start", "content_block_delta", "content_block_stop"})
_BARE = frozenset({"message_stop", "ping"})
_KINDS = _BLOCKS | _BARE | {_START, _END}
_OF_CUSTOM_LOGS = frozenset({"model", "usage"})
_BARE_KEYS = frozenset({"type", "amazon-bedrock-invocationMetrics"})
_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_MOST_OPEN = 1000  # streams at once: what is open for longer was cut
_SEVERAL = "the end of one of several streams that are open: log each call as a whole, or its stream's lines together"
_NO_START = "the end of a stream whose start is not before it in this file: log its lines in order, in one file"


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    kind = text(record.get("type"))
    started: list[Json] = context.state.setdefault("started", [])
    if kind == _START:
        started.append(record)
        del started[:-_MOST_OPEN]
        yield from messages_requests(_pair(record, [record]))
    elif kind == _END:
        start = _start_of(record, started, context.state)
        yield from messages_requests(_pair(record, [start, record]))
        if mapping(record.get("delta")).get("stop_reason") is not None:
            started[:] = [other for other in started if other is not start]
    elif kind in _KINDS:
        yield NotACall(NotCallReason.METADATA)
    else:  # a line of a file that is said to hold such events
        raise BadRecordError(Reason.UNKNOWN_FORMAT)


def _pair(record: Record, events: list[Json]) -> Pair:
    return Pair({}, assemble(events), record, streamed=True)


def _start_of(end: Record, started: list[Json], state: dict[str, Any]) -> Json:
    """Return the start of the stream that an event ends.

    Raises:
        BadRecordError: It is not known for sure.
    """
    said = {name: count for name in _INPUT if (count := as_int(mapping(end.get("usage")).get(name))) is not None}
    alone = len(started) == 1 or (len(ids := {_id(start) for start in started}) == 1 and None not in ids)
    if alone and all(count >= _count(started[-1], name) for name, count in said.items()):
        return started[-1]  # of a call with searches the end counts more input; a log may hold each line twice
    same = [start for start in started if all(_count(start, name) == count for name, count in said.items())]
    if "input_tokens" in said and len({_model(start) for start in same}) == 1:
        return same[-1]  # of several alike, such as tries of one call, each costs the same
    if len(started) > 1:
        state["ended"] = state.get("ended", 0) + 1
        if state["ended"] >= len(started):  # as many as began, whichever is whose
            started.clear()
            state["ended"] = 0
        raise BadRecordError(Reason.BAD_SHAPE, _START, note=_SEVERAL)
    raise BadRecordError(Reason.BAD_SHAPE, _START, note=_NO_START)


def _id(start: Json) -> str | None:
    return text(mapping(start.get("message")).get("id"))


def _model(start: Json) -> str | None:
    return text(mapping(start.get("message")).get("model"))


def _count(start: Json, name: str) -> int:
    return as_int(mapping(mapping(start.get("message")).get("usage")).get(name)) or 0


def _matches(record: Record, _context: Context) -> bool:
    kind = text(record.get("type"))
    if kind == _START:
        return "usage" in mapping(record.get("message"))
    if kind == _END:
        return "usage" in record and "delta" in record
    if kind in _BLOCKS:
        return "index" in record and _OF_CUSTOM_LOGS.isdisjoint(record)
    return kind in _BARE and record.keys() <= _BARE_KEYS


FORMAT = Format(
    info=FormatInfo(
        name="anthropic-stream",
        title="Anthropic Messages: a stream's events, one a line",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="exclusive",
        tells=("id", "cache", "service_tier"),
        notes="Events as Anthropic documents them. The end of a stream has no id, and joins the one that is open; "
        "where several are, and the counts do not tell them apart, it is rejected.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"type"}),
    types=_KINDS.__contains__,
    signs_all=True,
)
