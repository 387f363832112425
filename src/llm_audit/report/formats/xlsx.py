"""The report as a workbook: one sheet per table, with real numbers, filters and frozen headings."""

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
    """Render a workbook. No text from a log becomes a formula or a link; the only formulas are column totals."""
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
    for full in (*(check_tables.everything(check) if check else ()), *everything(document)):
        if full.rows:
            sheets.add(table.cap(full, _ROWS))
    book.close()
    return buffer.getvalue()


def _made(document: Document) -> datetime:
    """Return the time of the last request and not of the clock, so that the same audit gives the same bytes."""
    end = document.period.end
    return (datetime.fromisoformat(end) if end else datetime(2000, 1, 1, tzinfo=UTC)).replace(
        tzinfo=None, microsecond=0
    )


def _summary(document: Document, sheets: _Book) -> None:
    summary = verdict(document)
    facts = (
        ("Verdict", summary.headline),
        ("Period", summary.period),
        ("Policy", document.policy.name),
        ("Currency", document.currency),
        ("Spent", f"{summary.spent} ({summary.spent_note})"),
        *(
            ("Run rate", f"{rate} {summary.rate_note}; {summary.rate_more}".rstrip("; "))
            for rate in (summary.rate,)
            if rate
        ),
        ("Flagship tax", f"{summary.tax} ({summary.tax_note})"),
        *(("Answers lost", line) for line in (summary.quality,) if line),
        *(("Preference", line) for line in (summary.preference,) if line),
        *(("Not included", line) for line in (summary.unmeasured,) if line),
        *(("Stakes", line) for line in (summary.stakes,) if line),
        *(("Floor and ceiling", line) for line in (summary.floor_note,) if line),
        ("Covered", f"{summary.covered} {summary.covered_note}"),
        ("Audited", f"{summary.audited} {summary.audited_note}"),
        *(("Warning", warning) for warning in summary.warnings),
        ("Command", document.command),
    )
    columns = (Column("Summary"), Column("", ColumnKind.PROSE))
    sheets.add(table.table("summary", "Summary", columns, facts))


class _Book:
    """A workbook that tables are added to, one after another."""

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

    def add(self, full: Table) -> None:
        """Add a sheet for a table."""
        sheet = self._book.add_worksheet(self._name(full.title))
        last = len(full.columns) - 1
        for index, column in enumerate(full.columns):
            sheet.write_string(0, index, plain(column.title, limit=200), self._heads[column.kind in NUMERIC])
            sheet.set_column(index, index, _width(full, index))
            for number, row in enumerate(full.rows, start=1):
                self._write(sheet, number, index, row[index], column.kind)
        for number, row in enumerate(full.rows, start=1):
            lines = max(
                (_lines(cell) for cell, c in zip(row, full.columns, strict=True) if c.kind is ColumnKind.PROSE),
                default=1,
            )
            if lines > 1:
                sheet.set_row(number, _LINE_POINTS * min(lines, _MOST_LINES))
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(full.rows), last)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        self._totals(sheet, full)

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

    def _totals(self, sheet: Any, full: Table) -> None:
        """Write sums of the rows that a filter leaves below the table, with values for readers that do not compute."""
        below = len(full.rows) + 1
        summed = [
            (i, c) for i, c in enumerate(full.columns) if c.sums and c.kind in {ColumnKind.MONEY, ColumnKind.COUNT}
        ]
        if len(full.rows) < 2 or not summed:
            return
        for index, column in summed:
            letter = xlsxwriter.utility.xl_col_to_name(index)
            total = sum(
                float(cell) for cell in (row[index] for row in full.rows) if cell is not None and _numeric(cell)
            )
            formula = f"=SUBTOTAL(109,{letter}2:{letter}{below})"
            sheet.write_formula(below, index, formula, self._total[column.kind], total)

    def _name(self, title: str) -> str:
        """Return a unique name for a sheet: at most 31 characters, none that Excel forbids."""
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
    """Return the lines of a sentence in the widest column; not every program fits the row height itself."""
    return -(-len(str(cell or "")) // (_WIDEST - 6)) or 1


def _width(full: Table, index: int) -> int:
    column = full.columns[index]
    if column.kind in NUMERIC:
        return max(12, len(column.title) + 2)
    longest = max((len(str(row[index])) for row in full.rows[:200]), default=8)
    return min(_WIDEST, max(10, longest + 2, len(column.title) + 2))
