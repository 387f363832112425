"""Server-sent events and JSON lines in the body of a response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from llm_audit.sources.records.fields import Json, parsed

_STARTS = ("data:", "event:", "id:", "retry:", ":")
_DONE = "[DONE]"
_decode_lines = msgspec.json.Decoder().decode_lines


def is_stream(body: str) -> bool:
    """Return whether a body is a stream of server-sent events."""
    head = body.lstrip()[:16]
    return head.startswith(_STARTS)


def lines(body: str) -> list[Json]:
    """Return the objects of a stream of JSON lines, in order."""
    return [line for raw in body.splitlines() if isinstance(line := parsed(raw), dict)]


def events(body: str) -> list[Json]:
    """Return the JSON objects a stream sends, in order; others (``[DONE]``, a cut last event) are left out."""
    written = body.splitlines()
    return objects_of(written, data_of(written))


def data_of(written: Sequence[str]) -> list[str] | None:
    """Return the data of a stream's events; None where one has several lines or is certainly not an object.

    Decoded together, as lines, no event can run into the next: each begins and ends with a brace, and no string goes
    past a line's end.
    """
    data: list[str] = []
    ended = True
    for line in written:
        if line[:5] == "data:":
            event = line[5:].strip()
            if not ended:
                return None
            if event[:1] == "{" and event[-1:] == "}":
                data.append(event)
            elif event != _DONE:
                return None
            ended = False
        elif not line:
            ended = True
    return data


def objects_of(written: Sequence[str], data: Sequence[str] | None) -> list[Json]:
    """Return the objects of a stream's lines, whose ``data_of`` is given."""
    whole = None if data is None else decoded_lines("\n".join(data), len(data))
    return list(_each(written)) if whole is None else whole


def decoded_lines(lines: str | bytes, count: int) -> list[Json] | None:
    """Return the objects of so many lines; None where they are not as many, or any cannot be decoded."""
    try:
        whole: list[Json] = _decode_lines(lines)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return whole if len(whole) == count else None


def _each(written: Sequence[str]) -> Iterator[Json]:
    """Yield the object of each event that is one."""
    data: list[str] = []
    for line in (*written, ""):
        if line.startswith("data:"):
            data.append(line[5:].strip())
        elif not line and data:
            event = parsed("\n".join(data))
            if isinstance(event, dict):
                yield event
            data.clear()
