"""Rows of delimited text. A quote that is never closed costs its own line, and not those that it would swallow."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator

from llm_audit.sources.decode import Item
from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files.limits import MAX_RECORD_BYTES
from llm_audit.sources.files.stream import BrokenStreamError

_DELIMITERS = ",\t;|"
_SEPARATOR_LINE = re.compile(r"\ufeff?sep=(.)\s*")  # Excel writes which it used
_MIN_PATIENCE = 1 << 12
_BLANKS = re.compile(rb"\n[\r\n \t]{4096,}(?=\n)")
_BARE_RETURN = re.compile(r"\r(?!\n?\Z)")

Row = tuple[int, Item]
"""Line number from 1, and the row."""


def csv_rows(blocks: Iterable[bytes]) -> Iterator[Row]:
    """Yield the rows of delimited text with a header, without empty cells. The number is the row's first line."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    lines = _Lines(blocks)
    try:
        reader = _Reader(lines, _named_or_used(lines))
        header = reader.row()
        if isinstance(header, Rejected):
            yield lines.start, Rejected(header.reason, note="the header cannot be read, and so no row can")
            return
        while header is not None and (cells := reader.row(len(header))) is not None:
            if isinstance(cells, Rejected):
                yield lines.start, cells
            elif any(cells) and (len(cells) > 1 or cells[0].strip()):
                yield lines.start, _record(header, cells)
    except BrokenStreamError:
        yield lines.count + 1, Rejected(Reason.TRUNCATED)


def delimiter(header: str) -> str:
    """Return the delimiter that a header uses most."""
    return max(_DELIMITERS, key=header.count)


def _named_or_used(lines: _Lines) -> str:
    """Return the delimiter that a line before the header names, which is used up, or else the one the header uses."""
    first = lines.first()
    named = _SEPARATOR_LINE.fullmatch(first)
    if named is None:
        return delimiter(first)
    next(lines)
    return named[1]


def fitting_rows(text: str) -> tuple[int, int]:
    """Return of some delimited text how many rows have as many cells as the header, and how many begin with a brace."""
    lines = _Lines([text.encode()])
    reader = _Reader(lines, _named_or_used(lines))
    header = reader.row()
    fitting = braces = 0
    while (cells := reader.row()) is not None:
        starts = not isinstance(cells, Rejected) and cells[:1] and cells[0].lstrip().startswith("{")
        braces += bool(starts)
        fitting += not starts and isinstance(header, list) and isinstance(cells, list) and len(cells) == len(header)
    return fitting, braces


def _record(header: list[str], cells: list[str]) -> Item:
    if any(cells[len(header) :]):
        return Rejected(Reason.BAD_SHAPE)
    return {name: cell for name, cell in zip(header, cells, strict=False) if cell}


class _Reader:
    """Reads a row at a time, strictly where it runs over several lines."""

    def __init__(self, lines: _Lines, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._rows = csv.reader(lines, delimiter=delimiter, strict=True)

    def row(self, width: int = 0) -> list[str] | Rejected | None:
        """Return the next row; None at the end. Of a damaged row only the first line is used up.

        Args:
            width: The number of cells of a row that fits.
        """
        lines = self._lines
        lines.begin_row()
        try:
            cells = next(self._rows, None)
        except csv.Error:
            pass
        else:
            several = len(lines.taken) > 1
            if cells is None or not several or not self._swallows(cells, width):
                if several:
                    lines.patience = MAX_RECORD_BYTES
                return cells
        if len(lines.taken) > 1:
            lines.patience = max(lines.patience // 2, _MIN_PATIENCE)
        line = lines.keep_first()
        self._rows = csv.reader(lines, delimiter=self._delimiter, strict=True)
        return self._alone(line)

    def _alone(self, line: str) -> list[str] | Rejected:
        """Return the row on one line, where it leaves no quote open."""
        if len(line) > MAX_RECORD_BYTES:
            return Rejected(Reason.TOO_LONG, unread_bytes=len(line))
        try:
            list(csv.reader([line], delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            if "unexpected end" in str(error):
                return Rejected(Reason.BAD_SHAPE, unread_bytes=len(line.encode()))
        try:  # text after a closing quote is tolerated
            return next(csv.reader([line], delimiter=self._delimiter), [])
        except csv.Error:
            return Rejected(Reason.BAD_SHAPE, unread_bytes=len(line.encode()))

    def _swallows(self, cells: list[str], width: int) -> bool:
        """Return whether a row over several lines has not the cells of one, and its last line has by itself."""
        if not width or len(cells) == width:
            return False
        last = self._alone(self._lines.taken[-1][1])
        return len(cells) > width or (isinstance(last, list) and len(last) == width)


class _Lines:
    """Lines of text with their line breaks, of which those last taken can be read again.

    Attributes:
        count: The lines taken, blank ones included.
        start: The number of the first line of the row.
        taken: The lines of the row, each with the number of lines that it stands for.
        patience: The characters that a row over several lines may have.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.count = 0
        self.start = 1
        self.taken: list[tuple[int, str]] = []
        self.patience = MAX_RECORD_BYTES
        self._waiting: deque[tuple[int, str]] = deque()
        self._lines = _text_lines(blocks)
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.taken and self._size > self.patience:
            raise csv.Error
        stands_for, line = self._waiting.popleft() if self._waiting else next(self._lines)
        self.count += stands_for
        if not self.taken:
            self.start = self.count
        self.taken.append((stands_for, line))
        self._size += len(line)
        return line

    def first(self) -> str:
        """Return the first line, which is not used up."""
        line = next(self, "")
        self._waiting.extend(self.taken)
        self.begin_row()
        self.count = 0
        return line

    def begin_row(self) -> None:
        """Forget the lines of the last row."""
        self.taken.clear()
        self._size = 0

    def keep_first(self) -> str:
        """Return the row's first line, or its beginning before a bare carriage return; the rest is read again."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        self.count -= sum(stands_for for stands_for, _ in self.taken[1:])
        del self.taken[1:]
        parts = _BARE_RETURN.split(self.taken[0][1])
        self._waiting.extendleft(reversed([(0, part) for part in parts[1:]]))
        return parts[0]


def _text_lines(blocks: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Yield lines, each with the number that it stands for: long runs of blank lines are yielded as one.

    Of a line over the limit only the beginning is yielded.
    """
    tail: list[bytes] = []
    held = 0
    blank = 0
    returns: bool | None = None  # whether lines end in a carriage return alone
    for raw in blocks:
        if returns is None:
            returns = b"\n" not in raw and b"\r" in raw
        block = raw.replace(b"\r", b"\n") if returns else raw
        for piece, skipped in _without_blanks(block):
            first, *rest = piece.split(b"\n")
            if held <= MAX_RECORD_BYTES:
                tail.append(first)
            held += len(first)
            if rest:
                yield blank + 1, b"".join(tail).decode(errors="replace") + "\n"
                last = rest.pop()
                for line in rest:
                    yield 1, line.decode(errors="replace") + "\n"
                tail, held, blank = [last], len(last), 0
            blank += skipped
    if held:
        yield blank + 1, b"".join(tail).decode(errors="replace")


def _without_blanks(block: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield a block in pieces, without the long runs of blank lines after them, and the number of lines in each run."""
    start = 0
    for blanks in _BLANKS.finditer(block):
        yield block[start : blanks.start() + 1], blanks[0].count(b"\n") - 1
        start = blanks.end()
    yield block[start:], 0
