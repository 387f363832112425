"""JSON values that are not one per line: an array, an object printed over many lines, or several in a row.

The bytes are cut into the outermost objects by counting braces outside strings, so that a file of any size is read in
bounded memory. Where that comes out wrong, because a quote or a brace is missing, the object is read again with care to
find where it breaks, and reading goes on at the next object that begins like those before it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple

import msgspec

from llm_audit.sources.decode import decode
from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files.limits import MAX_RECORD_BYTES
from llm_audit.sources.files.stream import BrokenStreamError

_BRACES = re.compile(rb'["{}]')
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\\n]')
_NOT_BLANK = re.compile(rb"\S")
_START = re.compile(rb'\{(?=\s*["}])')
_UNDECIDED = re.compile(rb"\{\s*\Z")
_INDENT = re.compile(rb"\n([ \t]*)\Z")
_FIRST_KEY = re.compile(rb'\{\s*"((?:[^"\\]|\\.){0,99})"')
_NEXT_KEY = re.compile(rb'[}\]]\s*,\s*\{\s*"((?:[^"\\\n]|\\.){0,99})"\s*:')
_BETWEEN = b" \t\r\n,[]"
RECORDS_WRAPPER = re.compile(rb'\s*\{\s*"[Rr]ecords"\s*:\s*\[')
_MAX_KEYS = 8  # first keys remembered, by which the next object is recognised after damage
_MAX_KEY_BYTES = 128
_MIN_PATIENCE_BYTES = 1 << 12
_MAX_START_BYTES = 256  # more than the beginning of an object up to its first key
_validate = msgspec.json.Decoder(msgspec.Raw).decode


class Value(NamedTuple):
    """One outermost object: the line it begins on, from 1, and its bytes or the reason why they cannot be read."""

    number: int
    raw: bytes | Rejected


def values(blocks: Iterator[bytes]) -> Iterator[Value]:
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
    """Finds objects by counting braces. ``line`` is where the current object, or the space between objects, begins.

    ``_open`` has the braces that are open; where it is empty, the bytes held lie between objects. Once an object was
    damaged ``_careful`` is true: brackets are counted too, and what surrounds a brace or a string is checked.
    """

    def __init__(self) -> None:
        self.line = 1
        self._held = bytearray()
        self._scanned = 0
        self._open = bytearray()
        self._in_string = False
        self._careful = False
        self._at_end = False
        self._dropped = 0  # bytes of the current object that are no longer held
        self._wrapped: bool | None = None
        self._keys: dict[bytes, None] = {}  # first keys of objects, in the order they were seen
        self._patience = MAX_RECORD_BYTES  # the size at which an object among damaged ones is given up
        self._largest = 0  # good object
        self._indent = b""  # of the last object that began on a line of its own
        self._damage: Reason | None = None  # set while the next object is searched for
        self._next_object = _START

    def feed(self, block: bytes) -> Iterator[Value]:
        self._held += block
        if self._wrapped is None:
            wrapper = RECORDS_WRAPPER.match(self._held)
            self._wrapped = wrapper is not None
            if wrapper:
                self._discard(wrapper.end())
        yield from self._scan()
        if len(self._held) > MAX_RECORD_BYTES and self._open and not self._careful and not self._dropped:
            self._read_again()
            yield from self._scan()
        if len(self._held) > MAX_RECORD_BYTES:
            self._dropped += self._scanned if self._open or self._damage else 0
            self._discard(self._scanned)

    def finish(self) -> Iterator[Value]:
        self._at_end = True
        yield from self._scan()
        while (self._open and not self._dropped) or self._guess_key():
            if self._open and self._careful:
                self._give_up(Reason.TRUNCATED)
            elif self._open:
                self._read_again()
            yield from self._scan()
        if self._damage is not None:
            yield self._end_damage(len(self._held))
        elif self._open:
            yield Value(self.line, Rejected(Reason.TOO_LONG, unread_bytes=self._dropped + len(self._held)))
        else:
            yield from self._between(len(self._held))

    def _scan(self) -> Iterator[Value]:
        """Read what is held, as far as it can be understood without what follows."""
        while True:
            if self._damage is not None:
                found = self._next_object.search(self._held, self._scanned)
                if found is None:
                    self._scanned = max(self._scanned, len(self._held) - _MAX_START_BYTES)
                    return
                yield self._end_damage(found.start(1))
                self._begin()
            elif self._open:
                ended = yield from self._inside()
                if not ended:
                    return
            else:
                found = _START.search(self._held, self._scanned)
                if found is None:
                    undecided = None if self._at_end else _UNDECIDED.search(self._held, self._scanned)
                    self._scanned = undecided.start() if undecided else len(self._held)
                    return
                if (before := _INDENT.search(self._held, 0, found.start())) is not None:
                    self._indent = before[1]
                yield from self._between(found.start())
                self._begin()

    def _inside(self) -> Generator[Value, None, bool]:
        """Read on inside an object; return whether it came to an end, good or bad."""
        held = self._held
        outside = _OUTSIDE if self._careful else _BRACES
        while match := (_INSIDE if self._in_string else outside).search(held, self._scanned):
            place, mark = match.start(), match[0]
            self._scanned = place
            sound = not self._careful or self._is_sound(mark, place)
            if sound is None or (mark == b"\\" and place + 1 == len(held)):
                return False  # what follows decides, and is yet to come
            if not sound:
                if place > self._patience:
                    self._give_up(Reason.NOT_JSON)
                else:
                    self._break_off(Reason.NOT_JSON, place - _MAX_KEY_BYTES)
                return True
            self._scanned = place + (2 if mark == b"\\" else 1)
            self._enter_or_leave(mark)
            if not self._open:
                return (yield from self._object(self._scanned))
        self._scanned = len(held)
        return False

    def _enter_or_leave(self, mark: bytes) -> None:
        if mark == b'"':
            self._in_string = not self._in_string
        elif mark in b"{[":
            self._open += mark
        elif mark in b"}]":
            self._open.pop()

    def _is_sound(self, mark: bytes, place: int) -> bool | None:
        """Return whether a mark can stand at its place; None where what follows decides and is yet to come."""
        if place > self._patience and not self._dropped:  # a list in the object seems to hold those that follow it
            return False
        if mark == b'"' and self._in_string:
            after = _NOT_BLANK.search(self._held, place + 1)
            if after is None:
                return True if self._at_end or len(self._held) - place > _MAX_START_BYTES else None
            return after[0] in b",:}]"
        if mark in b"{[":
            before = self._held[max(0, place - _MAX_START_BYTES) : place].rstrip()
            # In an object a name comes after a comma, and in a list something before it.
            in_list = self._open.endswith(b"[") and before[:-1].rstrip()[-1:] not in b",[:"
            return in_list or not before.endswith(b",")
        if mark in b"}]":
            return self._open.endswith(b"{" if mark == b"}" else b"[")
        return mark != b"\n"  # a line that ends inside a string

    def _begin(self) -> None:
        """Enter the object that what is held begins with."""
        self._open += b"{"
        self._scanned = 1

    def _object(self, end: int) -> Generator[Value, None, bool]:
        raw = bytes(self._held[:end])
        if self._dropped:
            yield Value(self.line, Rejected(Reason.TOO_LONG, unread_bytes=self._dropped + end))
        elif _is_json(raw):
            if len(self._keys) < _MAX_KEYS and (key := _FIRST_KEY.match(raw)):
                self._keys[key[1]] = None
            self._largest = max(self._largest, end)
            yield Value(self.line, raw)
        elif not self._careful:
            self._read_again()
            return True
        else:
            yield Value(self.line, Rejected(Reason.NOT_JSON, unread_bytes=end))
        self._dropped = 0
        self._discard(end)
        return True

    def _read_again(self) -> None:
        """Go back to the beginning of the object, to find where it is damaged."""
        self._careful = True
        self._open[:] = b"{"
        self._in_string = False
        self._scanned = 1

    def _give_up(self, reason: Reason) -> None:
        """Give an object up of which it is unknown where it is damaged; the next such one sooner."""
        self._patience = max(self._patience // 2, 2 * self._largest, _MIN_PATIENCE_BYTES)
        self._break_off(reason, 1)

    def _break_off(self, reason: Reason, place: int) -> None:
        """Give an object up, and look for the next one from a place in it on."""
        keys = dict(self._keys)
        if own := _FIRST_KEY.match(self._held):
            keys[own[1]] = None
        self._next_object = self._beginning(keys)
        self._damage = reason
        self._open.clear()
        self._in_string = False
        self._scanned = max(1, place)

    def _beginning(self, keys: Iterable[bytes]) -> re.Pattern[bytes]:
        """Return how an object begins that has one of these first keys, or that begins a line as those before it."""
        names = b"|".join(re.escape(key) for key in keys)
        return re.compile(rb'(?:[,\[\]}]\s*(?=\{\s*"(?:%s)"\s*:)|\n%s)(\{\s*")' % (names, self._indent))

    def _guess_key(self) -> bool:
        """Where the very first object is damaged in its first key, take that of the object from which all is JSON.

        Lists inside the damaged object hold objects too, but what follows those does not end as an array does.
        """
        if self._damage is None or self._dropped or self._keys:
            return False
        ending = b'{"records":[' if self._wrapped else b"["
        tried: dict[bytes, None] = {}
        for found in _NEXT_KEY.finditer(self._held):
            if found[1] not in tried and len(tried) < _MAX_KEYS:
                tried[found[1]] = None
                start = self._held.index(b"{", found.start())
                if _is_json(ending + self._held[start:]):
                    self._next_object = self._beginning([found[1]])
                    self._scanned = found.start()
                    return True
        return False

    def _end_damage(self, end: int) -> Value:
        value = Value(self.line, Rejected(self._damage or Reason.NOT_JSON, unread_bytes=self._dropped + end))
        self._damage = None
        self._dropped = 0
        self._discard(end)
        return value

    def _between(self, end: int) -> Iterator[Value]:
        between = bytes(self._held[:end])
        rest = between.strip(_BETWEEN + b"}" if self._wrapped else _BETWEEN)
        if rest:
            line = self.line + between[: between.index(rest)].count(b"\n")
            yield Value(line, Rejected(Reason.NOT_AN_OBJECT if _is_json(b"[" + rest + b"]") else Reason.NOT_JSON))
        self._discard(end)

    def _discard(self, end: int) -> None:
        self.line += self._held.count(b"\n", 0, end)
        del self._held[:end]
        self._scanned = max(0, self._scanned - end)


def _is_json(raw: bytes) -> bool:
    """Return whether this is JSON, as leniently as records are decoded."""
    try:
        _validate(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return all(not isinstance(item, Rejected) or item.reason is Reason.NOT_AN_OBJECT for item in decode(raw))
    return True
