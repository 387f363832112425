"""Write tables, facts and charts on the sheets of a workbook: real numbers, filters, totals and named cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from llm_audit.report import table
from llm_audit.report.table import NUMERIC, Cell, ColumnKind, Table
from llm_audit.report.text import plain, quoted

ROWS = 1_000_000
"""Rows that a table may have; Excel ends a little later."""
_CELL = 32_000
_WIDEST = 60
_LINE_POINTS = 15
_MOST_LINES = 20
_FORMATS = {
    ColumnKind.MONEY: "#,##0.00;[Red]-#,##0.00",
    ColumnKind.RATE: "#,##0.0000##",
    ColumnKind.COUNT: "#,##0",
    ColumnKind.SHARE: "0.0%",
    ColumnKind.SCORE: "0.00",
}
_MONEY_SMALL = "#,##0.000000;[Red]-#,##0.000000"
_STYLE = "Table Style Light 1"
_CHART_ROWS = 18


class Fact(msgspec.Struct, kw_only=True, frozen=True):
    """A line of a summary: a figure or a sentence, and the name that its cell has for formulas elsewhere."""

    title: str
    value: Cell
    kind: ColumnKind = ColumnKind.PROSE
    name: str = ""
    note: str = ""


class Placed(msgspec.Struct, kw_only=True, frozen=True):
    """A table's place on a sheet; rows and columns count from 0."""

    sheet: str
    table: Table
    head: int
    last: int

    def column(self, title: str) -> int | None:
        """Return the index of a column by its title."""
        return next((i for i, column in enumerate(self.table.columns) if column.title == title), None)

    def cells(self, column: int, rows: int | None = None) -> list[str | int]:
        """Return the range of a column's cells, for a chart: all, or the first rows."""
        last = self.last if rows is None else min(self.last, self.head + rows)
        return [self.sheet, self.head + 1, column, last, column]


class _Sheet(msgspec.Struct, kw_only=True):
    name: str
    sheet: Any
    row: int = 0
    widths: dict[int, int] = msgspec.field(default_factory=dict)
    tables: int = 0


