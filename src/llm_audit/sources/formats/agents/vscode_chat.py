"""Chats of VS Code with its agents and Copilot: a session as JSON, an exported chat, or the log of a session's changes.

A line of such a log sets a value of the session (``kind`` 1) or adds to a list of it (2), after one with the session as
it began (0). A request's counts are set when it is answered, so that it is yielded at each change: the last is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Reason, Record, Rejected, Request
from llm_audit.sources.formats.agents._transcript import TOOLS
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import merge_key, reject_on_error
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, at, first, listing, mapping, number, objects, text
from llm_audit.sources.records.times import micros

_SET, _ADD = 1, 2
_OF_CHANGES = frozenset({"kind", "k", "v", "i"})
_OF_FILES = frozenset({"responderUsername", "requesterUsername", "sessionId"})
_COPILOT = "copilot"
_METADATA = NotACall(NotCallReason.METADATA)


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    if "requests" in record:
        yield from _all(objects(record.get("requests")), text(record.get("sessionId")))
        return
    state = context.state
    kind, place, value = record.get("kind"), listing(record.get("k")), record.get("v")
    if kind not in (_SET, _ADD):
        session = mapping(value)
        state.update(session=text(session.get("sessionId")), requests=[*map(dict, objects(session.get("requests")))])
        yield from _all(state["requests"], state["session"], is_change=True)
        return
    changed = _changed(state.setdefault("requests", []), kind, place, value, record.get("i"))
    yield from _all(changed, state.get("session"), is_change=True)


def _changed(
    requests: list[dict[str, Any]], kind: object, place: Sequence[Any], value: object, at_index: object
) -> list[dict[str, Any]]:
    """Make a change, and return the requests that it concerns."""
    if place[:1] != ["requests"]:
        return []
    if len(place) == 1:
        added = [*map(dict, objects(value if isinstance(value, list) else [value]))]
        if kind == _ADD:
            start = at_index if isinstance(at_index, int) else len(requests)
            requests[start:start] = added
        else:
            requests[:] = added
        return added
    index, *inner = place[1:]
    if not isinstance(index, int) or not 0 <= index < len(requests):
        return []
    request = requests[index]
    if not inner and isinstance(value, dict):
        request.clear()
        request.update(value)
    elif len(inner) == 1 and isinstance(inner[0], str):
        request[inner[0]] = [*listing(request.get(inner[0])), *listing(value)] if kind == _ADD else value
    else:
        return []
    return [request]


def _all(requests: Iterable[Json], session: str | None, *, is_change: bool = False) -> Iterator[Entry]:
    found = False
    for request in requests:
        found = True
        if is_change and text(request.get("requestId")) is None:  # each change of it would be one more request
            yield Rejected(Reason.BAD_SHAPE, "requestId")
        else:
            yield reject_on_error(lambda item: _request(item, session), request)
    if not found:
        yield _METADATA


def _request(given: Json, session: str | None) -> Entry:
    request_id, chosen = text(given.get("requestId")), text(given.get("modelId"))
    vendor, _, model = (_resolved(given) or chosen or "").rpartition("/")
    if not model:
        return Rejected(Reason.NO_MODEL, "modelId") if _counts(given) else _METADATA
    about = mapping(at(given, "result", "metadata"))
    rounds = listing(about.get("toolCallRounds"))
    counts = _counts(given)
    return Request(
        model=model,
        model_requested=chosen and chosen.rpartition("/")[2],
        provider="github-copilot" if (vendor or _COPILOT).startswith(_COPILOT) else vendor.partition("/")[0],
        time_us=micros(given.get("timestamp"), "timestamp"),
        request_id=request_id,
        merge_key=merge_key(request_id and f"vscode-chat:{request_id}", model="any"),
        conversation=session,
        latency_ms=number(at(given, "result", "timings", "totalElapsed")),
        tags=("last-call-only",) if len(rounds) > 1 else (),
        tools=TOOLS,
        usage=disjoint_usage(read_count(counts, "input"), read_count(counts, "output")),
    )


def _counts(given: Json) -> Json:
    """Return what a request counts, itself, in its usage or in its result's metadata."""
    places = (given, mapping(given.get("usage")), mapping(at(given, "result", "metadata")))
    read = {
        "input": next((held for place in places if (held := place.get("promptTokens"))), None),
        "output": next((held for place in places if (held := first(place, "completionTokens", "outputTokens"))), None),
    }
    return {name: count for name, count in read.items() if count is not None}


def _resolved(given: Json) -> str | None:
    """Return the model that Copilot chose for a request, where it was to choose."""
    parts = [part for part in objects(given.get("response")) if part.get("kind") == "autoModeResolution"]
    chosen = text(at(parts[-1], "resolved", "id")) if parts else None
    return chosen and f"{_COPILOT}/{chosen}"


def _matches(record: Record, _context: Context) -> bool:
    if "requests" in record:
        chat = not _OF_FILES.isdisjoint(record)
        return chat and ("version" in record or "responderUsername" in record) and _are_requests(record["requests"])
    kind = record.get("kind")
    change = type(kind) is int and record.keys() <= _OF_CHANGES
    return change and (isinstance(record.get("k"), list) or "requests" in mapping(record.get("v")))


def _are_requests(given: object) -> bool:
    """Return whether a list is that of a chat, rather than of calls of a custom log. A new chat has none."""
    if not isinstance(given, list):
        return False
    return not given or any(
        "requestId" in item and "message" in item and "model" not in item for item in objects(given)
    )


FORMAT = Format(
    info=FormatInfo(
        name="vscode-chat",
        title="VS Code chats: sessions, logs of their changes, exported chats",
        evidence=Evidence.FIXTURE,
        input_counts="not split",
        tells=("time", "id", "latency"),
        notes="Fields as in programs that read VS Code's chat sessions (version 3). Cached tokens are not logged, and "
        "are priced as fresh. A request of several calls (tag last-call-only) holds the counts of one; those without "
        "counts are of unknown size. Prompts are not read, since what is sent with them is not logged.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"requests", "kind"}),
    signs_all=True,
)
