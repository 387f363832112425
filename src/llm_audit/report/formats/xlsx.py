"""The report for people who work in sheets: a sheet a section, real numbers, filters, frozen headings."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from llm_audit.document.audit import Document
from llm_audit.report import table
from llm_audit.report.interface import Frames, Options
from llm_audit.report.table import NUMERIC, Column, ColumnKind, Table
from llm_audit.report.tables import check as check_tables
from llm_audit.report.tables import everything
from llm_audit.report.text import plain, quoted
from llm_audit.report.verdict import verdict

_ROWS = 1_000_000
_CELL = 32_000
_WIDEST = 60
_LINE_POINTS = 15
_MOST_LINES = 20
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_FORMATS = {
    ColumnKind.MONEY: "#,##0.00;[Red]-#,##0.00",
    ColumnKind.RATE: "#,##0.0000##",
    ColumnKind.COUNT: "#,##0",
    ColumnKind.SHARE: "0.0%",
    ColumnKind.SCORE: "0.00",
}
_MONEY_SMALL = "#,##0.000000;[Red]-#,##0.000000"


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """A workbook. No cell from a log is ever a formula or a link; the only formulas are the totals under sums."""
    buffer = io.BytesIO()
    settings = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(buffer, settings)
    book.set_properties(
        {"title": "LLM spend audit", "comments": plain(document.command, limit=250), "created": _made(document)}
    )
    sheets = _Book(book)
    _summary(document, sheets)
    check = options.check if options else None
    for whole in (*(check_tables.everything(check) if check else ()), *everything(document)):
        if whole.rows:
            sheets.add(table.cap(whole, _ROWS))
    book.close()
    return buffer.getvalue()


def _made(document: Document) -> datetime:
    """A time that the input decides, not the clock: the last request's, so that the same audit gives the same bytes."""
    end = document.period.end
    return (datetime.fromisoformat(end) if end else datetime(2000, 1, 1, tzinfo=UTC)).replace(
        tzinfo=None, microsecond=0
    )


def _summary(document: Document, sheets: _Book) -> None:
    said = verdict(document)
    facts = (
        ("Verdict", said.headline),
        ("Period", said.period),
        ("Policy", document.policy.name),
        ("Currency", document.currency),
        ("Spent", f"{said.spent} ({said.spent_note})"),
        ("Flagship tax", f"{said.tax} ({said.tax_note}; {said.range_note})"),
        ("Covered", f"{said.covered} {said.covered_note}"),
        ("Audited", f"{said.audited} {said.audited_note}"),
        *(("Warning", warning) for warning in said.warnings),
        ("Command", document.command),
    )
    columns = (Column("Summary"), Column("", ColumnKind.PROSE))
    sheets.add(table.table("summary", "Summary", columns, facts))


class _Book:
    """A workbook that is given one table after another."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._names: set[str] = set()
        head = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
        self._heads = {False: book.add_format(head), True: book.add_format(head | {"align": "right"})}
        self._total = {kind: book.add_format({"bold": True, "top": 1, "num_format": f}) for kind, f in _FORMATS.items()}
        self._cells = {kind: book.add_format({"num_format": form, "valign": "top"}) for kind, form in _FORMATS.items()}
        self._small = book.add_format({"num_format": _MONEY_SMALL, "valign": "top"})
        self._name_cell = book.add_format({"valign": "top"})
        self._prose = book.add_format({"text_wrap": True, "valign": "top"})

    def add(self, whole: Table) -> None:
        """Add a sheet for a table."""
        sheet = self._book.add_worksheet(self._name(whole.title))
        last = len(whole.columns) - 1
        for index, column in enumerate(whole.columns):
            sheet.write_string(0, index, plain(column.title, limit=200), self._heads[column.kind in NUMERIC])
            sheet.set_column(index, index, _width(whole, index))
            for number, row in enumerate(whole.rows, start=1):
                self._write(sheet, number, index, row[index], column.kind)
        for number, row in enumerate(whole.rows, start=1):
            lines = max(
                (_lines(cell) for cell, c in zip(row, whole.columns, strict=True) if c.kind is ColumnKind.PROSE),
                default=1,
            )
            if lines > 1:
                sheet.set_row(number, _LINE_POINTS * min(lines, _MOST_LINES))
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(whole.rows), last)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        self._totals(sheet, whole)

    def _write(self, sheet: Any, row: int, index: int, cell: table.Cell, kind: ColumnKind) -> None:
        if cell is None or cell == "":
            return
        if kind in _FORMATS and _numeric(cell):
            number = float(cell)
            small = kind is ColumnKind.MONEY and 0 < abs(number) < 0.01
            sheet.write_number(row, index, number, self._small if small else self._cells[kind])
        else:
            written = plain(str(cell), limit=_CELL)
            if kind is ColumnKind.PROSE:
                sheet.write_string(row, index, quoted(written), self._prose)
            else:
                sheet.write_string(row, index, written, self._name_cell)

    def _totals(self, sheet: Any, whole: Table) -> None:
        """Sums below the table, of the rows that a filter leaves, with the value for readers that do not compute."""
        below = len(whole.rows) + 1
        summed = [
            (i, c) for i, c in enumerate(whole.columns) if c.sums and c.kind in {ColumnKind.MONEY, ColumnKind.COUNT}
        ]
        if len(whole.rows) < 2 or not summed:
            return
        for index, column in summed:
            letter = xlsxwriter.utility.xl_col_to_name(index)
            total = sum(
                float(cell) for cell in (row[index] for row in whole.rows) if cell is not None and _numeric(cell)
            )
            formula = f"=SUBTOTAL(109,{letter}2:{letter}{below})"
            sheet.write_formula(below, index, formula, self._total[column.kind], total)

    def _name(self, title: str) -> str:
        """A sheet's name: at most 31 characters, none that Excel forbids, used once whatever the case."""
        base = _FORBIDDEN.sub(" ", plain(title, limit=28)).strip()[:31] or "Sheet"
        name, number = base, 1
        while name.casefold() in self._names:
            number += 1
            name = f"{base[: 30 - len(str(number))]} {number}"
        self._names.add(name.casefold())
        return name


def _numeric(cell: table.Cell) -> bool:
    if isinstance(cell, str):
        return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None
    return cell is not None


def _lines(cell: table.Cell) -> int:
    """Lines that a sentence takes at the widest column; programs that read the file do not all fit the row to it."""
    return -(-len(str(cell or "")) // (_WIDEST - 6)) or 1


def _width(whole: Table, index: int) -> int:
    column = whole.columns[index]
    if column.kind in NUMERIC:
        return max(12, len(column.title) + 2)
    longest = max((len(str(row[index])) for row in whole.rows[:200]), default=8)
    return min(_WIDEST, max(10, longest + 2, len(column.title) + 2))
