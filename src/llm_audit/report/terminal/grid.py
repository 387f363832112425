"""Draw a table in a terminal of any width: names are shortened, figures never, and columns left out are named."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from llm_audit.report import table
from llm_audit.report.table import NUMERIC, Column, ColumnKind, Priority, Table
from llm_audit.report.text import quoted

_GAP = 2
_NAME = 24
"""Least width of the first column, where it is text, and of sentences."""
_OTHER = 12
"""Least width of any other column of text."""
_LONGEST = 72
"""Greatest width of a column of text."""
_READ = 400


class _Written(msgspec.Struct, frozen=True):
    """A column with its cells as text."""

    column: Column
    cells: tuple[str, ...]
    first: bool

    @property
    def natural(self) -> int:
        widest = max(cell_len(text) for text in (self.column.title, *self.cells))
        return widest if self.column.kind in NUMERIC else min(widest, _LONGEST)

    @property
    def least(self) -> int:
        if self.column.kind in NUMERIC:
            return max(cell_len(text) for text in (*self.column.title.split(), *self.cells))
        return min(self.natural, _NAME if self.first or self.column.kind is ColumnKind.PROSE else _OTHER)


def grid(shown: Table, width: int, *, currency: str) -> RenderableType:
    """Draw a table in at most ``width`` columns.

    Columns that can be spared are left out from the right where there is no room, with a line that names them. Where
    that is not enough, no column is left out and each row becomes a name with its figures below it.
    """
    written = [
        _Written(column, tuple(_cell(row[index], column, currency) for row in shown.rows), first=index == 0)
        for index, column in enumerate(shown.columns)
    ]
    kept, spared = list(written), list[str]()
    while _needed(kept) > width and (spare := [part for part in kept if part.column.priority is Priority.SPARE]):
        kept.remove(spare[-1])
        spared.insert(0, spare[-1].column.title)
    if _needed(kept) > width:
        return _stacked(written, width)
    drawn = _side_by_side(kept, width)
    return Group(drawn, Text(f"Columns left out to fit: {', '.join(spared)}.", style="dim")) if spared else drawn


def _cell(cell: table.Cell, column: Column, currency: str) -> str:
    written = table.write(cell, column, currency=currency, limit=_READ)
    return quoted(written) if column.kind is ColumnKind.PROSE else written


def _needed(columns: Sequence[_Written]) -> int:
    return sum(column.least for column in columns) + _GAP * (len(columns) - 1)


def _side_by_side(columns: Sequence[_Written], width: int) -> Grid:
    made = Grid(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    widths = _widths(columns, width)
    for part, room in zip(columns, widths, strict=True):
        numeric = part.column.kind in NUMERIC
        made.add_column(Text(part.column.title), justify="right" if numeric else "left", width=room, overflow="fold")
    fitted = [
        part.cells if part.column.kind is ColumnKind.PROSE else [shorten(text, room) for text in part.cells]
        for part, room in zip(columns, widths, strict=True)
    ]
    for row in zip(*fitted, strict=True):
        made.add_row(*(Text(text) for text in row))
    return made


def _widths(columns: Sequence[_Written], width: int) -> list[int]:
    """Return the least widths, with the remaining room shared evenly among columns that need more."""
    widths = [column.least for column in columns]
    room = width - _GAP * (len(columns) - 1) - sum(widths)
    while room > 0 and (wanting := [i for i, column in enumerate(columns) if widths[i] < column.natural]):
        for index in wanting[:room]:
            widths[index] += 1
        room -= len(wanting[:room])
    return widths


def _stacked(columns: Sequence[_Written], width: int) -> Group:
    """Write each row as a line with its name, followed by its figures, as many to a line as fit."""
    head, *rest = columns
    indent = min(2, width // 4)
    lines: list[RenderableType] = []
    for number, name in enumerate(head.cells):
        lines.append(Text(name if head.column.kind is ColumnKind.PROSE else shorten(name, width), overflow="fold"))
        pairs = [Text.assemble((f"{part.column.title} ", "dim"), part.cells[number]) for part in rest]
        stated = [pair for pair, part in zip(pairs, rest, strict=True) if part.cells[number]]
        lines += [Padding(line, (0, 0, 0, indent)) for line in _packed(stated, width - indent)]
    return Group(*lines)


def _packed(pairs: Sequence[Text], width: int) -> list[Text]:
    lines: list[Text] = []
    for pair in pairs:
        if lines and lines[-1].cell_len + _GAP + pair.cell_len <= width:
            lines[-1].append(" " * _GAP).append_text(pair)
        else:
            lines.append(Text(overflow="fold").append_text(pair))
    return lines


def shorten(text: str, width: int) -> str:
    """Leave out the middle of a name that is wider than ``width`` columns.

    >>> shorten("claude-sonnet-4-5-20250929", 16)
    'claude-son…50929'
    """
    if cell_len(text) <= width:
        return text
    tail = (width - 1) // 3
    start, end = 0, len(text)
    while cell_len(text[:end]) > width - 1 - tail:
        end -= 1
    while cell_len(text[start:]) > tail:
        start += 1
    return f"{text[:end]}…{text[start:]}"
