"""Lines from blocks of bytes, with bounded memory."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files.limits import BLOCK_BYTES, MAX_RECORD_BYTES, TAIL_BYTES
from llm_audit.sources.files.storage import Source, open_binary
from llm_audit.sources.files.stream import Blocks, BrokenStreamError, placed_blocks

Line = tuple[int, bytes | Rejected]
"""A line that is not blank: its number from 1, and its bytes or the reason why they cannot be read."""


_WINDOW = 64  # bytes, doubled as long as all are blank
_TOO_LONG = Rejected(Reason.TOO_LONG)
_TRUNCATED = Rejected(Reason.TRUNCATED)


TakeLines = Callable[[bytes, int, int], tuple[int, int]]
"""Reads lines of a block itself, from a position and a line's number on, as far as it can: it returns the position
after the last of them, and how many they are."""


class Lines:
    """Yields the lines that are not blank. A line over the limit is dropped; damaged data ends the stream.

    ``count`` is, once read through, how many lines were ended: the number before the first line that follows. It goes
    on from the one given. Lines that ``take`` reads itself are counted and not yielded.
    """

    __slots__ = ("_blocks", "_take", "count")

    def __init__(self, blocks: Iterable[bytes], take: TakeLines | None = None, count: int = 0) -> None:
        self._blocks = blocks
        self._take = take or (lambda _block, start, _number: (start, 0))
        self.count = count

    def __iter__(self) -> Iterator[Line]:
        tail: list[bytes] = []
        held = 0
        try:
            for block in self._blocks:
                start, taken = (0, 0) if held else self._take(block, 0, self.count + 1)
                self.count += taken
                end = block.find(b"\n", start)
                first = block[start:end] if end >= 0 else block[start:]
                if held <= MAX_RECORD_BYTES:
                    tail.append(first)
                held += len(first)
                if end < 0:
                    continue
                self.count += 1
                yield from _line(self.count, tail, held)
                start, taken = self._take(block, end + 1, self.count + 1)
                self.count += taken
                while (end := block.find(b"\n", start)) >= 0:  # one line at a time, whose memory the next can use
                    raw = block[start:end]
                    start = end + 1
                    self.count += 1
                    if raw and not raw.isspace():
                        yield self.count, raw
                    elif block[start : start + 1] in b"\r\n \t":  # many blank lines are passed over at once
                        following = block.rfind(b"\n", start, _first_not_blank(block, start)) + 1
                        if following:
                            self.count += block.count(b"\n", start, following)
                            start = following
                    start, taken = self._take(block, start, self.count + 1)
                    self.count += taken
                tail, held = [block[start:]], len(block) - start
        except BrokenStreamError:
            yield self.count + 1, _TRUNCATED
            return
        yield from _line(self.count + 1, tail, held)


def _first_not_blank(block: bytes, start: int) -> int:
    """Return where the first byte that is no blank stands, at ``start`` or after it; the length where none does."""
    size = _WINDOW
    while start < len(block):
        window = block[start : start + size]
        if rest := window.lstrip():
            return start + len(window) - len(rest)
        start += size
        size *= 2
    return len(block)


def _line(number: int, parts: list[bytes], size: int) -> Iterator[Line]:
    if size > MAX_RECORD_BYTES:
        yield number, _TOO_LONG
    else:
        raw = b"".join(parts)
        if raw and not raw.isspace():
            yield number, raw


def _up_to(end: int, position: int, file: BinaryIO) -> Blocks:
    """Yield blocks up to the end of a range, and after it ever larger ones, as long as they are asked for."""
    tail = TAIL_BYTES
    while block := file.read(min(BLOCK_BYTES, max(end - position, tail))):
        yield block
        if position >= end:
            tail *= 2
        position += len(block)


def range_blocks(source: Source, start: int, end: int) -> Blocks:
    """Yield the bytes of the lines whose first byte is in ``start <= position < end``."""
    with open_binary(source) as file:
        position = start
        inside = start == 0
        if not inside:
            # The byte before the range shows whether a line begins with it.
            file.seek(start - 1)
            position -= 1
        for read in _up_to(end, position, file):
            block = read
            reached = position + len(block)
            if position == 0 and block.startswith(BOM_UTF8):
                block = b" " * len(BOM_UTF8) + block[len(BOM_UTF8) :]  # blanks, so that positions stay
            if not inside:
                cut = block.find(b"\n") + 1
                if not cut and reached < end:
                    position = reached
                    continue
                if not cut:
                    return
                position += cut
                if position >= end:
                    return
                block, inside = block[cut:], True
            if reached >= end:
                # The last line may run past the end of the range, but the first one to begin there is not ours.
                stop = block.find(b"\n", max(0, end - 1 - position))
                if stop >= 0:
                    yield block[: stop + 1]
                    return
            yield block
            position = reached


def packed_range_blocks(source: Source, start: int, end: int) -> Blocks:
    """Yield the bytes of the lines whose first byte is in a block of a compressed file with ``start < place <= end``.

    The blocks before these are unpacked too, since a decompressor cannot begin inside a stream. Of ranges that follow
    each other, one alone meets the place where data breaks off.

    Raises:
        BrokenStreamError: Data breaks off in these lines, or before another range begins.
        UnreadableError: The source cannot be opened.
    """
    inside, fresh, mark = start == 0, True, BOM_UTF8  # fresh: a line begins with the next block
    try:
        for place, unpacked in placed_blocks(source):
            block, mark = unpacked.removeprefix(mark), b""
            if place > end:
                if not inside or fresh:
                    return
                stop = block.find(b"\n") + 1
                yield block[:stop] if stop else block
                if stop:
                    return
            elif place > start:
                first = 0 if inside or fresh else block.find(b"\n") + 1
                inside = inside or fresh or first > 0
                if inside:
                    yield block[first:] if first else block
            fresh = block.endswith(b"\n")
    except BrokenStreamError:
        if inside:
            raise
