"""JSON values that are not one per line: an array, an object printed over many lines, or several in a row.

The bytes are cut into the outermost objects by counting braces outside strings, so that a file of any size is read in
bounded memory and one broken value costs no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files.limits import MAX_RECORD_BYTES
from llm_audit.sources.files.stream import Blocks, BrokenStreamError

_OUTSIDE = re.compile(rb'["{}]')
_INSIDE = re.compile(rb'["\\]')
_BETWEEN = b" \t\r\n,[]"
_RECORDS_WRAPPER = re.compile(rb'\s*\{\s*"[Rr]ecords"\s*:\s*\[')


class Value(NamedTuple):
    """One outermost object: the line it begins on, from 1, and its bytes or the reason why they cannot be read."""

    number: int
    raw: bytes | Rejected


def values(blocks: Blocks) -> Iterator[Value]:
    """Yield the outermost objects of a stream, and one entry for each run of anything else between them.

    The elements of an array count as outermost, also those of an array that is wrapped as ``{"records": […]}``.
    """
    scanner = _Scanner()
    try:
        for block in blocks:
            yield from scanner.feed(block)
    except BrokenStreamError:
        yield Value(scanner.line, Rejected(Reason.TRUNCATED))
        return
    yield from scanner.finish()


class _Scanner:
    """Finds objects by counting braces. ``line`` is where the current object, or the space between objects, begins."""

    def __init__(self) -> None:
        self.line = 1
        self._held = bytearray()
        self._scanned = 0
        self._depth = 0
        self._in_string = False
        self._dropped = False
        self._wrapped: bool | None = None

    def feed(self, block: bytes) -> Iterator[Value]:
        held = self._held
        held += block
        if self._wrapped is None:
            wrapper = _RECORDS_WRAPPER.match(held)
            self._wrapped = wrapper is not None
            if wrapper:
                self._discard(wrapper.end())
        while match := (_INSIDE if self._in_string else _OUTSIDE).search(held, self._scanned):
            self._scanned, mark = match.end(), match[0]
            if mark == b"\\":
                if self._scanned == len(held):  # what the backslash escapes is yet to come
                    self._scanned -= 1
                    break
                self._scanned += 1
            elif mark == b'"':
                self._in_string = not self._in_string
            else:
                yield from self._brace(mark)
        else:
            self._scanned = len(held)
        if len(held) > MAX_RECORD_BYTES:
            self._dropped = True
            self._discard(self._scanned)

    def _brace(self, mark: bytes) -> Iterator[Value]:
        if mark == b"{":
            if not self._depth:
                yield from self._between(self._scanned - 1)
                self._scanned = 1
            self._depth += 1
        elif self._depth:
            self._depth -= 1
            if not self._depth:
                yield from self._object(self._scanned)

    def finish(self) -> Iterator[Value]:
        if self._depth or self._in_string:
            yield Value(self.line, Rejected(Reason.TOO_LONG if self._dropped else Reason.TRUNCATED))
        else:
            yield from self._between(len(self._held))

    def _object(self, end: int) -> Iterator[Value]:
        yield Value(self.line, Rejected(Reason.TOO_LONG) if self._dropped else bytes(self._held[:end]))
        self._dropped = False
        self._discard(end)

    def _between(self, end: int) -> Iterator[Value]:
        between = bytes(self._held[:end])
        rest = between.strip(_BETWEEN + b"}" if self._wrapped else _BETWEEN)
        if rest:
            line = self.line + between[: between.index(rest)].count(b"\n")
            yield Value(line, Rejected(Reason.NOT_AN_OBJECT if _is_json(rest) else Reason.NOT_JSON))
        self._discard(end)

    def _discard(self, end: int) -> None:
        self.line += self._held.count(b"\n", 0, end)
        del self._held[:end]
        self._scanned = max(0, self._scanned - end)


def _is_json(raw: bytes) -> bool:
    """Return whether this is a list of plain JSON values: numbers, strings, truth values, null."""
    import msgspec

    try:
        msgspec.json.decode(b"[" + raw + b"]")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True