class Workbook:
    """A workbook that sheets of tables are added to, one after another."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._last: _Sheet | None = None
        head = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
        self._heads = {False: book.add_format(head), True: book.add_format(head | {"align": "right"})}
        self._total = {kind: book.add_format({"bold": True, "top": 1, "num_format": f}) for kind, f in _FORMATS.items()}
        self._cells = {kind: book.add_format({"num_format": form, "valign": "top"}) for kind, form in _FORMATS.items()}
        self._small = book.add_format({"num_format": _MONEY_SMALL, "valign": "top"})
        self._name = book.add_format({"valign": "top"})
        self._prose = book.add_format({"text_wrap": True, "valign": "top"})
        self._title = book.add_format({"bold": True, "font_size": 13})
        self._note = book.add_format({"italic": True, "font_color": "#65625c"})
        self._link = book.add_format({"underline": 1, "font_color": "#17324d"})

    def start(self, name: str) -> None:
        """Begin a sheet."""
        sheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        self._last = _Sheet(name=name, sheet=sheet)

    @property
    def _open(self) -> _Sheet:
        assert self._last is not None, "a sheet was begun"
        return self._last

    def title(self, text: str) -> None:
        """Write a heading."""
        self._open.sheet.write_string(self._open.row, 0, plain(text, limit=200), self._title)
        self._open.row += 1

    def contents(self, sheets: Iterable[tuple[str, Sequence[Table]]]) -> None:
        """List the sheets, with links to them, and the tables and rows of each."""
        at = self._open
        for index, text in enumerate(("Sheet", "Table", "Rows")):
            at.sheet.write_string(at.row, index, text, self._heads[text == "Rows"])
        for name, tables in sheets:
            for number, full in enumerate(tables):
                at.row += 1
                if not number:
                    at.sheet.write_url(at.row, 0, f"internal:'{name}'!A1", self._link, name)
                at.sheet.write_string(at.row, 1, plain(full.title, limit=200), self._name)
                at.sheet.write_number(at.row, 2, len(full.rows), self._cells[ColumnKind.COUNT])
        at.sheet.set_column(0, 0, 20)
        at.sheet.set_column(1, 1, _WIDEST)
        at.sheet.freeze_panes(2, 0)

    def facts(self, facts: Iterable[Fact]) -> None:
        """Write facts one below the other: a title, a figure or a sentence, a note. Figures have names in formulas."""
        at = self._open
        for fact in facts:
            at.sheet.write_string(at.row, 0, fact.title, self._name)
            self._write(at, at.row, 1, fact.value, fact.kind)
            at.sheet.write_string(at.row, 2, quoted(plain(fact.note, limit=_CELL)), self._prose)
            if fact.name:
                self._book.define_name(
                    fact.name, f"='{at.name}'!{xl_rowcol_to_cell(at.row, 1, row_abs=True, col_abs=True)}"
                )
            lines = max(_lines(fact.note), _lines(fact.value) if fact.kind is ColumnKind.PROSE else 1)
            at.sheet.set_row(at.row, _LINE_POINTS * min(lines, _MOST_LINES))
            at.row += 1
        at.sheet.set_column(0, 0, 30)
        at.sheet.set_column(1, 2, _WIDEST)

    def add(self, full: Table) -> Placed:
        """Add a table with filters below what the sheet has, its sums below it, and its note."""
        at, head = self._open, self._open.row + 1
        self.title(full.title)
        titles = _unique(plain(column.title, limit=200) for column in full.columns)
        for index, column in enumerate(full.columns):
            at.sheet.write_string(head, index, titles[index], self._heads[column.kind in NUMERIC])
            at.widths[index] = max(at.widths.get(index, 0), _width(full, index))
            at.sheet.set_column(index, index, at.widths[index])
            for number, row in enumerate(full.rows, start=1):
                self._write(at, head + number, index, row[index], column.kind)
        for number, row in enumerate(full.rows, start=1):
            cells = zip(row, full.columns, strict=True)
            lines = max((_lines(cell) for cell, column in cells if column.kind is ColumnKind.PROSE), default=1)
            if lines > 1:
                at.sheet.set_row(head + number, _LINE_POINTS * min(lines, _MOST_LINES))
        last = head + len(full.rows)
        heads = [
            {"header": title, "header_format": self._heads[column.kind in NUMERIC]}
            for title, column in zip(titles, full.columns, strict=True)
        ]
        at.sheet.add_table(head, 0, last, len(titles) - 1, {"columns": heads, "style": _STYLE})
        if not at.tables:
            at.sheet.freeze_panes(head + 1, 1)
        at.tables += 1
        at.row = last + 1 + self._totals(at, full, head, last)
        if full.note:
            at.sheet.write_string(at.row, 0, quoted(plain(full.note, limit=_CELL)), self._note)
            at.row += 1
        at.row += 1
        return Placed(sheet=at.name, table=full, head=head, last=last)

    def chart(self, kind: dict[str, str], series: Iterable[dict[str, Any]], *, title: str, place: Placed) -> Any:
        """Add a native chart to the right of a table, and return it, so that another can be laid over it."""
        made = self._series(kind, series)
        made.set_title({"name": title, "name_font": {"size": 11}})
        made.set_legend({"position": "bottom"})
        made.set_size({"width": 640, "height": 20 * _CHART_ROWS})
        self._open.sheet.insert_chart(place.head, len(place.table.columns) + 1, made)
        self._open.row = max(self._open.row, place.head + _CHART_ROWS + 2)
        return made

    def overlay(self, under: Any, kind: dict[str, str], series: Iterable[dict[str, Any]]) -> None:
        """Lay another kind of chart over one, on the same axes."""
        under.combine(self._series(kind, series))

    def _series(self, kind: dict[str, str], series: Iterable[dict[str, Any]]) -> Any:
        made = self._book.add_chart(kind)
        for each in series:
            made.add_series(each)
        return made

    def _write(self, at: _Sheet, row: int, index: int, cell: Cell, kind: ColumnKind) -> None:
        if cell is None or cell == "":
            return
        if kind in _FORMATS and _numeric(cell):
            number = float(cell)
            small = kind is ColumnKind.MONEY and 0 < abs(number) < 0.01
            at.sheet.write_number(row, index, number, self._small if small else self._cells[kind])
        else:
            written = plain(str(cell), limit=_CELL)
            if kind is ColumnKind.PROSE:
                at.sheet.write_string(row, index, quoted(written), self._prose)
            else:
                at.sheet.write_string(row, index, written, self._name)

    def _totals(self, at: _Sheet, full: Table, head: int, last: int) -> bool:
        """Write sums of the rows that a filter leaves, with values for readers that do not compute."""
        sums = table.totals(full)
        summed = [
            (i, c) for i, c in enumerate(full.columns) if c.sums and c.kind in {ColumnKind.MONEY, ColumnKind.COUNT}
        ]
        if sums is None or not summed:
            return False
        for index, column in summed:
            letter, value = xl_col_to_name(index), sums[index]
            formula = f"=SUBTOTAL(109,{letter}{head + 2}:{letter}{last + 1})"
            total = float(value) if value is not None and _numeric(value) else 0.0
            at.sheet.write_formula(last + 1, index, formula, self._total[column.kind], total)
        return True


def _unique(titles: Iterable[str]) -> list[str]:
    """Make headings unique, as filters need them."""
    made: list[str] = []
    for title in titles:
        name, number = title or "Column", 1
        while name.casefold() in {other.casefold() for other in made}:
            number += 1
            name = f"{title} {number}".strip()
        made.append(name)
    return made


def _numeric(cell: Cell) -> bool:
    if isinstance(cell, str):
        return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None
    return cell is not None


def _lines(cell: Cell) -> int:
    """Return the lines of a sentence in the widest column; not every program fits the row height itself."""
    return -(-len(str(cell or "")) // (_WIDEST - 6)) or 1


def _width(full: Table, index: int) -> int:
    column = full.columns[index]
    if column.kind in NUMERIC:
        return max(12, len(column.title) + 2)
    longest = max((len(str(row[index])) for row in full.rows[:200]), default=8)
    return min(_WIDEST, max(10, longest + 2, len(column.title) + 2))
